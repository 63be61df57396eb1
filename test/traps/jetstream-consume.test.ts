// Traps 60 to 63, 73, 76, 78 and 82: consuming while links break, servers restart and consumers go.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type Consumer,
  type ConsumerInfo,
  type ConsumerMessages,
  type ConsumerNotification,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from "../../src/jetstream/index.ts";
import { headers, type NatsConnection } from "../../src/index.node.ts";
import { within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type Proxy, startProxy } from "../fixtures/proxy.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";
import { storeAll } from "../suites/jetstream-consuming.ts";
import { connectTo, failing, noUnhandled, until, Watch } from "./support.ts";

interface Place {
  readonly server: RealServer;
  readonly proxy: Proxy;
  /** through the proxy */
  readonly nc: NatsConnection;
  /** past it */
  readonly jsm: JetStreamManager;
  readonly consumer: Consumer;
  fill(count: number): Promise<void>;
}

/** A stream `S` in a file, a durable consumer `c` of it, and a client that reaches them through a proxy. */
async function place(t: TestContext): Promise<Place> {
  trackLeaks(t);
  noUnhandled(t);
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, { host: server.host, port: server.port });
  const other = await connectTo(t, server.url);
  const jsm = await jetstreamManager(other);
  await jsm.streams.add({ name: "S", subjects: ["s.>"] });
  await jsm.consumers.add("S", { durable_name: "c", ack_wait: 2e9 });
  const nc = await connectTo(t, proxy.url);
  const consumer = await (await jetstreamManager(nc)).jetstream().consumers.get("S", "c");
  return {
    server,
    proxy,
    nc,
    jsm,
    consumer,
    async fill(count) {
      await storeAll(other, Array(count).fill(["s.x", "x"]));
    },
  };
}

/** What it tells from now on, and the sequences that come. */
function follow(messages: ConsumerMessages): {
  readonly found: number[];
  readonly log: ConsumerNotification[];
  readonly ended: Promise<unknown>;
  atLeast(count: number): Promise<void>;
} {
  const found: number[] = [];
  const log: ConsumerNotification[] = [];
  void (async () => {
    for await (const one of messages.status()) log.push(one);
  })();
  const ended = (async () => {
    for await (const msg of messages) {
      found.push(msg.seq);
      msg.ack();
    }
  })().catch((error: unknown) => error);
  return {
    found,
    log,
    ended,
    atLeast: (count) => until(() => found.length >= count, `${count} messages`),
  };
}

test("trap 60: 100 000 loops of next and fetch leave nothing: heap, timers, subscriptions and listeners are flat", async (t) => {
  const { server, jsm } = await place(t);
  // past the proxy, which remembers all that passes
  const nc = await connectTo(t, server.url);
  await jsm.streams.add({ name: "M", subjects: ["m.>"], storage: "memory" });
  await jsm.consumers.add("M", { durable_name: "m" });
  const consumer = await (await jetstreamManager(nc)).jetstream().consumers.get("M", "m");
  let status = 0;
  const own = nc.status.bind(nc);
  // each listener counts while it is there
  nc.status = () => {
    const events = own()[Symbol.asyncIterator]();
    status++;
    return {
      [Symbol.asyncIterator]: () => ({
        next: () => events.next(),
        return: async () => {
          status--;
          return (await events.return?.()) ?? { done: true, value: undefined };
        },
      }),
    };
  };
  const loops = async (count: number): Promise<void> => {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        if (left % 10 > 0) assert.equal(await consumer.next({ no_wait: true }), null);
        else for await (const msg of await consumer.fetch({ no_wait: true })) assert.fail(msg.subject);
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  };
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  await loops(10_000);
  const before = [heap(), timers()] as const;
  await loops(100_000);
  const grown = heap() - before[0];
  // ten bytes a loop would be a leak
  assert.ok(grown < 1_000_000, `the heap grew by ${grown} bytes`);
  assert.ok(timers() <= before[1], `${timers()} timers, and ${before[1]} before`);
  assert.equal(status, 0, "listeners of the status");
  await nc.flush();
  const { connections } = await server.connz();
  const inboxes = connections.flatMap(({ subscriptions_list = [] }) =>
    subscriptions_list.filter((subject) => /^_INBOX\.\w+\.\*$/.test(subject)),
  );
  // those of the requests of the three clients
  assert.equal(inboxes.length, 3, inboxes.join(", "));
});

test("trap 61: a fetch whose link breaks goes on with the next one, and does not wait for what the lost pull promised", async (t) => {
  const { proxy, nc, consumer, fill } = await place(t);
  const watch = new Watch(nc);
  await fill(3);
  const messages = await consumer.fetch({ max_messages: 5 });
  const { found, ended, atLeast } = follow(messages);
  await atLeast(3);
  await nc.flush();
  proxy.cut();
  await watch.until("reconnect");
  await fill(2);
  assert.equal(await within(ended, "it waits"), undefined);
  assert.deepEqual(found, [1, 2, 3, 4, 5]);
});

test("trap 61: a fetch without a connection ends when its time is over, and says why", async (t) => {
  const { proxy, nc, consumer } = await place(t);
  const watch = new Watch(nc);
  proxy.refuse();
  proxy.cut();
  await watch.until("disconnect");
  const error = await within(
    consumer.next({ expires: 1000 }).then(
      () => assert.fail("it gave something"),
      (reason: unknown) => reason,
    ),
    "it waits",
  );
  failing("TIMEOUT", "no connection")(error);
  await proxy.accept();
  await watch.until("reconnect");
});

test("trap 63: a consumer that is deleted while there is no connection ends the loop with a typed error", async (t) => {
  const { proxy, nc, jsm, consumer, fill } = await place(t);
  const watch = new Watch(nc);
  await fill(2);
  const { found, ended, atLeast } = follow(await consumer.consume({ expires: 2000 }));
  await atLeast(2);
  proxy.refuse();
  proxy.cut();
  await watch.until("disconnect");
  await jsm.consumers.delete("S", "c");
  await proxy.accept();
  const error = await within(ended as Promise<object>, "the loop goes on");
  failing("CONSUMER_NOT_FOUND")(error);
  assert.deepEqual(found, [1, 2]);
});

test("trap 63: a stream that is deleted while there is no connection ends an ordered consumer with a typed error", async (t) => {
  const { proxy, nc, jsm, fill } = await place(t);
  const watch = new Watch(nc);
  await fill(2);
  const js = (await jetstreamManager(nc)).jetstream();
  const pulled = follow(await (await js.consumers.get("S")).consume());
  const pushed = follow(await (await js.consumers.getPushConsumer("S")).consume());
  await Promise.all([pulled.atLeast(2), pushed.atLeast(2)]);
  proxy.refuse();
  proxy.cut();
  await watch.until("disconnect");
  await jsm.streams.delete("S");
  await proxy.accept();
  for (const { ended } of [pulled, pushed]) {
    failing("STREAM_NOT_FOUND")(await within(ended as Promise<object>, "the loop goes on"));
  }
});

test("traps 73 and 78: ordered consumers that nobody polls recover from a restart, and leave no inbox behind", async (t) => {
  const { server, nc, fill } = await place(t);
  const watch = new Watch(nc);
  await fill(5);
  const js = (await jetstreamManager(nc)).jetstream();
  const all = [
    await (await js.consumers.get("S")).consume(),
    await (await js.consumers.getPushConsumer("S")).consume(),
  ];
  for (let round = 1; round <= 2; round++) {
    await server.restart();
    await watch.until("reconnect", round);
    await until(() => all.every(({ health }) => health.state === "flowing"), "both flow again");
  }
  await fill(5);
  for (const { found, atLeast } of all.map(follow)) {
    await atLeast(10);
    assert.deepEqual(found, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  }
  await nc.flush();
  const { connections } = await server.connz();
  const mine = connections
    .flatMap(({ subscriptions_list = [] }) => subscriptions_list)
    .filter((s) => /INBOX/.test(s));
  // the requests of both clients, and one of each consumer
  assert.equal(mine.length, 4, mine.join(", "));
});

for (const way of ["pull", "push"] as const) {
  test(`trap 76: ordered ${way}: a name that is taken is passed over, and what the consumer before reports is nobody's business`, async (t) => {
    const { server, nc, jsm, fill } = await place(t);
    const { consumers } = jetstream(nc);
    const named = { name_prefix: "mine" };
    const messages =
      way === "pull"
        ? await (await consumers.get("S", named)).consume()
        : await (await consumers.getPushConsumer("S", { ...named, idle_heartbeat: 1000 })).consume();
    const { found, log, atLeast } = follow(messages);
    const present = async (): Promise<ConsumerInfo> => {
      for await (const info of jsm.consumers.list("S")) {
        if (info.name.startsWith("mine_") && !info.config.durable_name) return info;
      }
      throw new Error("there is none");
    };
    const inboxes = async (): Promise<string[]> =>
      (await server.connz()).connections
        .flatMap(({ subscriptions_list = [] }) => subscriptions_list)
        .filter((subject) => subject.startsWith("_INBOX."));
    await fill(2);
    await atLeast(2);
    const [first, before] = [await present(), await inboxes()];
    // somebody else has the name of the next one, as a server may that was restarted
    const taken = first.name.replace(/\d+$/, (serial) => String(Number(serial) + 1));
    await jsm.consumers.add("S", { durable_name: taken, filter_subject: "s.none" });
    await jsm.consumers.delete("S", first.name);
    await fill(2);
    await atLeast(4);
    await nc.flush();
    const [second, after] = [await present(), await inboxes()];
    assert.notEqual(second.name, taken);
    const [left, current] = [
      before.filter((subject) => !after.includes(subject)),
      after.filter((subject) => !before.includes(subject)),
    ];
    assert.deepEqual([left.length, current.length], [1, 1], `${before.join()} ${after.join()}`);
    // a heartbeat that tells of more deliveries than there were
    const other = await connectTo(t, server.url);
    const beat = async (inbox = ""): Promise<void> => {
      const block = headers(100, "Idle Heartbeat");
      block.set("Nats-Last-Consumer", "99");
      block.set("Nats-Last-Stream", "99");
      other.publish(inbox.replace("*", "9"), "", { headers: block });
      await other.flush();
      await nc.flush();
    };
    const { resets } = messages.health;
    await beat(left[0]);
    assert.equal(messages.health.resets, resets);
    // from the present one it would count
    await beat(current[0]);
    assert.equal(messages.health.resets, resets + 1);
    await fill(1);
    await atLeast(5);
    assert.deepEqual(found, [1, 2, 3, 4, 5]);
    assert.ok(log.some(({ type }) => type === "ordered_consumer_recreated"));
  });
}

test("trap 82: no heartbeat is missed while there is no connection", async (t) => {
  const { proxy, nc, consumer, fill } = await place(t);
  const watch = new Watch(nc);
  const messages = await consumer.consume({ expires: 3000, idle_heartbeat: 500 });
  const { log, found, atLeast } = follow(messages);
  proxy.refuse();
  proxy.cut();
  await watch.until("disconnect");
  assert.equal(messages.health.state, "offline");
  await fill(1);
  // many times the heartbeat, by attempts to dial
  await watch.until("reconnecting", 80);
  await proxy.accept();
  await atLeast(1);
  assert.deepEqual(found, [1]);
  assert.deepEqual(
    log.filter(({ type }) => type === "heartbeats_missed"),
    [],
  );
});

for (const way of ["pull", "fetch", "ordered pull", "ordered push"] as const) {
  test(`trap 82: ${way}: a peer that says nothing is noticed by its silence, long before a ping, and what it swallowed comes by the next link`, async (t) => {
    const { proxy, nc, consumer, fill } = await place(t);
    const { consumers } = (await jetstreamManager(nc)).jetstream();
    const quick = { expires: 1000, idle_heartbeat: 200 };
    const messages =
      way === "pull"
        ? await consumer.consume(quick)
        : way === "fetch"
          ? await consumer.fetch({ max_messages: 10, expires: 20_000, idle_heartbeat: 200 })
          : way === "ordered pull"
            ? await (await consumers.get("S")).consume(quick)
            : await (await consumers.getPushConsumer("S", { idle_heartbeat: 200 })).consume();
    const { found, log, ended, atLeast } = follow(messages);
    await fill(3);
    await atLeast(3);
    const watch = new Watch(nc);
    proxy.pause();
    await fill(4);
    await until(() => log.some(({ type }) => type === "heartbeats_missed"), "the silence is noticed");
    await watch.until("staleConnection");
    assert.deepEqual(watch.of("ping"), []);
    proxy.resume();
    await fill(3);
    await until(() => new Set(found).size >= 10, "all messages");
    if (way === "fetch") return assert.equal(await within(ended, "it goes on"), undefined);
    // exactly once where it is ordered; a plain one may have some twice, whose acknowledgement did not arrive
    const numbers = Array.from({ length: 10 }, (_, i) => i + 1);
    assert.deepEqual(way === "pull" ? [...new Set(found)].sort((a, b) => a - b) : found, numbers);
    // what is pushed may overtake the answer to who asked for it
    await until(() => messages.health.state === "flowing", "it is well again");
  });
}

test("trap 82: a fetch without heartbeats whose server says nothing, not even that it is over, ends with an error", async (t) => {
  const { proxy, nc } = await place(t);
  const js = jetstream(nc, { timeout: 1000 });
  const consumer = await js.consumers.get("S", "c");
  const watch = new Watch(nc);
  proxy.pause();
  const failed = assert.rejects(consumer.next({ expires: 1000 }), failing("TIMEOUT"));
  await within(failed, "it waits");
  // and the next one finds another link
  await watch.until("staleConnection");
  proxy.resume();
  await watch.until("reconnect");
  assert.equal(await consumer.next({ no_wait: true }), null);
});

test("trap 82: a link that carries nothing to the server is noticed while a consumer is made anew", async (t) => {
  const { proxy, nc, jsm, fill } = await place(t);
  const js = jetstream(nc, { timeout: 1500 });
  const ordered = await js.consumers.get("S", { name_prefix: "mine" });
  const messages = await ordered.consume({ expires: 2000, idle_heartbeat: 500 });
  const { found, atLeast } = follow(messages);
  await fill(2);
  await atLeast(2);
  const watch = new Watch(nc);
  const [name = ""] = (await jsm.consumers.names("S").next()).filter((one) => one.startsWith("mine_"));
  proxy.pause("sent");
  // what the server says still comes
  await jsm.consumers.delete("S", name);
  await until(() => messages.health.state === "recovering", "it is made anew");
  await watch.until("staleConnection");
  proxy.resume();
  await fill(2);
  await atLeast(4);
  assert.deepEqual(found, [1, 2, 3, 4]);
});

test("trap 82: a process that stands still blames neither its server nor its link", async (t) => {
  const { nc, consumer, fill } = await place(t);
  const messages = await consumer.consume({ expires: 3000, idle_heartbeat: 500 });
  const { found, log, atLeast } = follow(messages);
  const watch = new Watch(nc);
  for (let round = 1; round <= 3; round++) {
    for (const end = performance.now() + 1200; performance.now() < end; );
    await fill(1);
    await atLeast(round);
  }
  await nc.flush();
  assert.deepEqual(found, [1, 2, 3]);
  assert.deepEqual(watch.all, []);
  assert.deepEqual(
    log.filter(({ type }) => type === "heartbeats_missed"),
    [],
  );
});
