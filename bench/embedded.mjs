// Embedded: the embedded server beside a nats-server 2.15 that has one core: what passes through each over TCP, how long a
// request takes, and what matching costs with many subscriptions.
//
//   npm run build && node --expose-gc bench/embedded.mjs
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { provideServer } from "../scripts/servers.mjs";
import { median, turn } from "./measure.mjs";
import { dial, flush, frame, repeated, write } from "./wire.mjs";

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist");
const load = (file) => import(pathToFileURL(join(dist, file)).href);
const { connect } = await load("index.node.js");
const { NatsServer } = await load("server/index.node.js");

const ROUNDS = 3;
const MESSAGES = 1_000_000;
const REQUESTS = 5000;

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

/** A server in a process of its own; its port when it listens. */
async function started(command, args, env = {}) {
  const port = await freePort();
  const child = spawn(command, [...args, "-p", `${port}`, "-a", "127.0.0.1"], {
    stdio: "ignore",
    env: { ...process.env, ...env },
  });
  process.once("exit", () => child.kill("SIGKILL"));
  for (;;) {
    const socket = await dial(port).catch(() => undefined);
    if (socket !== undefined) {
      socket.destroy();
      return port;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Messages per second from one socket to another, 16 B each. */
async function throughput(port) {
  const subject = "bench.through";
  const from = await dial(port);
  const to = await dial(port);
  to.write(`SUB ${subject} 1\r\n`);
  await flush(to);
  const one = frame(`PUB ${subject}`, 16);
  const many = Math.floor(262_144 / one.length);
  const block = repeated(one, many);
  const size = frame(`MSG ${subject} 1`, 16).length;
  let left = MESSAGES * size;
  const all = new Promise((resolve) => {
    to.on("data", (chunk) => {
      left -= chunk.length;
      if (left <= 0) resolve();
    });
  });
  const begin = performance.now();
  for (let more = MESSAGES; more > 0; more -= many) {
    await write(from, more >= many ? block : block.subarray(0, more * one.length));
  }
  await all;
  const seconds = (performance.now() - begin) / 1000;
  from.destroy();
  to.destroy();
  return MESSAGES / seconds;
}

/** Microseconds of a request, in the middle of many. */
async function request(options) {
  const service = await connect(options);
  const client = await connect(options);
  service.subscribe("bench.echo", { callback: (_, msg) => msg.respond(msg.data) });
  await service.flush();
  const data = new Uint8Array(16);
  const took = [];
  for (let i = 0; i < REQUESTS; i++) {
    const begin = performance.now();
    await client.request("bench.echo", data);
    took.push((performance.now() - begin) * 1000);
  }
  await client.close();
  await service.close();
  return median(took.slice(REQUESTS / 5));
}

/** Nanoseconds of a publish that one of `count` subscriptions gets; every publish has another subject. */
async function matching(count) {
  const server = await NatsServer.start();
  const nc = await connect({ dialer: server.dialer() });
  let got = 0;
  const callback = () => void got++;
  for (let i = 0; i < count; i++) nc.subscribe(`a.${i % 100}.*.${i}`, { callback });
  await nc.flush();
  const times = 50_000;
  const begin = performance.now();
  for (let i = 0; i < times; i++) {
    const at = (i * 7919) % count;
    nc.publish(`a.${at % 100}.${i}.${at}`);
    if (i % 1000 === 0) await turn();
  }
  await nc.flush();
  const took = ((performance.now() - begin) * 1e6) / times;
  if (got !== times) throw new Error(`${got} of ${times} arrived`);
  await nc.close();
  await server.stop();
  return took;
}

const { path, version } = await provideServer("2.15");
const real = await started(path, [], { GOMAXPROCS: "1" });
const embedded = await started(process.execPath, [join(dist, "server/main.node.js")]);
const inProcess = await NatsServer.start();

const rows = {
  [`through nats-server ${version}, messages/s`]: () => throughput(real),
  "through the embedded server, messages/s": () => throughput(embedded),
  [`request over nats-server ${version}, TCP, us`]: () => request({ servers: `127.0.0.1:${real}` }),
  "request over the embedded server, TCP, us": () => request({ servers: `127.0.0.1:${embedded}` }),
  "request over the embedded server, in process, us": () => request({ dialer: inProcess.dialer() }),
  "publish and receive, 1 000 subscriptions, in process, ns": () => matching(1000),
  "publish and receive, 100 000 subscriptions, in process, ns": () => matching(100_000),
};
const results = Object.fromEntries(Object.keys(rows).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(rows)) results[name].push(await run());
}
for (const [name, numbers] of Object.entries(results)) {
  console.log(`${name.padEnd(62)} ${Math.round(median(numbers)).toLocaleString("en").padStart(12)}`);
}
process.exit();
