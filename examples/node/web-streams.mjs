// Web streams: a subscription to read from, a subject to write to, with back-pressure on both.
import { connect } from "isonats";

const nc = await connect({ servers: process.env.NATS_URL ?? "127.0.0.1:4222" });

// words -> UPPER -> shouted
const words = nc.subscribe("words", { max: 3 });
const shouted = nc.subscribe("shouted", { max: 3 });
await nc.flush();

const piped = words.readable
  .pipeThrough(
    new TransformStream({
      transform: (msg, controller) => controller.enqueue(msg.string().toUpperCase()),
    }),
  )
  .pipeTo(nc.writableStream("shouted"));

for (const word of ["one", "two", "three"]) nc.publish("words", word);
for await (const msg of shouted) console.log(msg.string());

await piped;
await nc.drain();
