// Parts: the queue behind iterators, the check of subjects, ids.
import { bench } from "./bench.mjs";

export async function parts(dist) {
  const { Queue } = await import(`${dist}/lib/queue.js`);
  const { validatePublishSubject, validateSubscribeSubject, subjectMatches } = await import(
    `${dist}/protocol/subject.js`
  );
  const { nuid } = await import(`${dist}/lib/nuid.js`);
  const { decodeText } = await import(`${dist}/lib/bytes.js`);
  for (const length of [10, 100_000]) {
    const queue = new Queue();
    const item = {};
    bench(`queue: push and shift, ${length} deep`, length, () => {
      for (let i = 0; i < length; i++) queue.push(item);
      for (let i = 0; i < length; i++) queue.shift();
    });
  }
  bench("validatePublishSubject", 100, () => {
    for (let i = 0; i < 100; i++) validatePublishSubject("orders.created.eu.12345");
  });
  bench("validateSubscribeSubject", 100, () => {
    for (let i = 0; i < 100; i++) validateSubscribeSubject("orders.*.eu.>");
  });
  let matched = 0;
  bench("subjectMatches", 100, () => {
    for (let i = 0; i < 100; i++) matched += Number(subjectMatches("orders.*.eu.>", "orders.created.eu.1.2"));
  });
  bench("nuid.next", 100, () => {
    for (let i = 0; i < 100; i++) nuid.next();
  });
  for (const length of [16, 32, 64, 128]) {
    const bytes = new Uint8Array(length).fill(120);
    let seen = 0;
    bench(`decodeText, ${length} B`, 100, () => {
      for (let i = 0; i < 100; i++) seen += decodeText(bytes, 0, length).length;
    });
    matched += seen;
  }
  return matched;
}
