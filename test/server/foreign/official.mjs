// What a program does with the official JavaScript client. usage: official.mjs URL core|jetstream. Prints what it sees.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";

const [url, part] = process.argv.slice(2);
const nc = await connect({ servers: url });

async function core() {
  const plain = nc.subscribe("c.>", { max: 2 });
  nc.publish("c.plain", "hello");
  const colored = headers();
  colored.set("Color", "blue");
  nc.publish("c.header", "world", { headers: colored });
  for await (const msg of plain) {
    console.log(`plain: ${msg.subject} ${msg.string()} ${msg.headers?.get("Color") ?? "-"}`);
  }
  let members = 0;
  for (let i = 0; i < 2; i++) nc.subscribe("work", { queue: "group", callback: () => void members++ });
  for (let i = 0; i < 100; i++) nc.publish("work", "item");
  await nc.flush();
  console.log(`group: ${members}`);
  nc.subscribe("echo", { callback: (_, msg) => void msg.respond(msg.data) });
  console.log(`reply: ${(await nc.request("echo", "anybody?")).string()}`);
  await nc.request("void", "?").catch((error) => console.log(`nobody: ${error.name}`));
}

async function stored() {
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: "ORDERS", subjects: ["orders.*"], storage: "memory" });
  const js = jetstream(nc);
  for (const [subject, text, msgID] of [
    ["orders.a", "one", "id-1"],
    ["orders.a", "one", "id-1"],
    ["orders.b", "two", "id-2"],
  ]) {
    const { stream, seq, duplicate } = await js.publish(subject, text, { msgID });
    console.log(`stored: ${stream} ${seq}${duplicate ? " again" : ""}`);
  }
  await js
    .publish("orders.a", "x", { expect: { lastSequence: 7 } })
    .catch(({ code, message }) => console.log(`refused: ${code} ${message}`));
  await jsm.consumers.add("ORDERS", { durable_name: "worker", ack_policy: "explicit", ack_wait: 30e9 });
  const consumer = await js.consumers.get("ORDERS", "worker");
  for await (const msg of await consumer.fetch({ max_messages: 2, expires: 5000 })) {
    console.log(`got: ${msg.subject} ${msg.string()} ${msg.info.pending}`);
    await msg.ackAck();
  }
  const { ack_floor, num_ack_pending } = await consumer.info();
  console.log(`consumer: floor ${ack_floor.stream_seq}, waiting ${num_ack_pending}`);
  const ordered = await js.consumers.get("ORDERS", { filter_subjects: "orders.a" });
  console.log(`ordered: ${(await ordered.next())?.string()}`);
  const last = await jsm.streams.getMessage("ORDERS", { last_by_subj: "orders.b" });
  console.log(`last: ${last?.string()}`);
  await jsm.streams.delete("ORDERS");
}

await (part === "core" ? core() : stored());
await nc.close();
