// Core: publish and subscribe, queue groups, requests, and an outage. A chapter of the demo.
import { deferred } from "isonats";

/** Tell it on a connection to a server that can be killed and started. */
export async function core(nc, server, { title, say }) {
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
  const { lost, thirdAttempt } = watch(nc, say);
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
}

// Says what the connection reports, as it comes.
function watch(connection, say) {
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
