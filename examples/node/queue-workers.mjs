// Workers: a queue group shares the jobs, each worker runs two at a time, and a drain lets all of them finish.
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "isonats";

const servers = process.env.NATS_URL ?? "127.0.0.1:4222";

async function startWorker(name) {
  const nc = await connect({ servers, name });
  let running = 0;
  let done = 0;
  nc.subscribe("jobs", {
    queue: "workers",
    concurrency: 2,
    callback: async (_err, msg) => {
      running++;
      await sleep(5);
      console.log(`${name}: ${msg.string()} (${running} at a time)`);
      running--;
      done++;
    },
  });
  await nc.flush();
  // An orchestrator sends SIGTERM: take nothing new, finish what is here, leave.
  process.once("SIGTERM", () => nc.drain());
  return { nc, name, done: () => done };
}

const workers = await Promise.all(["anna", "ben"].map(startWorker));

const boss = await connect({ servers });
for (let i = 1; i <= 12; i++) boss.publish("jobs", `job ${i}`);
await boss.drain();

// drain() resolves when the last callback has returned.
await Promise.all(workers.map(({ nc }) => nc.drain({ timeout: 10_000 })));
console.log(`${workers[0].done() + workers[1].done()} of 12 jobs are done`);
