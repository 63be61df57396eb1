// Key-value: what is in stock, changed by several at once, and followed by a watch.
//
//   node examples/node/kv-stock.mjs
import { connect } from "isonats";
import { Kvm } from "isonats/kv";

const nc = await connect({ servers: process.env.NATS_URL ?? "127.0.0.1:4222" });
const kvm = new Kvm(nc);
const stock = await kvm.create("stock", { history: 10, storage: "memory" });

await stock.put("lamps", "10");
await stock.put("chairs", "4");

const watch = await stock.watch();
const shelf = new Map();
const following = (async () => {
  for await (const entry of watch) {
    if (entry.operation === "PUT") shelf.set(entry.key, Number(entry.string()));
    else shelf.delete(entry.key);
    if (entry.isUpdate)
      console.log(`${entry.key}: ${shelf.get(entry.key) ?? "none"}, revision ${entry.revision}`);
    if (shelf.size === 0) break;
  }
})();
await watch.synced;
console.log(`at first: ${[...shelf.keys()].sort().join(", ")}`);

// twelve customers at once; nobody gets a lamp that is not there
const buy = async () => {
  let bought = false;
  await stock.modify("lamps", (entry) => {
    const left = Number(entry?.string() ?? 0);
    bought = left > 0;
    if (!bought) return undefined;
    return left === 1 ? null : String(left - 1);
  });
  return bought;
};
const bought = await Promise.all(Array.from({ length: 12 }, buy));
console.log(`${bought.filter(Boolean).length} of 12 got a lamp`);

await stock.purge("chairs");
await following;
await stock.destroy();
await nc.drain();
