// Nats-server: one server process for the demo, which can be killed and started again on the same port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provideServer } from "../../scripts/servers.mjs";

/**
 * Finds a nats-server (or fetches one, see scripts/servers.mjs); `start()` runs it on a free port, with `websocket` on another
 * one for browsers too.
 */
export async function natsServer({ websocket = false } = {}) {
  const { path, version, source } = await provideServer();
  const port = await freePort();
  const websocketPort = websocket ? await freePort() : 0;
  const folder = mkdtempSync(join(tmpdir(), "isonats-demo-"));
  const config = join(folder, "nats.conf");
  writeFileSync(
    config,
    `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${folder}" }\n` +
      (websocket ? `websocket { listen: "127.0.0.1:${websocketPort}", no_tls: true }\n` : ""),
  );
  let child;

  async function start() {
    child = spawn(path, ["-c", config], { stdio: ["ignore", "ignore", "pipe"] });
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
  process.once("exit", () => {
    child?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  // without the details of the package
  return {
    name: `nats-server ${version}`,
    source: `from ${source.split(" (")[0]}`,
    address: `127.0.0.1:${port}`,
    websocketUrl: `ws://127.0.0.1:${websocketPort}`,
    start,
    kill,
  };
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
