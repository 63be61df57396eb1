// Store: what a stream of the embedded server pays for one message among a million, of a thousand subjects.
import { bench } from "./bench.mjs";

const MESSAGES = 1_000_000;
const SUBJECTS = 1000;

export async function store(dist) {
  if (!"store: a million".includes(bench.filter ?? "")) return 0;
  const { MemoryStore } = await import(`${dist}/server/jetstream/memory-store.js`);
  const none = new Uint8Array(0);
  const data = new Uint8Array(100);
  const names = Array.from({ length: SUBJECTS }, (_, i) => `orders.${i}.${i % 5}`);
  const filters = names.map((name) => [name]);
  const full = new MemoryStore("file");
  for (let i = 0; i < MESSAGES; i++) full.append(names[i % SUBJECTS], none, data, i);
  // far apart, and the same in every run
  const at = (i) => 1 + ((i * 7_368_787) % MESSAGES);
  let seen = 0;
  const each = (name, step) =>
    bench(`store: a million, ${name}`, 1000, () => {
      for (let i = 0; i < 1000; i++) seen += step(i)?.seq ?? 0;
    });
  each("get by sequence", (i) => full.get(at(i)));
  each("last of a subject", (i) => full.last(filters[i]));
  each("next of a subject", (i) => full.next(filters[i], at(i)));
  each("next of orders.*.3", (i) => full.next(["orders.*.3"], at(i)));
  each("next of orders.7.*", (i) => full.next(["orders.7.*"], at(i)));
  // half a million subjects that a filter matches, of which one has a message in the second half
  const wide = new MemoryStore("file");
  for (let i = 0; i < MESSAGES; i++) {
    const subject = i < MESSAGES / 2 || i === 900_000 ? `cold.${i}` : names[i % SUBJECTS];
    wide.append(subject, none, data, i);
  }
  each("next of cold.*, with 500 000 subjects, far away", (i) =>
    wide.next(["cold.*"], MESSAGES / 2 + 1000 + i),
  );
  each("append, and the first goes", (i) => {
    full.append(names[i], none, data, i);
    return full.remove(full.firstSeq);
  });
  return seen;
}
