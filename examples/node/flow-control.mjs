// Flow control: a publisher that waits for the socket, and a subscriber whose queue is bounded.
import { connect } from "isonats";

const servers = process.env.NATS_URL ?? "127.0.0.1:4222";
const [from, to] = await Promise.all([connect({ servers }), connect({ servers })]);

// This subscriber never gets round to anything. It keeps the 100 newest messages and counts the others.
const slow = to.subscribe("reading", { limits: { messages: 100, overflow: "drop-oldest" } });
const warned = (async () => {
  for await (const event of to.status()) {
    if (event.type !== "slowConsumer") continue;
    console.log(`slow consumer on '${event.sub.getSubject()}'`);
    return;
  }
})();
await to.flush();

// publish() never blocks; writable() resolves as soon as the socket has taken what is waiting.
const payload = new Uint8Array(16 * 1024);
let most = 0;
for (let i = 0; i < 2000; i++) {
  from.publish("reading", payload);
  most = Math.max(most, from.pendingBytes);
  await from.writable();
}
await from.flush();
console.log(`32 MB published, never more than ${Math.ceil(most / 1024)} kB waiting here`);

await to.flush();
await warned;
console.log(`kept ${slow.getPending()}, dropped ${slow.dropped}, together ${slow.getReceived()}`);
await Promise.all([from.drain(), to.close()]);
