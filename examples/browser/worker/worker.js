// Worker: one connection. Reads every price as it comes and tells the page what became of it, not each of them.
import { connect } from "isonats";

onmessage = async ({ data: { server } }) => {
  const nc = await connect({ servers: server });
  const prices = new Map();
  let seen = 0;
  nc.subscribe("price.*", {
    callback: (error, msg) => {
      if (error !== null) return;
      seen++;
      const name = msg.subject.slice("price.".length);
      const last = Number(msg.string());
      const { low = last, high = last } = prices.get(name) ?? {};
      prices.set(name, { last, low: Math.min(low, last), high: Math.max(high, last) });
    },
  });
  setInterval(() => postMessage({ state: nc.state, seen, prices: [...prices] }), 250);
};
