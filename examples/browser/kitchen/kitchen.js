// Kitchen: a whole NATS in this tab. A server, and connections to it: who orders, two cooks who share a consumer, prices
// in a bucket. Time is a clock that the page moves.
import { connect } from "isonats";
import { jetstream, jetstreamManager } from "isonats/jetstream";
import { Kvm } from "isonats/kv";
import { ManualClock, NatsServer } from "isonats/server";

/** What a cook has left undone is given out again after this; what nobody cooked is thrown away after this. */
const ACK_WAIT = 30_000;
const MAX_AGE = 300_000;
const nanos = (ms) => ms * 1_000_000;

/** Open it. `shown` has a callback for each kind of news. */
export async function openKitchen(shown) {
  const clock = new ManualClock();
  const server = await NatsServer.start({ clock, jetstream: true });
  const link = (name) => connect({ dialer: server.dialer(), name });

  const nc = await link("waiter");
  const js = jetstream(nc);
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({
    name: "ORDERS",
    subjects: ["orders.*"],
    storage: "memory",
    retention: "workqueue",
    max_age: nanos(MAX_AGE),
  });
  await jsm.consumers.add("ORDERS", {
    durable_name: "cooks",
    ack_policy: "explicit",
    ack_wait: nanos(ACK_WAIT),
    max_ack_pending: 50,
  });

  const prices = await new Kvm(js).create("prices", { history: 5 });
  for (const [dish, price] of Object.entries({ pizza: "9.50", soup: "5.00", pasta: "8.20" })) {
    await prices.put(dish, price);
  }
  const watch = await prices.watch();
  void (async () => {
    for await (const entry of watch) shown.price(entry);
  })();

  return {
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    order: (dish) => js.publish(`orders.${dish}`, dish),
    setPrice: (dish, price) => prices.put(dish, price),
    /** what the stream and its consumer have, as the server counts them */
    async figures() {
      const { state } = await jsm.streams.info("ORDERS");
      const { num_pending, num_ack_pending, num_redelivered } = await jsm.consumers.info("ORDERS", "cooks");
      return { ...state, num_pending, num_ack_pending, num_redelivered };
    },
    /** a cook with a connection of their own, who asks `attentive()` whether to finish what they take */
    async hire(name, attentive) {
      const own = await link(name);
      const consumer = await jetstream(own).consumers.get("ORDERS", "cooks");
      const orders = await consumer.consume({ max_messages: 1 });
      void (async () => {
        for await (const msg of orders) {
          const done = attentive();
          shown.cooked(name, msg, done);
          if (done) msg.ack();
        }
      })();
    },
  };
}
