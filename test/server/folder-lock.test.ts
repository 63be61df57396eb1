// The lock of a folder: who has it, who only had it, and who gets it when several come at once.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { FolderLock } from "../../src/server/jetstream/folder-lock.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isonats-lock-"));
  atEnd(t, () => rmSync(dir, { recursive: true, force: true }));
  return join(dir, "store");
}

const inUse = { code: "STORE_IN_USE" };

/** A lock as some other process has left it. */
function leave(dir: string, change: object): void {
  const lock = FolderLock.of(dir);
  const path = `${dir}.lock`;
  const text = readFileSync(path, "utf8");
  // in the same file
  writeFileSync(path, JSON.stringify({ ...(JSON.parse(text) as object), ...change }));
  lock.release();
}

test("a folder is had by one, and by the next when it was released", (t) => {
  const dir = folder(t);
  const lock = FolderLock.of(dir);
  assert.throws(() => FolderLock.of(dir), inUse);
  lock.release();
  const next = FolderLock.of(dir);
  // what is released twice is the next one's already
  lock.release();
  assert.throws(() => FolderLock.of(dir), inUse);
  next.release();
});

test("of a process that is no more, or is another one by now, it is taken over", async (t) => {
  const dir = folder(t);
  const gone = spawn(process.execPath, ["-e", ""]);
  await once(gone, "exit");
  leave(dir, { pid: gone.pid });
  FolderLock.of(dir).release();
  // only some systems tell when a process began
  if (process.platform === "linux") {
    leave(dir, { start: "1" });
    FolderLock.of(dir).release();
  }
});

test("of a process on another machine nobody knows whether it lives", (t) => {
  const dir = folder(t);
  leave(dir, { pid: 1, host: "elsewhere" });
  assert.throws(
    () => FolderLock.of(dir),
    (error: Error) => /process 1 on elsewhere/.test(error.message),
  );
});

test("a copy of a lock is none, nor is one without a text that is old", (t) => {
  const [dir, copy] = [folder(t), folder(t)];
  const lock = FolderLock.of(dir);
  cpSync(`${dir}.lock`, `${copy}.lock`);
  FolderLock.of(copy).release();
  lock.release();
  writeFileSync(`${dir}.lock`, "");
  assert.throws(() => FolderLock.of(dir), inUse);
  const before = statSync(`${dir}.lock`).mtimeMs / 1000 - 60;
  utimesSync(`${dir}.lock`, before, before);
  FolderLock.of(dir).release();
});

test("where no file can be made the folder is refused", (t) => {
  const dir = folder(t);
  writeFileSync(dir, "");
  assert.throws(() => FolderLock.of(join(dir, "below")), { code: "INVALID_ARGUMENT" });
});

const LOCK = fileURLToPath(new URL("../../src/server/jetstream/folder-lock.node.ts", import.meta.url));

test("of several that find a lock that was left behind at the same time one gets it", async (t) => {
  const dir = folder(t);
  // each tries when it is told to, and says whether it has it; who has it lets it go when it is told again
  const code = `import { FolderLock } from ${JSON.stringify(LOCK)};
    let lock;
    process.stdin.on("data", () => {
      if (lock) { lock.release(); lock = undefined; console.log("had it"); return; }
      try { lock = FolderLock.of(${JSON.stringify(dir)}); console.log("has it"); } catch (error) { console.log(error.code); }
    });
    console.log("ready");`;
  const children = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      atEnd(t, () => void child.kill("SIGKILL"));
      const reader = createInterface({ input: child.stdout });
      await once(reader, "line");
      return async (): Promise<string> => {
        const answer = once(reader, "line") as Promise<[string]>;
        child.stdin.write("now");
        return (await answer)[0];
      };
    }),
  );
  for (let round = 0; round < 20; round++) {
    leave(dir, { pid: 999_999_999 });
    const answers = await Promise.all(children.map((ask) => ask()));
    assert.deepEqual(answers.toSorted(), ["STORE_IN_USE", "STORE_IN_USE", "has it"]);
    assert.equal(await children[answers.indexOf("has it")]?.(), "had it");
  }
  assert.deepEqual(readdirSync(join(dir, "..")), []);
});
