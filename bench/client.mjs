// Client: one case with a client library, in a process of its own. The same code for isonats and for the official client:
// it is written as a user would write it, with what the documentation of both offers. Forked by run.mjs.
import { cases, headerFields, service, subject } from "./cases.mjs";
import { feed, heap, measured, median, turn } from "./measure.mjs";

const [, , module, port, name] = process.argv;
const { connect, headers } = await import(module);
const servers = `127.0.0.1:${port}`;
const test = cases.find((one) => one.name === name);

const runs = {
  publish,
  receive,
  request,
  stored,
  subscriptions,
  connect: connectAndClose,
  reconnect,
  queue,
  consume,
  bucket,
  object,
  large,
};
process.send({ result: await runs[test.kind](test) });
process.disconnect();

/** Slices of a plain loop, a turn of the event loop after each; the end is a flush. */
async function publish({ size, count, slice, headers: withHeaders }) {
  const nc = await connect({ servers });
  const payload = new Uint8Array(size).fill(120);
  let options;
  if (withHeaders) {
    options = { headers: headers() };
    for (const [key, value] of headerFields) options.headers.set(key, value);
  }
  const run = async (messages) => {
    for (let left = messages; left > 0; left -= slice) {
      for (let i = Math.min(slice, left); i > 0; i--) nc.publish(subject, payload, options);
      await turn();
    }
    await nc.flush();
  };
  await run(count / 4);
  const result = await measured(count, () => run(count));
  await nc.close();
  return result;
}

async function receive(options) {
  const nc = await connect({ servers });
  const { how, count } = options;
  let left = 0;
  let done;
  const take =
    how === "header"
      ? (msg) => {
          if (msg.headers.get("Nats-Msg-Id").length !== 13 || msg.data.length !== 128)
            throw new Error("wrong");
          if (--left === 0) done();
        }
      : (msg) => {
          if (msg.data.length !== 128) throw new Error("wrong");
          if (--left === 0) done();
        };
  const sub = nc.subscribe(
    subject,
    how === "iterator" ? {} : { callback: (error, msg) => (error ? undefined : take(msg)) },
  );
  if (how === "iterator") {
    void (async () => {
      for await (const msg of sub) take(msg);
    })();
  }
  await nc.flush();
  const run = (messages) =>
    new Promise((resolve) => {
      done = resolve;
      left = messages;
      feed(messages, options);
    });
  await run(count / 4);
  const result = await measured(count, () => run(count));
  await nc.close();
  return result;
}

async function request({ parallel, count }) {
  const nc = await connect({ servers });
  const payload = new Uint8Array(16).fill(120);
  const times = [];
  const run = async (messages) => {
    let left = messages;
    const worker = async () => {
      while (left-- > 0) {
        const start = performance.now();
        await nc.request(service, payload, { timeout: 10_000 });
        times.push(performance.now() - start);
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
  };
  await run(count / 3);
  times.length = 0;
  const result = await measured(count, () => run(count));
  await nc.close();
  return { ...result, p50: median(times) * 1000 };
}

/** Into a stream in memory. The official client has no publisher. */
async function stored({ size, count, parallel }) {
  const official = module.startsWith("@");
  if (parallel === 0 && official) return undefined;
  const { jetstreamManager } = official
    ? await import("@nats-io/jetstream")
    : await import(new URL("jetstream/index.js", module).href);
  const nc = await connect({ servers });
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: "BENCH", subjects: ["bench.stored"], storage: "memory", max_msgs: 100_000 });
  const js = jsm.jetstream();
  const payload = new Uint8Array(size).fill(120);
  const each = async (messages) => {
    let left = messages;
    const worker = async () => {
      while (left-- > 0) await js.publish("bench.stored", payload);
    };
    await Promise.all(Array.from({ length: parallel }, worker));
  };
  const windowed = async (messages) => {
    const publisher = js.publisher({ maxInFlight: 256 });
    for (let i = 0; i < messages; i++) {
      await publisher.ready();
      void publisher.publish("bench.stored", payload);
    }
    await publisher.drain();
  };
  const run = parallel === 0 ? windowed : each;
  await run(count / 4);
  const result = await measured(count, () => run(count));
  await jsm.streams.delete("BENCH");
  await nc.close();
  return result;
}

async function subscriptions({ count }) {
  const nc = await connect({ servers });
  const callback = () => {};
  await nc.flush();
  const before = await heap();
  const start = performance.now();
  for (let i = 0; i < count; i++) nc.subscribe(`bench.subscription.${i}`, { callback });
  await nc.flush();
  const ms = performance.now() - start;
  const bytes = ((await heap()) - before) / count;
  await nc.close();
  return { ms, bytes };
}

async function connectAndClose({ count }) {
  const run = async (times) => {
    for (let i = 0; i < times; i++) {
      const nc = await connect({ servers });
      await nc.close();
    }
  };
  await run(count / 3);
  return measured(count, () => run(count));
}

/** From losing the connection to the moment in which the server has been told of the last subscription. */
async function reconnect({ count }) {
  const nc = await connect({ servers, reconnectTimeWait: 1, reconnectJitter: 0 });
  for (let i = 0; i < count; i++) nc.subscribe(`bench.subscription.${i}`, { callback: () => {} });
  await nc.flush();
  const status = nc.status()[Symbol.asyncIterator]();
  const times = [];
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    void nc.reconnect();
    for (let type = ""; type !== "reconnect"; ) type = (await status.next()).value.type;
    await nc.flush();
    times.push(performance.now() - start);
  }
  await nc.close();
  return { ms: median(times) };
}

async function queue(options) {
  const nc = await connect({ servers });
  const { count } = options;
  // `limits` is for isonats, whose queues are bounded; the official client's are not
  const sub = nc.subscribe(subject, { limits: { messages: 2 * count, bytes: 2 ** 32 } });
  await nc.flush();
  const before = await heap();
  const filling = await measured(count, async () => {
    feed(count, options);
    while (sub.getPending() < count) await turn();
  });
  const bytes = ((await heap()) - before) / count;
  let left = count;
  const emptying = await measured(count, async () => {
    for await (const msg of sub) if (msg.data.length !== 128 || --left === 0) break;
  });
  await nc.close();
  return { bytes, drain: emptying.rate, cpu: filling.cpu };
}

/** Out of a stream in memory that is full, by a consumer made for it; the defaults of both, but for `max_messages`. */
async function consume({ size, count, how }) {
  const { jetstreamManager } = await import(
    module.startsWith("@") ? "@nats-io/jetstream" : new URL("jetstream/index.js", module).href
  );
  const nc = await connect({ servers });
  const jsm = await jetstreamManager(nc);
  const js = jsm.jetstream();
  await jsm.streams.add({ name: "FULL", subjects: ["bench.full"], storage: "memory" });
  const payload = new Uint8Array(size).fill(120);
  for (let left = count; left > 0; left -= 5000) {
    for (let i = Math.min(5000, left); i > 0; i--) nc.publish("bench.full", payload);
    // with an answer: what is before it is stored
    await jsm.streams.info("FULL");
  }
  const loop = async (messages, acks, left) => {
    for await (const msg of messages) {
      if (msg.data.length !== size) throw new Error("not the payload");
      if (acks) msg.ack();
      if (--left === 0) break;
    }
  };
  const run = async (name, messages) => {
    if (how === "ordered") {
      const ordered = await js.consumers.get("FULL");
      return loop(await ordered.consume({ max_messages: 1000 }), false, messages);
    }
    const ack_policy = how === "none" ? "none" : "explicit";
    await jsm.consumers.add("FULL", { durable_name: name, ack_policy, max_ack_pending: -1 });
    const consumer = await js.consumers.get("FULL", name);
    if (how !== "fetch") {
      return loop(await consumer.consume({ max_messages: 1000 }), how === "acks", messages);
    }
    for (let left = messages; left > 0; left -= 1000) {
      await loop(await consumer.fetch({ max_messages: Math.min(1000, left) }), true, left);
    }
  };
  await run("warm", count / 4);
  const result = await measured(count, async () => {
    await run("hot", count);
    await nc.flush();
  });
  await jsm.streams.delete("FULL");
  await nc.close();
  return result;
}

/** A bucket in memory with 20 000 keys, which are put, got one by one, or watched from the first to the last. */
async function bucket({ size, count, how }) {
  const { Kvm } = module.startsWith("@")
    ? await import("@nats-io/kv")
    : await import(new URL("kv/index.js", module).href);
  const nc = await connect({ servers });
  const kv = await new Kvm(nc).create("BENCH", { storage: "memory" });
  const payload = new Uint8Array(size).fill(120);
  const keys = Array.from({ length: 20_000 }, (_, i) => `bench.key.${i}`);
  const each = async (calls, call) => {
    let left = calls;
    const worker = async () => {
      while (left-- > 0) await call(keys[left % keys.length]);
    };
    await Promise.all(Array.from({ length: 64 }, worker));
  };
  const put = (key) => kv.put(key, payload);
  const get = async (key) => {
    const { value } = await kv.get(key);
    if (value.length !== size) throw new Error("not the value");
  };
  const watch = async (entries) => {
    for (let done = 0; done < entries; done += keys.length) {
      let left = keys.length;
      for await (const { key, value } of await kv.watch()) {
        if (value.length !== size || key.length < 11) throw new Error("not the value");
        if (--left === 0) break;
      }
    }
  };
  const run = { put: (calls) => each(calls, put), get: (calls) => each(calls, get), watch }[how];
  await each(keys.length, put);
  await run(count / 4);
  const result = await measured(count, () => run(count));
  await kv.destroy();
  await nc.close();
  return result;
}

/** Objects in a bucket in memory, put in the place of each other, or got. */
async function object({ size, count, how }) {
  const { Objm } = module.startsWith("@")
    ? await import("@nats-io/obj")
    : await import(new URL("obj/index.node.js", module).href);
  const nc = await connect({ servers });
  const store = await new Objm(nc).create("BENCH", { storage: "memory" });
  const piece = 64 * 1024;
  const data = new Uint8Array(size * 1024 * 1024).fill(120);
  const streamed = () => {
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        if (at === data.length) return controller.close();
        controller.enqueue(data.subarray(at, at + piece));
        at += piece;
      },
    });
  };
  const put = () => store.putBlob({ name: "object" }, data);
  const calls = {
    put,
    "put-stream": () => store.put({ name: "object" }, streamed()),
    async get() {
      let length = 0;
      for await (const part of (await store.get("object")).data) length += part.length;
      if (length !== data.length) throw new Error("not the object");
    },
    async "get-blob"() {
      if ((await store.getBlob("object")).length !== data.length) throw new Error("not the object");
    },
  };
  await put();
  await calls[how]();
  const result = await measured(count, async () => {
    for (let done = 0; done < count; done += size) await calls[how]();
  });
  await store.destroy();
  await nc.close();
  return result;
}

/** An object that is larger than what may be in memory, as a stream both ways; the most that the process had meanwhile. */
async function large({ size }) {
  // at its pace the official client needs minutes
  if (module.startsWith("@")) return undefined;
  const { Objm } = await import(new URL("obj/index.node.js", module).href);
  const nc = await connect({ servers });
  const store = await new Objm(nc).create("BENCH");
  const piece = new Uint8Array(1024 * 1024).fill(120);
  const { arrayBuffers, rss } = process.memoryUsage();
  let buffers = 0;
  let resident = 0;
  const onProgress = () => {
    const now = process.memoryUsage();
    buffers = Math.max(buffers, now.arrayBuffers - arrayBuffers);
    resident = Math.max(resident, now.rss - rss);
  };
  const source = async function* () {
    for (let i = 0; i < size; i++) yield piece;
  };
  const put = await measured(size, () => store.put({ name: "large" }, source(), { onProgress }));
  const get = await measured(size, async () => {
    let length = 0;
    for await (const part of (await store.get("large", { onProgress })).data) length += part.length;
    if (length !== size * piece.length) throw new Error("not the object");
  });
  await store.destroy();
  await nc.close();
  const [mib, all] = [buffers / piece.length, resident / piece.length];
  return { put: put.rate, get: get.rate, buffers: mib, resident: all };
}
