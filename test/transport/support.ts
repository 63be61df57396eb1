// Support of the transport tests: certificates, targets, a recorder of events, and the proof that no socket is left.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import type { TestContext } from "node:test";
import tls from "node:tls";
import v8 from "node:v8";
import vm from "node:vm";
import { isNatsError, type NatsErrorCode } from "../../src/errors.ts";
import type { DialTarget, Transport, TransportEvents } from "../../src/transport/transport.ts";

const certUrl = (name: string): URL => new URL(`../fixtures/certs/${name}`, import.meta.url);
export const certPath = (name: string): string => certUrl(name).pathname;
export const pem = (name: string): string => readFileSync(certUrl(name), "utf8");

export const serverTls = { cert: pem("server.crt"), key: pem("server.key"), ca: pem("ca.crt") };

export function target(port: number, more: Partial<DialTarget> = {}): DialTarget {
  return {
    scheme: "nats",
    hostname: "127.0.0.1",
    port,
    path: "",
    handshakeFirst: false,
    noRandomize: true,
    signal: new AbortController().signal,
    ...more,
  };
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const bytes = (string: string): Uint8Array => new TextEncoder().encode(string);

/** Bytes in which every position tells where it is. */
export function pattern(length: number): Uint8Array {
  const made = new Uint8Array(length);
  for (let i = 0; i < length; i++) made[i] = (i * 31 + (i >> 8)) & 255;
  return made;
}

/** Collects bytes, and lets a test wait for an amount of them. */
export class Collector {
  chunks: Uint8Array[] = [];
  length = 0;
  #waiting: (() => void)[] = [];

  add(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.length += chunk.length;
    for (const look of this.#waiting.splice(0)) look();
  }

  get bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.chunks));
  }

  async atLeast(length: number): Promise<Uint8Array> {
    while (this.length < length) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.bytes;
  }
}

/** What a transport told its owner. */
export class Recorder extends Collector implements TransportEvents {
  closes: (Error | undefined)[] = [];
  drains = 0;
  readonly closed: Promise<Error | undefined>;
  #resolveClosed!: (error: Error | undefined) => void;
  #drained: (() => void)[] = [];

  constructor(transport?: Transport) {
    super();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    transport?.open(this);
  }

  onData = (chunk: Uint8Array): void => {
    assert.equal(this.closes.length, 0, "data after onClose");
    this.add(chunk);
  };

  onDrain = (): void => {
    this.drains++;
    for (const resolve of this.#drained.splice(0)) resolve();
  };

  onClose = (error?: Error): void => {
    this.closes.push(error);
    this.#resolveClosed(error);
  };

  drained(): Promise<void> {
    return new Promise((resolve) => this.#drained.push(resolve));
  }
}

function handles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|GetAddrInfo/.test(name));
}

/** Fails the test when a socket of any kind is left at its end. Call it first and once. */
export function cleanup(t: TestContext): (undo: () => unknown) => void {
  const undos: (() => unknown)[] = [];
  t.after(async () => {
    for (const undo of undos.reverse()) await undo();
    const limit = Date.now() + 10_000;
    while (handles().length > 0 && Date.now() < limit) await new Promise(setImmediate);
    assert.deepEqual(handles(), [], "sockets are left");
  });
  return (undo) => void undos.push(undo);
}

/** A raw listener; `onSocket` gets every connection (with `secure`, after its handshake). */
export async function listen(
  later: (undo: () => unknown) => void,
  onSocket: (socket: net.Socket) => void = (socket) => void socket.resume(),
  { secure, host = "127.0.0.1", port = 0 }: { secure?: tls.TlsOptions; host?: string; port?: number } = {},
): Promise<{ port: number; sockets: Set<net.Socket>; server: net.Server; count: () => number }> {
  const sockets = new Set<net.Socket>();
  let count = 0;
  const take = (socket: net.Socket): void => {
    socket.on("error", () => {});
    onSocket(socket);
  };
  const server = secure ? tls.createServer(secure, take) : net.createServer(take);
  server.on("connection", (socket: net.Socket) => {
    count++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  later(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as net.AddressInfo).port, sockets, server, count: () => count };
}

/** Lets what is on its way arrive, where nothing tells that it did. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}

/** Waits until `condition` holds, turn by turn of the event loop. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const limit = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < limit, `waited 20 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Bytes of the heap that are in use after a full collection. */
export function heapUsed(): number {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  if (Bun) {
    Bun.gc(true);
  } else {
    v8.setFlagsFromString("--expose-gc");
    (vm.runInNewContext("gc") as () => void)();
  }
  return process.memoryUsage().heapUsed;
}

/** The bytes by which a round makes the heap grow, the least of some rounds: what leaks does so in each. */
export async function growth(round: () => Promise<unknown>, enough: number): Promise<number> {
  let least = Infinity;
  for (let rounds = 0; rounds < 4 && least >= enough; rounds++) {
    const before = heapUsed();
    await round();
    least = Math.min(least, heapUsed() - before);
  }
  return least;
}

/** An assert.rejects matcher: the code, and a text that has all the parts. */
export function failure(code: NatsErrorCode, ...parts: string[]): (error: unknown) => true {
  return (error) => {
    assert.ok(isNatsError(error), `not a NatsError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    for (const part of parts)
      assert.ok(error.message.includes(part), `'${part}' is missing in: ${error.message}`);
    return true;
  };
}

/** Stops setTimeout until the end of the test. */
export function fakeTimers(t: TestContext): void {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  // Deno leaves them to the next test
  t.after(() => t.mock.timers.reset());
}
