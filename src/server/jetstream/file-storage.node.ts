// File storage: keeps the streams of an account in a directory, each in one of its own, with its consumers. Memory streams are not kept.
//
//   <dir>.lock                            who has it
//   <dir>/<stream>/stream.json            configuration and time of creation
//                 /messages/...           what message-log writes
//                 /consumers/<name>.json  configuration and state
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError } from "../../errors.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { StreamConfig } from "../../protocol/jetstream/stream.ts";
import { FileStore } from "./file-store.node.ts";
import { fileName } from "./file-name.ts";
import { FolderLock } from "./folder-lock.node.ts";
import { MemoryStore } from "./memory-store.ts";
import { replaceFile } from "./replace-file.node.ts";
import type { KeptConsumer, KeptStream, Storage } from "./storage.ts";
import type { Store } from "./store.ts";

// how long the state of a consumer may wait to be written
const LATER = 100;
const CONFIG = "stream.json";

interface Unsaved {
  readonly consumer: Omit<KeptConsumer, "state">;
  readonly state: () => object;
}

export class FileStorage implements Storage {
  readonly #dir: string;
  readonly #clock: Clock;
  readonly #dirty = new Set<FileStore>();
  /** by stream, those that are kept in files */
  readonly #streams = new Map<string, FileStore>();
  /** consumers by their file */
  readonly #unsaved = new Map<string, Unsaved>();
  /** configurations that are written, by the file of the consumer */
  readonly #saved = new Map<string, object>();
  /** files that confirmations wait for */
  readonly #urgent = new Set<string>();
  #lock: FolderLock | undefined;
  #timer: Timer | undefined;
  #flushing = false;

  /** `dir` need not be there. */
  constructor(dir: string, clock: Clock) {
    this.#dir = dir;
    this.#clock = clock;
  }

  create(config: StreamConfig, created: number): Store {
    if (config.storage === "memory") return new MemoryStore("memory", config.first_seq);
    const dir = this.#of(config.name);
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    const store = this.#open(config);
    // it is a stream when this is there
    this.saveStream(config, created);
    return store;
  }

  #open({ name, first_seq }: StreamConfig): FileStore {
    const dir = this.#of(name);
    const store = new FileStore(join(dir, "messages"), first_seq, {
      dirty: (one) => this.#changed(one),
      destroyed: (one) => {
        this.#dirty.delete(one);
        this.#streams.delete(name);
        this.#forget(join(dir, "consumers"));
        rmSync(dir, { recursive: true, force: true });
      },
    });
    this.#streams.set(name, store);
    return store;
  }

  // What nobody waits for is written soon too.
  #changed(store: FileStore): void {
    this.#dirty.add(store);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      try {
        this.flush();
      } catch {
        // the store takes no more from now on, and says so
      }
    });
  }

  recover(): KeptStream[] {
    this.#lock = FolderLock.of(this.#dir);
    try {
      return this.#recover();
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  #recover(): KeptStream[] {
    if (!existsSync(this.#dir)) return [];
    const kept: KeptStream[] = [];
    for (const entry of readdirSync(this.#dir)) {
      const dir = join(this.#dir, entry);
      if (!existsSync(join(dir, CONFIG))) {
        // its creation was never confirmed
        rmSync(dir, { recursive: true, force: true });
        continue;
      }
      const { config, created } = read<{ config: StreamConfig; created: number }>(join(dir, CONFIG));
      kept.push({
        config,
        created,
        store: this.#open(config),
        consumers: this.#consumers(join(dir, "consumers")),
      });
    }
    return kept;
  }

  #consumers(dir: string): KeptConsumer[] {
    if (!existsSync(dir)) return [];
    const files = readdirSync(dir).filter((name) => name.endsWith(".json"));
    return files.map((name) => read<KeptConsumer>(join(dir, name)));
  }

  saveStream(config: StreamConfig, created: number): void {
    if (!this.#streams.has(config.name)) return;
    replaceFile(join(this.#of(config.name), CONFIG), JSON.stringify({ config, created }));
  }

  saveConsumer(stream: string, consumer: Omit<KeptConsumer, "state">, state: () => object): void {
    if (!this.#streams.has(stream) || consumer.config.mem_storage === true) return;
    const path = this.#consumerPath(stream, consumer.name);
    this.#unsaved.set(path, { consumer, state });
    if (this.#saved.get(path) !== consumer.config) this.#urgent.add(path);
    this.#timer ??= this.#clock.after(LATER, () => {
      this.#timer = undefined;
      this.#saveAll();
    });
  }

  removeConsumer(stream: string, name: string): void {
    const path = this.#consumerPath(stream, name);
    this.#forget(path);
    rmSync(path, { force: true });
  }

  #forget(path: string): void {
    for (const known of [this.#unsaved, this.#saved, this.#urgent]) {
      for (const one of known.keys()) if (one.startsWith(path)) known.delete(one);
    }
  }

  flush(): void {
    for (const store of this.#dirty) store.flush();
    this.#dirty.clear();
    for (const path of this.#urgent) this.#save(path);
    this.#urgent.clear();
  }

  #saveAll(): void {
    for (const path of [...this.#unsaved.keys()]) this.#save(path);
  }

  #save(path: string): void {
    const unsaved = this.#unsaved.get(path);
    if (unsaved === undefined) return;
    const { name, config, created } = unsaved.consumer;
    if (!this.#saved.has(path)) mkdirSync(join(path, ".."), { recursive: true });
    replaceFile(path, JSON.stringify({ name, config, created, state: unsaved.state() }));
    this.#saved.set(path, config);
    this.#unsaved.delete(path);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    try {
      this.flush();
      this.#saveAll();
    } finally {
      this.#lock?.release();
    }
  }

  #of(stream: string): string {
    return join(this.#dir, fileName(stream));
  }

  #consumerPath(stream: string, name: string): string {
    return join(this.#of(stream), "consumers", `${fileName(name)}.json`);
  }
}

// What replaceFile wrote. @throws {NatsError} INVALID_ARGUMENT
function read<T>(path: string): T {
  const text = readFileSync(path, "utf8");
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new InvalidArgumentError(
      `storeDir has a file that is damaged, ${path}: put it back from a copy, or remove its folder`,
    );
  }
}
