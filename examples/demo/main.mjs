// The demo, `npm run demo`: what NATS does, told step by step on a server of its own.
//
//   npm run demo                       on the embedded server, inside this process
//   npm run demo -- --nats-server      on a nats-server, which it finds or fetches
import { connect } from "isonats";
import { core } from "./core.mjs";
import { stored } from "./stored.mjs";

const began = performance.now();
const title = (text) => console.log(`\n${text}\n${"-".repeat(text.length)}`);
const say = (text) => console.log(`  ${text}`);

title("A server to talk to");
const server = await (process.argv.includes("--nats-server") ? natsServer() : embeddedServer());
await server.start();
say(`${server.name} runs at ${server.address} (${server.source}).`);
const nc = await connect({ servers: server.address, name: "demo" });
say(`Connected in state '${nc.state}'; a round trip takes ${(await nc.rtt()).toFixed(2)} ms.`);

await core(nc, server, { title, say });
await stored(nc, { title, say });

await nc.drain();
await server.kill();
const { inMsgs, outMsgs, reconnects, droppedOutbound } = nc.stats();
title("Done");
say(`${outMsgs} messages out, ${inMsgs} in, ${droppedOutbound} lost, ${reconnects} reconnect.`);
say(`All in ${((performance.now() - began) / 1000).toFixed(1)} s. Next: README.md and examples/node.`);

async function natsServer() {
  return (await import("./nats-server.mjs")).natsServer();
}

async function embeddedServer() {
  return (await import("./embedded-server.mjs")).embeddedServer();
}
