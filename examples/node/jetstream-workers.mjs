// Workers that share the jobs of a stream: each job is done, also when a worker fails at it.
import { connect } from "isonats";
import { jetstreamManager } from "isonats/jetstream";

const nc = await connect({ servers: process.env.NATS_URL ?? "localhost:4222" });
const jsm = await jetstreamManager(nc);
const js = jsm.jetstream();
await jsm.streams.addOrUpdate({ name: "JOBS", subjects: ["jobs.>"], retention: "workqueue" });
await jsm.consumers.addOrUpdate("JOBS", { durable_name: "workers", ack_policy: "explicit" });

for (let i = 1; i <= 6; i++) await js.publish("jobs.paint", `wall ${i}`);

const consumer = await js.consumers.get("JOBS", "workers");
let done = 0;
let finish;
const finished = new Promise((resolve) => (finish = resolve));

const work = (name) =>
  consumer.process(
    (msg) => {
      // the third wall is hard
      if (msg.string() === "wall 3" && !msg.redelivered) throw new Error("the paint is out");
      console.log(`${name} painted ${msg.string()}`);
      if (++done === 6) finish();
    },
    { retry: { backoff: [100] } },
  );

const workers = await Promise.all(["anna", "ben"].map(work));
await finished;
for (const worker of workers) await worker.close();
console.log(
  `${done} of 6 walls, ${workers.reduce((sum, { figures }) => sum + figures.retried, 0)} at the second try`,
);
await nc.drain();
