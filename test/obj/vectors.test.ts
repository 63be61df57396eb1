// The vectors of test/vectors/object-store.json: what other clients write is read, and what isonats writes is what they read.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { test } from "node:test";
import { sha256 } from "@noble/hashes/sha2.js";
import { connect, headers } from "../../src/index.node.ts";
import { apiOf } from "../../src/jetstream/api-of.ts";
import { Bucket } from "../../src/obj/bucket.ts";
import { digestText, isDigestOf } from "../../src/obj/digest.ts";
import { type ObjectStore, type ObjectStoreMeta, Objm } from "../../src/obj/index.node.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type Proxy, startProxy } from "../fixtures/proxy.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";

interface Vectors {
  names: { name: string; encoded: string }[];
  digests: { text: string; digest: string }[];
  read: { title: string; name: string; frames: string; text: string | null; info: Record<string, unknown> }[];
  written: {
    title: string;
    meta: ObjectStoreMeta;
    headers?: Record<string, string[]>;
    text: string;
    subject: string;
    message: string;
  }[];
  deleted: string;
  link: string;
  storeLink: string;
  stream: Record<string, unknown>;
}

const vectors = JSON.parse(
  readFileSync(new URL("../vectors/object-store.json", import.meta.url), "utf8"),
) as Vectors;

const encoder = new TextEncoder();

/** A bucket, through a proxy that records what is sent. */
async function setUp(t: Scope): Promise<{ server: RealServer; proxy: Proxy; store: ObjectStore }> {
  const server = await startServer(t, { jetstream: true });
  const proxy = await startProxy(t, server);
  const nc = await connect({ servers: proxy.url });
  atEnd(t, () => nc.close());
  const { description, storage } = vectors.stream as { description: string; storage: "memory" };
  const options = { description, storage, ttl: 3_600_000, replicas: 1, max_bytes: 1_000_000 };
  return { server, proxy, store: await new Objm(nc).create("VECTORS", options) };
}

/** The payload of the last message that was sent to the subject, and its headers. */
function sentTo(proxy: Proxy, subject: string): { head: string; body: string } {
  const sent = proxy.sent.toString("latin1");
  const at = Math.max(sent.lastIndexOf(`PUB ${subject} `), sent.lastIndexOf(`HPUB ${subject} `));
  assert.ok(at >= 0, `nothing was sent to '${subject}'`);
  const line = sent.slice(at, sent.indexOf("\r\n", at));
  const sizes = line
    .split(" ")
    .filter((token) => /^\d+$/.test(token))
    .map(Number);
  const total = sizes.at(-1) ?? 0;
  const head = sizes.length > 1 ? (sizes[0] ?? 0) : 0;
  const body = sent.slice(at + line.length + 2, at + line.length + 2 + total);
  return { head: body.slice(0, head), body: Buffer.from(body.slice(head), "latin1").toString() };
}

test("names of objects become the tokens that other clients make of them (C-ADR20-1)", () => {
  const api = apiOf({} as never);
  const bucket = new Bucket(api, "VECTORS");
  for (const { name, encoded } of vectors.names) {
    assert.equal(bucket.metaSubject(name), `$O.VECTORS.M.${encoded}`, name);
  }
});

test("both hashes give the digests that other clients write (C-ADR20-3)", () => {
  for (const { text, digest } of vectors.digests) {
    const bytes = encoder.encode(text);
    const hash = sha256(bytes);
    assert.equal(digestText(hash), digest);
    assert.equal(digestText(createHash("sha256").update(bytes).digest()), digest);
    const hex = Buffer.from(hash).toString("hex");
    const base64 = Buffer.from(hash).toString("base64");
    for (const form of [digest, digest.slice(0, -1), `SHA-256=${base64}`, `sha-256=${hex}`, hex, base64]) {
      assert.ok(isDigestOf(form, hash), form);
    }
    const other = sha256(encoder.encode(`${text}!`));
    for (const form of [digest, "", "SHA-256=", "SHA-512=abc", `${digest}=`, hex.slice(1)]) {
      assert.ok(!isDigestOf(form, other), form);
    }
  }
});

test("objects that were written frame by frame are read (C-ADR20-3)", async (t) => {
  trackLeaks(t);
  const { server, store } = await setUp(t);
  const socket = connectSocket(server.port, server.host);
  t.after(() => socket.destroy());
  socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n');
  socket.write(vectors.read.map(({ frames }) => frames).join(""));
  socket.write("PING\r\n");
  let received = "";
  while (!received.includes("PONG")) received += String((await once(socket, "data"))[0]);
  for (const { title, name, text, info } of vectors.read) {
    const found = await store.info(name);
    assert.ok(found, title);
    assert.equal(found.name, name);
    for (const [field, value] of Object.entries(info)) {
      assert.deepEqual(found[field as keyof typeof found], value, `${title}: ${field}`);
    }
    assert.ok(Math.abs(Date.parse(found.mtime) - Date.now()) < 60_000, title);
    const bytes = await store.getBlob(name);
    assert.equal(bytes && Buffer.from(bytes).toString(), text, title);
  }
  assert.deepEqual((await store.info("é/ß"))?.headers?.values("Color"), ["red", "blue"]);
  assert.equal((await store.list()).length, vectors.read.length - 1);
});

test("objects are written as ADR-20 says, to the byte (C-ADR20-4, C-ADR20-16, C-ADR20-18)", async (t) => {
  trackLeaks(t);
  const { proxy, store } = await setUp(t);
  for (const { title, meta, headers: given, text, subject, message } of vectors.written) {
    const made = headers();
    for (const [name, values] of Object.entries(given ?? {})) {
      for (const value of values) made.append(name, value);
    }
    const { nuid } = await store.put({ ...meta, ...(given && { headers: made }) }, encoder.encode(text));
    const { head, body } = sentTo(proxy, subject);
    assert.equal(body, message.replace("<nuid>", nuid), title);
    assert.ok(head.includes("\r\nNats-Rollup: sub\r\n"), title);
    if (text === "") continue;
    const chunk = sentTo(proxy, `$O.VECTORS.C.${nuid}`);
    assert.deepEqual([chunk.head, text.endsWith(chunk.body)], ["", true], title);
  }
  const target = await store.info("a");
  assert.ok(target);
  const link = await store.link("l", target);
  assert.equal(sentTo(proxy, "$O.VECTORS.M.bA==").body, vectors.link.replace("<nuid>", link.nuid));
  const storeLink = await store.linkStore("s", "OTHER");
  assert.equal(sentTo(proxy, "$O.VECTORS.M.cw==").body, vectors.storeLink.replace("<nuid>", storeLink.nuid));
  await store.delete("a");
  const { head, body } = sentTo(proxy, "$O.VECTORS.M.YQ==");
  assert.equal(body, vectors.deleted.replace("<nuid>", target.nuid));
  assert.ok(head.includes("\r\nNats-Rollup: sub\r\n"));
});

test("trap 104: a bucket is made with the configuration of ADR-20, and all that was asked for (C-ADR20-21)", async (t) => {
  trackLeaks(t);
  const { proxy } = await setUp(t);
  const { body } = sentTo(proxy, "$JS.API.STREAM.CREATE.OBJ_VECTORS");
  assert.deepEqual(JSON.parse(body), vectors.stream);
});
