// Publish to a stream: an ack for each message, many at once, an id against doubles, compare and set.
import { connect } from "isonats";
import { jetstreamManager, OutcomeUnknownError } from "isonats/jetstream";

const nc = await connect({ servers: process.env.NATS_URL ?? "127.0.0.1:4222" });
const jsm = await jetstreamManager(nc);
await jsm.streams.add({ name: "METER", subjects: ["meter.>"], storage: "memory" });
const js = jsm.jetstream();

// The message is stored when the ack is there. With an id it may be published again when nobody knows.
const reading = { msgID: "kitchen-2026-01" };
const { seq } = await js.publish("meter.kitchen", "4711", reading).catch((error) => {
  if (!(error instanceof OutcomeUnknownError)) throw error;
  return js.publish("meter.kitchen", "4711", reading);
});
const { duplicate } = await js.publish("meter.kitchen", "4711", reading);
console.log(`stored as ${seq}, again: ${duplicate ? "not stored twice" : "stored"}`);

// Only if nobody wrote meanwhile.
await js.publish("meter.kitchen", "4712", { expect: { lastSubjectSequence: 9 } }).catch((error) => {
  console.log(`${error.code}: expected ${error.expected}, it is ${error.actual}`);
});

// Many in flight; each has an ack of its own.
const publisher = js.publisher({ maxInFlight: 100 });
let failed = 0;
for (let i = 0; i < 1000; i++) {
  await publisher.ready();
  publisher.publish("meter.cellar", String(i)).catch(() => failed++);
}
await publisher.drain();
const { state } = await jsm.streams.info("METER");
console.log(`${state.messages} messages, ${failed} failed`);

await jsm.streams.delete("METER");
await nc.drain();
