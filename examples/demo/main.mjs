// The demo, `npm run demo`: what Core NATS does, told step by step on a nats-server of its own.
import { connect, deferred } from "isonats";
import { natsServer } from "./nats-server.mjs";

const began = performance.now();
const title = (text) => console.log(`\n${text}\n${"-".repeat(text.length)}`);
const say = (text) => console.log(`  ${text}`);

title("A server to talk to");
const server = await natsServer();
await server.start();
say(`nats-server ${server.version} runs at ${server.address} (from ${server.source}).`);
const nc = await connect({ servers: server.address, name: "demo" });
say(`Connected in state '${nc.state}'; a round trip takes ${(await nc.rtt()).toFixed(2)} ms.`);

title("1. Publish and subscribe: everyone who listens gets a copy");
const kitchen = nc.subscribe("order.*", { max: 2 });
const archive = nc.subscribe("order.>", { max: 2 });
nc.publish("order.pizza", JSON.stringify({ table: 7 }));
nc.publish("order.soup", JSON.stringify({ table: 2 }));
for await (const msg of kitchen) say(`kitchen: ${msg.subject} for table ${msg.json().table}`);
for await (const msg of archive) say(`archive: ${msg.subject} is filed`);

title("2. A queue group: each message goes to one member");
const share = { anna: 0, ben: 0, cleo: 0 };
const done = deferred();
for (const worker of Object.keys(share)) {
  nc.subscribe("jobs", {
    queue: "workers",
    callback: () => {
      share[worker]++;
      if (share.anna + share.ben + share.cleo === 30) done.resolve();
    },
  });
}
for (let job = 1; job <= 30; job++) nc.publish("jobs", `job ${job}`);
await done;
for (const [worker, count] of Object.entries(share)) say(`${worker} did ${count} jobs`);
say("30 jobs were published, and each was done once.");

title("3. Request and reply: ask, and wait for one answer");
nc.subscribe("shout", { callback: (_, msg) => void msg.respond(msg.string().toUpperCase()) });
const reply = await nc.request("shout", "hello", { timeout: 2000 });
say(`'hello' was answered with '${reply.string()}'.`);
const asked = performance.now();
try {
  await nc.request("nobody.home", "hello?", { timeout: 2000 });
} catch (error) {
  const took = (performance.now() - asked).toFixed(1);
  say(`Where nobody listens, the error comes after ${took} ms, not at the timeout: ${error.code}`);
}

title("4. An outage: the server is killed, and comes back");
const { lost, thirdAttempt } = watch(nc);
const parcels = nc.subscribe("parcel", { max: 5 });
await nc.flush();
await server.kill();
await lost;
for (let i = 1; i <= 5; i++) nc.publish("parcel", `parcel ${i}`);
say(`5 messages were published into the outage: ${nc.pendingBytes} bytes wait, state '${nc.state}'.`);
await thirdAttempt;
await server.start();
say("The server is started again.");
for await (const msg of parcels) say(`arrived: ${msg.string()}`);
say("Nobody subscribed again, nobody published again.");

await nc.drain();
await server.kill();
const { inMsgs, outMsgs, reconnects, droppedOutbound } = nc.stats();
title("Done");
say(`${outMsgs} messages out, ${inMsgs} in, ${droppedOutbound} lost, ${reconnects} reconnect.`);
say(`All in ${((performance.now() - began) / 1000).toFixed(1)} s. Next: README.md and examples/node.`);

// Says what the connection reports, as it comes.
function watch(connection) {
  const lost = deferred();
  const thirdAttempt = deferred();
  void (async () => {
    for await (const event of connection.status()) {
      if (event.type === "disconnect") {
        say(`status: disconnect (${event.error.code})`);
        lost.resolve();
      } else if (event.type === "reconnecting") {
        say(`status: reconnecting, attempt ${event.attempt} in ${event.delay} ms`);
        if (event.attempt === 3) thirdAttempt.resolve();
      } else if (event.type === "reconnect") {
        say(`status: reconnect, to ${event.server}`);
      }
    }
  })();
  return { lost, thirdAttempt };
}
