// Decoder: 64 KiB of messages of 128 B, as the socket gives them.
import { bench } from "./bench.mjs";
import { frame, repeated } from "../wire.mjs";

export async function decoder(dist) {
  const { Decoder } = await import(`${dist}/protocol/decoder.js`);
  const { ClientRole } = await import(`${dist}/protocol/client-role.js`);
  const { Subscriptions } = await import(`${dist}/client/subscriptions.js`);
  const nothing = () => {};
  const control = { onInfo: nothing, onErr: nothing, onPing: nothing, onPong: nothing };
  const plain = frame("MSG orders.created.eu 17", 128);
  const withReply = frame("MSG orders.created.eu 17 _INBOX.aaaaaaaaaaaaaaaaaaaaaa.17", 128);
  const withHeaders = frame("MSG orders.created.eu 17", 128, true);
  for (const [name, one] of Object.entries({ plain, withReply, withHeaders })) {
    const count = Math.floor(65536 / one.length);
    const chunk = new Uint8Array(repeated(one, count));
    let seen = 0;
    const sink = { onMsg: () => seen++ };
    const bare = new Decoder(new ClientRole(control, sink));
    bench(`decoder.push, ${name}`, count, () => bare.push(chunk));
    if (seen % count !== 0) throw new Error("messages are missing");
    // with what stands behind it: message objects and a callback
    const subscriptions = new Subscriptions({ publish: nothing }, nothing, { control: nothing });
    let bytes = 0;
    const callback = (_, msg) => {
      bytes += msg.data.length;
    };
    for (let sid = 2; sid <= 17; sid++) subscriptions.add("orders.>", { callback });
    const full = new Decoder(new ClientRole(control, subscriptions));
    bench(`   and a callback that reads data, ${name}`, count, () => full.push(chunk));
    if (bytes % (128 * count) !== 0) throw new Error("bytes are missing");
  }
}
