// Replay a stream in order: what was stored before, and what comes while we read.
import { connect } from "isonats";
import { jetstreamManager } from "isonats/jetstream";

const nc = await connect({ servers: process.env.NATS_URL ?? "localhost:4222" });
const jsm = await jetstreamManager(nc);
const js = jsm.jetstream();
await jsm.streams.addOrUpdate({ name: "LEDGER", subjects: ["ledger.*"] });
await jsm.streams.purge("LEDGER");

for (const amount of [100, -30, 5]) await js.publish("ledger.anna", String(amount));

const consumer = await js.consumers.get("LEDGER", { filter_subjects: "ledger.anna" });
const messages = await consumer.consume();
let balance = 0;
for await (const msg of messages) {
  balance += Number(msg.string());
  console.log(`${msg.string()} makes ${balance}`);
  // all that was stored is read: one more, and it comes too
  if (msg.info.pending === 0 && balance === 75) await js.publish("ledger.anna", "25");
  if (balance === 100 && msg.info.deliverySequence === 4) break;
}
const { state, resets } = messages.health;
console.log(`${state}, after ${resets} resets`);
await nc.drain();
