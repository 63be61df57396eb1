// A service and its client: request and reply, and what a failure looks like.
import { connect, isNatsError } from "isonats";

const nc = await connect({ servers: process.env.NATS_URL ?? "127.0.0.1:4222" });

nc.subscribe("price.get", {
  queue: "price-service",
  callback: async (_err, msg) => {
    const { item } = msg.json();
    msg.respond(JSON.stringify({ item, cents: item.length * 100 }));
  },
});
// hears, but never answers
nc.subscribe("price.set", { callback: () => {} });

const reply = await nc.request("price.get", JSON.stringify({ item: "lamp" }), { timeout: 2000 });
console.log(reply.json());

for (const subject of ["price.delete", "price.set"]) {
  try {
    await nc.request(subject, "{}", { timeout: 500 });
  } catch (error) {
    if (!isNatsError(error)) throw error;
    if (error.code === "NO_RESPONDERS") console.log(`${subject}: nobody is there`);
    else if (error.code === "TIMEOUT") console.log(`${subject}: ${error.reason} in time`);
    else throw error;
  }
}
await nc.drain();
