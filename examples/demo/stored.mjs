// Stored: a stream and who works through it, a bucket with keys, a bucket with files. A chapter of the demo.
import { jetstream, jetstreamManager } from "isonats/jetstream";
import { Kvm } from "isonats/kv";
import { Objm } from "isonats/obj";

export async function stored(nc, { title, say }) {
  title("5. JetStream: what is published is kept, and each message is worked off once");
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: "ORDERS", subjects: ["orders.*"], storage: "memory" });
  const js = jetstream(nc);
  for (const dish of ["pizza", "soup", "pasta"]) {
    const { seq } = await js.publish(`orders.${dish}`, dish, { msgID: dish });
    say(`stored: ${dish}, as number ${seq}`);
  }
  const { duplicate } = await js.publish("orders.soup", "soup", { msgID: "soup" });
  say(`The soup was sent twice, and stored once: duplicate is ${duplicate}.`);
  await jsm.consumers.add("ORDERS", { durable_name: "cook", ack_policy: "explicit" });
  const cook = await js.consumers.get("ORDERS", "cook");
  for await (const msg of await cook.fetch({ max_messages: 3, expires: 2000 })) {
    say(`cooked: ${msg.string()}, ${msg.info.pending} to go`);
    msg.ack();
  }

  title("6. Key-value: the last word on each key, and who watches hears it");
  const prices = await new Kvm(js).create("prices", { history: 5 });
  await prices.put("pizza", "9.50");
  const watch = await prices.watch({ key: "pizza" });
  await prices.put("pizza", "9.90");
  await prices.delete("pizza");
  for await (const entry of watch) {
    const { revision, operation, key } = entry;
    say(`revision ${revision}: ${operation} ${key}${operation === "PUT" ? ` ${entry.string()}` : ""}`);
    if (operation === "DEL") break;
  }

  title("7. Object store: files of any size, in pieces, with a checksum");
  const files = await new Objm(js).create("files");
  const menu = "margherita, minestrone, arrabbiata\n".repeat(20_000);
  const { size, chunks } = await files.putBlob({ name: "menu.txt" }, new TextEncoder().encode(menu));
  say(`stored: menu.txt, ${size} bytes in ${chunks} pieces`);
  const back = await files.getBlob("menu.txt");
  say(`read: ${back.length} bytes, ${new TextDecoder().decode(back) === menu ? "the same" : "not the same"}`);
}
