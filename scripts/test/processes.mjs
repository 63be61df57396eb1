// Processes: runs a program in a process group of its own, and ends the whole group with it.
import { spawn } from "node:child_process";

const groups = new Set();

function endGroup(pid) {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nobody is left
  }
}

/** When this process is told to end, everything that {@link run} has started ends first. */
export function endGroupsWithUs() {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      for (const pid of groups) endGroup(pid);
      process.exit(1);
    });
  }
}

/** Run to the end, or for `timeout` ms; then whatever is left of its process group is killed. */
export function run(command, args, { cwd, env, timeout }) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env, NODE_TEST_CONTEXT: undefined },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    let late = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        if (output.length < 1_000_000) output += text;
      });
    }
    const timer = setTimeout(() => {
      late = true;
      endGroup(child.pid);
    }, timeout);
    if (child.pid !== undefined) groups.add(child.pid);
    child.once("error", (error) => {
      output += error;
    });
    // a grandchild may hold the pipes open
    child.once("exit", () => {
      if (child.pid !== undefined) endGroup(child.pid);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      groups.delete(child.pid);
      done({
        ok: code === 0,
        how: signal ? `was ended by ${signal}` : `ended with code ${code}`,
        late,
        output,
      });
    });
  });
}
