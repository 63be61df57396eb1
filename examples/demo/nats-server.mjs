// Nats-server: one server process for the demo, which can be killed and started again on the same port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { provideServer } from "../../scripts/servers.mjs";

/** Finds a nats-server (or fetches one, see scripts/servers.mjs); `start()` runs it on a free port. */
export async function natsServer() {
  const { path, version, source } = await provideServer();
  const port = await freePort();
  let child;

  async function start() {
    child = spawn(path, ["-a", "127.0.0.1", "-p", String(port)], { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    child.stderr.setEncoding("utf8");
    for await (const text of child.stderr.iterator({ destroyOnReturn: false })) {
      log += text;
      if (log.includes("Server is ready")) {
        // nobody reads the rest; it must not fill the pipe
        child.stderr.resume();
        return;
      }
    }
    throw new Error(`nats-server ended at its start:\n${log}`);
  }

  async function kill() {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  }

  // whatever ends the demo ends the server
  process.once("exit", () => child?.kill("SIGKILL"));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  // without the details of the package
  return { version, source: source.split(" (")[0], address: `127.0.0.1:${port}`, start, kill };
}

/** A port that nobody listens on right now. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
