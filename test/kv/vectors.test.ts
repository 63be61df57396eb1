// The vectors of test/vectors/key-value.json: what isonats sends is what other clients send, and what they write is read.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { connect, type Msg } from "../../src/index.node.ts";
import { configOf } from "../../src/kv/config.ts";
import { Entry } from "../../src/kv/entry.ts";
import { Kvm, type KV, type KvOptions } from "../../src/kv/index.ts";
import { MsgHdrsImpl } from "../../src/protocol/headers.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { startServer } from "../fixtures/real-server.ts";

type Call = [name: keyof KV, ...args: unknown[]];

interface Vectors {
  configs: { title: string; bucket: string; options: KvOptions; config: object }[];
  written: { call: Call; subject: string; head: string; body: string }[];
  asked: { call: Call; subject: string; body: string }[];
  watched: object;
  read: { title: string; head: string; body: string; operation: string; reason?: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../vectors/key-value.json", import.meta.url), "utf8"),
) as Vectors;

/** The last message of a record of what was sent: `PUB` or `HPUB`. */
function lastOf(record: string): { subject: string; head: string; body: string } {
  const messages = [...record.matchAll(/(?:^|\r\n)(H?PUB) (\S+) (?:\S+ )?(?:(\d+) )?(\d+)\r\n/g)];
  const found = messages.at(-1);
  assert.ok(found !== undefined, record);
  const [line, , subject = "", headSize, size] = found;
  const [start, head] = [found.index + line.length, Number(headSize ?? 0)];
  return {
    subject,
    head: record.slice(start, start + head),
    body: record.slice(start + head, start + Number(size)),
  };
}

for (const { title, bucket, options, config } of vectors.configs) {
  test(`the stream of a bucket: ${title} (C-ADR8-1, C-ADR48-1, C-ADR57-1, C-ADR57-2, C-ADR57-3)`, async (t) => {
    trackLeaks(t);
    // as a server of any age would have to make of it: nobody answers, and what was asked for is read
    const server = await startServer(t);
    const [nc, other] = [await connect({ servers: server.url }), await connect({ servers: server.url })];
    atEnd(t, () => Promise.all([nc.close(), other.close()]));
    const asked: Msg[] = [];
    other.subscribe("$JS.API.>", {
      callback: (_, msg) => {
        if (msg.subject === "$JS.API.INFO") return void msg.respond(JSON.stringify({ api: { level: 5 } }));
        asked.push(msg);
        msg.respond(JSON.stringify({ config: msg.json() }));
      },
    });
    await other.flush();
    await new Kvm(nc).create(bucket, options);
    assert.deepEqual(
      asked.map(({ subject }) => subject),
      [`$JS.API.STREAM.CREATE.${(config as { name: string }).name}`],
    );
    assert.deepEqual(asked[0]?.json(), config);
    assert.equal(configOf(bucket, options).name, (config as { name: string }).name);
  });
}

test("what is written and asked for, byte for byte (C-ADR8-10, C-ADR8-12, C-ADR8-13, C-ADR8-14, C-ADR8-16, C-ADR8-17, C-ADR8-22)", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, server);
  const nc = await connect({ servers: proxy.url });
  atEnd(t, () => nc.close());
  const kv = await new Kvm(nc).create("wire", { storage: "memory", history: 5, markerTTL: 3_600_000 });
  const sentBy = async ([name, ...args]: Call): Promise<ReturnType<typeof lastOf>> => {
    const before = proxy.sent.length;
    await (kv[name] as (...of: unknown[]) => Promise<unknown>)(...args);
    return lastOf(proxy.sent.toString("latin1", before));
  };
  for (const { call, ...expected } of vectors.written) {
    assert.deepEqual(await sentBy(call), expected, JSON.stringify(call));
  }
  const before = proxy.sent.length;
  const watch = await kv.watch();
  const { subject, body } = lastOf(proxy.sent.toString("latin1", before));
  assert.match(subject, /^\$JS\.API\.CONSUMER\.CREATE\.KV_wire\.\w+\.\$KV\.wire\.>$/);
  const { config } = JSON.parse(body) as { config: Record<string, unknown> };
  const { name, deliver_subject, ...rest } = config;
  assert.deepEqual([typeof name, String(deliver_subject).split(".")[0]], ["string", "_INBOX"]);
  assert.deepEqual(rest, vectors.watched);
  watch.stop();
  await nc.flush();
  for (const { call, ...expected } of vectors.asked) {
    assert.deepEqual(await sentBy(call), { head: "", ...expected }, JSON.stringify(call));
  }
});

for (const { title, head, body, operation, reason } of vectors.read) {
  test(`${title} is read as ${operation} (C-ADR8-15, C-ADR8-21, C-ADR8-36, C-ADR57-6)`, () => {
    const headers =
      head === "" ? undefined : MsgHdrsImpl.decode(new TextEncoder().encode(`NATS/1.0\r\n${head}\r\n`));
    const owner = { bucket: "b", prefix: "$KV.b.", keyCodec: undefined, valueCodec: undefined };
    const msg = { subject: "$KV.b.k.l", data: new TextEncoder().encode(body), headers } as Msg;
    const entry = new Entry(owner, msg, 7);
    assert.deepEqual(
      [entry.key, entry.operation, entry.reason, entry.string(), entry.revision],
      ["k.l", operation, reason, body, 7],
    );
  });
}
