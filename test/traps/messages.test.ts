// Traps 41 to 49: what clients have got wrong about messages, headers and encodings. At the level of the connection.
import assert from "node:assert/strict";
import { connect as dial } from "node:net";
import { describe, test } from "node:test";
import {
  connect,
  createInbox,
  headers,
  InvalidSubjectError,
  isNatsError,
  Match,
  type NatsConnection,
  NatsError,
  type Subscription,
} from "../../src/index.node.ts";
import { converse, msg, settled, welcome } from "../client/conversation.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";

async function client(t: Scope, servers: string): Promise<NatsConnection> {
  const nc = await connect({ servers });
  atEnd(t, () => nc.close());
  return nc;
}

/** The next message of a subscription. */
async function one(sub: Subscription) {
  for await (const m of sub) return m;
  throw new Error("the subscription ended");
}

/** Have a client that is not ours say this to the server. */
async function say(server: RealServer, text: string): Promise<void> {
  const socket = dial(server.port, server.host);
  const done = new Promise<void>((resolve, reject) => {
    let heard = "";
    socket.on("error", reject).on("data", (bytes) => {
      heard += bytes.toString();
      if (heard.includes("-ERR")) reject(new Error(heard));
      if (heard.includes("PONG")) resolve();
    });
  });
  socket.write(
    `CONNECT ${JSON.stringify({ verbose: false, lang: "test", version: "0", headers: true })}\r\n${text}PING\r\n`,
  );
  await done.finally(() => socket.destroy());
}

test("trap 41: a size beyond all reason ends the link with PROTOCOL before anything is allocated, and the next link works", async (t) => {
  trackLeaks(t);
  const { nc, peer, nextPeer, events } = await converse(t);
  const sub = nc.subscribe("a", { max: 1 });
  const before = process.memoryUsage().arrayBuffers;
  peer.send(`MSG a ${sub.getID()} 99999999999999999999\r\n`);
  assert.equal((await events.until("disconnect")).error?.code, "PROTOCOL");
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20);
  const next = await welcome(await nextPeer());
  await events.until("reconnect");
  next.send(msg("a", sub.getID(), "fine"));
  assert.equal((await one(sub)).string(), "fine");
});

test("trap 42: white space and control characters in a subject, reply or queue are refused by every call, and nothing reaches the server", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  const nc = await client(t, proxy.url);
  await nc.flush();
  const sent = proxy.sent.length;
  const bad = ["a b", "a\r\nPUB b 1\r\nx", "a\nb", "a\tb", "a\0b", " a", "a ", "\r\n", "a\u0085b"];
  for (const subject of bad) {
    const refused = (error: unknown) =>
      error instanceof InvalidSubjectError && error.code === "INVALID_SUBJECT";
    const shown = JSON.stringify(subject);
    assert.throws(() => nc.publish(subject, "x"), refused, `publish ${shown}`);
    assert.throws(() => nc.publish("ok", "x", { reply: subject }), refused, `reply ${shown}`);
    assert.throws(() => nc.subscribe(subject), refused, `subscribe ${shown}`);
    assert.throws(() => nc.subscribe("ok", { queue: subject }), refused, `queue ${shown}`);
    assert.throws(() => nc.writableStream(subject), refused, `writableStream ${shown}`);
    assert.throws(() => createInbox(subject), refused, `createInbox ${shown}`);
    assert.throws(() => nc.publishMessage({ subject, data: new Uint8Array(1) } as never), refused);
    assert.throws(() => nc.respondMessage({ subject: "ok", reply: subject } as never), refused);
    for (const noMux of [false, true]) {
      await assert.rejects(nc.request(subject, "x", { noMux }), refused, `request ${shown}`);
      await assert.rejects(nc.requestMany(subject, "x", { noMux }), refused, `requestMany ${shown}`);
    }
    await assert.rejects(
      nc.request("ok", "", { noMux: true, reply: subject }),
      refused,
      `reply of request ${shown}`,
    );
    await assert.rejects(
      connect({ servers: server.url, inboxPrefix: subject }),
      refused,
      `inboxPrefix ${shown}`,
    );
  }
  const h = headers();
  for (const value of ["a\r\nb", "a\nb", "a\rb"]) {
    assert.throws(
      () => h.set("Name", value),
      (error) => isNatsError(error) && error.code === "INVALID_HEADER",
    );
  }
  await nc.flush();
  const lines = proxy.sent.subarray(sent).toString().split("\r\n");
  const allowed = /^(PING|SUB _INBOX\S+ \d+|UNSUB \d+|)$/;
  assert.deepEqual(
    lines.filter((line) => !allowed.test(line)),
    [],
  );
  assert.equal((await server.varz()).in_msgs, 0);
});

test("trap 43: empty tokens are refused, at publish as well", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const nc = await client(t, server.url);
  for (const subject of ["", ".", "..", "a..b", ".a", "a.", "a...b", "*..>", "a.>."]) {
    const refused = (error: unknown) => isNatsError(error) && error.code === "INVALID_SUBJECT";
    assert.throws(() => nc.publish(subject), refused, `publish '${subject}'`);
    assert.throws(() => nc.publish("ok", "", { reply: subject }), refused, `reply '${subject}'`);
    assert.throws(() => nc.subscribe(subject), refused, `subscribe '${subject}'`);
    await assert.rejects(nc.request(subject), refused, `request '${subject}'`);
    if (subject !== "") assert.throws(() => createInbox(subject), refused, `createInbox '${subject}'`);
  }
  await nc.flush();
  assert.equal((await server.varz()).in_msgs, 0);
});

test("trap 44: headers of other clients, without a blank after the colon or with lines that are none, are read as far as they go", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const nc = await client(t, server.url);
  const sub = nc.subscribe("a");
  await nc.flush();
  const block =
    "NATS/1.0\r\nA:no blank\r\nB:   \tmany  \r\nnot a header\r\nC: \r\n: no name\r\nD:with:colons\r\n\r\n";
  await say(server, `HPUB a ${block.length} ${block.length + 1}\r\n${block}x\r\n`);
  const { headers: h } = await one(sub);
  assert.deepEqual(h?.keys(), ["A", "B", "C", "D"]);
  assert.deepEqual(
    h?.keys().map((name) => h.get(name)),
    ["no blank", "many", "", "with:colons"],
  );
  assert.equal(h?.code, 0);
});

test("trap 44: a status that is no number is no status, and nothing fails", async (t) => {
  const { nc, peer } = await converse(t);
  const sub = nc.subscribe("a", { max: 2 });
  for (const status of ["abc", "50x No"]) {
    peer.send(msg("a", sub.getID(), "x", { headers: `NATS/1.0 ${status}\r\nA: b\r\n\r\n` }));
  }
  for await (const { headers: h } of sub) {
    assert.equal(h?.code, 0);
    assert.equal(h?.hasError, false);
    assert.equal(h?.get("A"), "b");
  }
});

test("trap 45: names keep their case through the server; of several values get is the first, last the last", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const nc = await client(t, server.url);
  const config = {
    name: "S",
    subjects: ["in.>"],
    storage: "memory",
    republish: { src: "in.>", dest: "out.>" },
  };
  await nc.request("$JS.API.STREAM.CREATE.S", JSON.stringify(config), PATIENT);
  const sub = nc.subscribe("out.>", { max: 1 });
  const h = headers();
  h.append("x-lower", "1");
  h.append("X-Lower", "2");
  h.append("x-lower", "3");
  // whoever republishes a republished message has two of these
  h.set("Nats-Subject", "ours");
  await nc.request("in.a", "x", { ...PATIENT, headers: h });
  const { headers: came } = await one(sub);
  assert.ok(came !== undefined);
  assert.deepEqual(came.values("x-lower"), ["1", "3"]);
  assert.deepEqual([came.get("x-lower"), came.last("x-lower")], ["1", "3"]);
  assert.equal(came.get("X-Lower"), "2");
  assert.equal(came.get("X-LOWER"), "");
  assert.deepEqual(came.values("X-LOWER", Match.IgnoreCase), ["1", "2", "3"]);
  assert.deepEqual([came.get("Nats-Subject"), came.last("Nats-Subject")], ["ours", "in.a"]);
});

test("trap 46: a status of the server may come with headers", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { version: "2.15" });
  const nc = await client(t, server.url);
  const sub = nc.subscribe("my.reply", { max: 1 });
  nc.publish("nobody.here", "", { reply: "my.reply" });
  const { headers: h, data } = await one(sub);
  assert.equal(h?.code, 503);
  assert.equal(h?.hasError, true);
  assert.equal(h?.get("Nats-Subject"), "nobody.here");
  assert.equal(data.length, 0);
});

test("trap 47: all of UTF-8 in payloads, header values and subjects comes through, astral code points included", async (t) => {
  trackLeaks(t);
  const server = await startServer(t);
  const proxy = await startProxy(t, server);
  proxy.splitBytes(1);
  const nc = await client(t, proxy.url);
  const text = "aä€𝄞🦉 \u0000\u2028 שלום \ufeffBOM";
  const sub = nc.subscribe("über.𝄞.*", { max: 1 });
  const h = headers();
  h.set("Value", "ä€𝄞🦉 שלום");
  nc.publish("über.𝄞.🦉", text, { headers: h });
  const m = await one(sub);
  assert.equal(m.subject, "über.𝄞.🦉");
  assert.equal(m.string(), text);
  assert.equal(m.headers?.get("Value"), "ä€𝄞🦉 שלום");
});

test("trap 47: half of a surrogate pair can't be sent in names, and becomes U+FFFD in a payload", async (t) => {
  const { nc, peer } = await converse(t);
  const refused = (error: unknown) => isNatsError(error) && error.code === "INVALID_SUBJECT";
  assert.throws(() => nc.publish("a\ud834"), refused);
  assert.throws(() => nc.subscribe("\udd1ea"), refused);
  assert.throws(
    () => headers().set("A", "\ud834"),
    (error) => isNatsError(error) && error.code === "INVALID_HEADER",
  );
  nc.publish("a", "x\ud834y");
  await peer.expect(/^PUB a 5$/);
  assert.equal(await peer.readLine(), "x\ufffdy");
});

describe("trap 48: arguments of a wrong type", () => {
  const cases: [string, (nc: NatsConnection) => unknown, RegExp][] = [
    ["a plain object for headers", (nc) => nc.publish("a", "", { headers: { A: "b" } as never }), /headers/],
    ["a number for headers", (nc) => nc.publish("a", "", { headers: 5 as never }), /headers/],
    ["an object for the payload", (nc) => nc.publish("a", { a: 1 } as never), /not Object/],
    ["a number for the payload", (nc) => nc.publish("a", 5 as never), /not Number/],
    ["null for the payload", (nc) => nc.publish("a", null as never), /not null/],
    [
      "an ArrayBuffer for the payload",
      (nc) => nc.publish("a", new ArrayBuffer(4) as never),
      /not ArrayBuffer/,
    ],
    [
      "a wider typed array for the payload",
      (nc) => nc.publish("a", new Uint16Array(4) as never),
      /not Uint16Array/,
    ],
    ["a number for the subject", (nc) => nc.publish(5 as never), /must be a string, got number/],
    ["nothing for the subject", (nc) => nc.publish(undefined as never), /must be a string, got undefined/],
    [
      "a number for the reply",
      (nc) => nc.publish("a", "", { reply: 5 as never }),
      /must be a string, got number/,
    ],
    ["an object for the subject of a subscription", (nc) => nc.subscribe({} as never), /must be a string/],
    [
      "a number for the queue",
      (nc) => nc.subscribe("a", { queue: 5 as never }),
      /queue group must be a string/,
    ],
    [
      "an object for the callback",
      (nc) => nc.subscribe("a", { callback: {} as never }),
      /callback is of type object/,
    ],
    ["a string for max", (nc) => nc.subscribe("a", { max: "many" as never }), /max is many/],
    ["a number for the servers", (nc) => nc.setServers([5 as never, ""]), /server address/],
  ];
  for (const [name, call, message] of cases) {
    test(`${name} is a NatsError that says so, and the connection goes on`, async (t) => {
      const { nc, peer } = await converse(t);
      assert.throws(
        () => call(nc),
        (error) => error instanceof NatsError && message.test(error.message),
      );
      nc.publish("b", "next");
      await peer.expect(/^PUB b 4$/);
    });
  }

  test("a request rejects with the same", async (t) => {
    const { nc } = await converse(t);
    for (const wrong of [{ headers: { A: "b" } }, { headers: 5 }, { timeout: "long" }]) {
      await assert.rejects(nc.request("a", "", wrong as never), NatsError, JSON.stringify(wrong));
    }
    await assert.rejects(nc.request(5 as never), NatsError);
    await assert.rejects(nc.request("a", {} as never), NatsError);
  });
});

test("trap 49: msg.data is a plain Uint8Array, however the bytes came in and over whatever transport", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { websocket: true });
  const proxy = await startProxy(t, server);
  const sizes = [0, 1, 40, 5000, 200_000];
  for (const url of [proxy.url, server.wsUrl]) {
    for (const split of url === proxy.url ? [0, 1000, 7] : [0]) {
      proxy.splitBytes(split);
      const nc = await client(t, url);
      const wanted = split === 7 ? sizes.slice(0, 4) : sizes;
      const sub = nc.subscribe("a", { max: wanted.length });
      for (const size of wanted) nc.publish("a", new Uint8Array(size).fill(size));
      let index = 0;
      for await (const { data } of sub) {
        const size = wanted[index++] as number;
        assert.equal(Object.getPrototypeOf(data), Uint8Array.prototype);
        assert.equal(data.length, size);
        assert.ok(data.every((byte) => byte === size % 256));
        // a copy is one: what a Buffer's slice() is not
        const copy = data.slice();
        copy.fill(1);
        assert.ok(data.every((byte) => byte === size % 256));
      }
      await nc.close();
    }
  }
  await settled();
});
