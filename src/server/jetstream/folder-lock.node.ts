// Folder lock: a file beside a folder that says which process has it, so that no two servers write there. Owned by file-storage.
//
//   <folder>.lock    {"pid":71,"start":"81723","host":"box","ino":"42"}
//
// A process that was killed leaves it behind, and the next one takes it: there is no process of that number, it began at
// another time (`start`, where the system tells), or the file is a copy of the one that it made (`ino`).
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { InvalidArgumentError, NatsError } from "../../errors.ts";

// milliseconds that a file may be without its text: it is made first, and written then
const UNWRITTEN = 10_000;

interface Holder {
  readonly pid: number;
  readonly start?: string | undefined;
  readonly host: string;
  /** number of the file */
  readonly ino: string;
}

export class FolderLock {
  readonly #path: string;
  readonly #text: string;
  #held = true;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /** Take it. @throws {NatsError} STORE_IN_USE, INVALID_ARGUMENT where no file can be made */
  static of(folder: string): FolderLock {
    const path = `${folder}.lock`;
    try {
      mkdirSync(dirname(path), { recursive: true });
      for (;;) {
        const text = make(path);
        if (text !== undefined) return new FolderLock(path, text);
        const found = readText(path);
        if (found === undefined) continue;
        const holder = holderOf(path, found) ?? (putAway(path, found) ? undefined : {});
        if (holder !== undefined) throw inUse(folder, path, holder);
      }
    } catch (error) {
      if (error instanceof NatsError) throw error;
      const { message } = error as Error;
      throw new InvalidArgumentError(
        `storeDir has no file ${path}, and it can't be made: ${message}. Choose a folder that can be written`,
        { cause: error },
      );
    }
  }

  /** Let others have it. */
  release(): void {
    if (this.#held && readText(this.#path) === this.#text) rmSync(this.#path, { force: true });
    this.#held = false;
  }
}

// What it says now; undefined where there is one already.
function make(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, "wx");
  } catch (error) {
    if (codeOf(error) === "EEXIST") return undefined;
    throw error;
  }
  const { pid } = process;
  const ino = `${fstatSync(file, { bigint: true }).ino}`;
  const text = JSON.stringify({ pid, start: startOf(pid), host: hostname(), ino } satisfies Holder);
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
  return text;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

// Who has it; undefined where it was left behind.
function holderOf(path: string, text: string): Partial<Holder> | undefined {
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
  } catch {
    return ageOf(path) < UNWRITTEN ? {} : undefined;
  }
  const ino = statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
  if (`${ino}` !== holder.ino) return undefined;
  // of another machine nothing is known
  if (holder.host !== hostname()) return holder;
  return lives(holder) ? holder : undefined;
}

function lives({ pid, start }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // one of another user lives too
    if (codeOf(error) === "ESRCH") return false;
  }
  const now = startOf(pid);
  return start === undefined || now === undefined || start === now;
}

// When a process began, where the system tells: the number may have been another one's before. One that is dead never did.
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // the second field is a name in parentheses, which may have anything in it
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? "" : fields[18];
  } catch {
    return undefined;
  }
}

// Remove what was left behind. Who does makes a file for it, and looks once more then: others may do the same, and one of them may
// have it by now. False where somebody is about it.
function putAway(path: string, text: string): boolean {
  const guard = `${path}.new`;
  if (make(guard) === undefined) {
    if (ageOf(guard) > UNWRITTEN) rmSync(guard, { force: true });
    return false;
  }
  if (readText(path) === text) rmSync(path, { force: true });
  rmSync(guard, { force: true });
  return true;
}

function ageOf(path: string): number {
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return made === undefined ? 0 : Date.now() - made;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function inUse(folder: string, path: string, { pid, host }: Partial<Holder>): NatsError {
  const who =
    pid === undefined
      ? "another server that begins just now"
      : pid === process.pid && host === hostname()
        ? `another server of this process, ${pid}`
        : `process ${pid}${host === hostname() ? "" : ` on ${host}`}`;
  return new NatsError(
    "STORE_IN_USE",
    `storeDir has a folder that ${who} writes to, ${folder}: stop that server, or use another storeDir. ` +
      `If it is no server any more, remove ${path}`,
  );
}
