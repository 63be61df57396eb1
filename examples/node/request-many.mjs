// One request, many replies: ask everyone, and decide when you have heard enough.
import { connect } from "isonats";

const nc = await connect({ servers: process.env.NATS_URL ?? "127.0.0.1:4222" });

for (const name of ["north", "south", "west"]) {
  nc.subscribe("stations.ping", { callback: (_err, msg) => void msg.respond(name) });
}
nc.subscribe("report.get", {
  callback: (_err, msg) => {
    for (const page of ["page 1", "page 2", "page 3"]) msg.respond(page);
    // an empty message says that this was all
    msg.respond();
  },
});

// Until nobody has said anything for 300 ms, and for 1 s at most.
const options = { strategy: "stall", stall: 300, maxWait: 1000 };
const stations = [];
for await (const msg of await nc.requestMany("stations.ping", "", options)) stations.push(msg.string());
console.log(`stations: ${stations.sort().join(", ")}`);

// Two answers are enough.
const two = await nc.requestMany("stations.ping", "", { strategy: "count", maxMessages: 2 });
const answers = [];
for await (const msg of two) answers.push(msg);
console.log(`${answers.length} answers`);

// Until the sender says that it is over.
for await (const msg of await nc.requestMany("report.get", "", { strategy: "sentinel" })) {
  if (msg.data.length > 0) console.log(msg.string());
}
await nc.drain();
