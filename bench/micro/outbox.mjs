// Outbox: encoding messages into arenas that are taken every 64 KiB.
import { bench } from "./bench.mjs";
import { headerFields } from "../cases.mjs";

export async function outbox(dist) {
  const { Outbox } = await import(`${dist}/protocol/outbox.js`);
  const { headers } = await import(`${dist}/protocol/headers.js`);
  const some = headers();
  for (const [name, value] of headerFields) some.set(name, value);
  const full = new Outbox();
  const bytes = (size) => new Uint8Array(size).fill(120);
  const runs = {
    "16 B": [undefined, undefined, bytes(16)],
    "128 B": [undefined, undefined, bytes(128)],
    "4 KiB": [undefined, undefined, bytes(4096)],
    "20 characters": [undefined, undefined, "twenty characters..."],
    "200 characters": [undefined, undefined, "x".repeat(200)],
    "128 B and a reply": ["_INBOX.aaaaaaaaaaaaaaaaaaaaaa.17", undefined, bytes(128)],
    "128 B and kept headers": [undefined, some, bytes(128)],
  };
  for (const [name, [reply, hdrs, payload]] of Object.entries(runs)) {
    const count = payload.length > 1000 ? 64 : 500;
    bench(`outbox.message, ${name}`, count, () => {
      for (let i = 0; i < count; i++) full.message("orders.created.eu", reply, hdrs, payload, 0);
      full.take();
      full.rewind();
    });
  }
  bench("outbox.message, 128 B and fresh headers", 500, () => {
    for (let i = 0; i < 500; i++) {
      const fresh = headers();
      for (const [name, value] of headerFields) fresh.set(name, value);
      full.message("orders.created.eu", undefined, fresh, runs["128 B"][2], 0);
    }
    full.take();
    full.rewind();
  });
}
