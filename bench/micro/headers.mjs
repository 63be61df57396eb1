// Headers: what a receiver pays for one header.
import { bench } from "./bench.mjs";
import { headerFields } from "../cases.mjs";

export async function headers(dist) {
  const { MsgHdrsImpl } = await import(`${dist}/protocol/headers.js`);
  const made = new MsgHdrsImpl();
  for (const [name, value] of headerFields) made.set(name, value);
  const block = made.encode();
  const wide = new MsgHdrsImpl();
  wide.set("Name", "Übergrößenträger");
  const wideBlock = wide.encode();
  let seen = 0;
  bench("headers: decode and get", 100, () => {
    for (let i = 0; i < 100; i++) seen += MsgHdrsImpl.decode(block).get(headerFields[0][0]).length;
  });
  bench("headers: decode and get, not ASCII", 100, () => {
    for (let i = 0; i < 100; i++) seen += MsgHdrsImpl.decode(wideBlock).get("Name").length;
  });
  return seen;
}
