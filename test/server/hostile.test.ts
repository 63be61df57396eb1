// Hostile: whatever a client says to JetStream, the server goes on, and serves the others.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { connect, type Msg, type NatsConnection } from "../../src/index.node.ts";
import { NatsServer } from "../../src/server/index.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { draws } from "../fixtures/draws.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { PATIENT } from "../suites/tools.ts";
import { said, saying } from "./api-calls.ts";

const STREAM = {
  name: "GOOD",
  subjects: ["good.>"],
  allow_direct: true,
  allow_atomic: true,
  allow_batched: true,
  allow_msg_schedules: true,
  allow_msg_ttl: true,
};

class Scene {
  readonly server: NatsServer;
  /** who behaves */
  readonly good: NatsConnection;
  /** what of the answers to anybody would be a failure of the server's own */
  readonly broken: string[] = [];

  private constructor(server: NatsServer, good: NatsConnection) {
    this.server = server;
    this.good = good;
    good.subscribe("$JS.EVENT.ADVISORY.API", {
      callback: (_err, msg) => {
        if (/err_code\\":10023/.test(msg.string())) this.broken.push(msg.string());
      },
    });
  }

  /** An answer to who behaves; what the others said may take a while. */
  ask(subject: string, body?: string): Promise<Msg> {
    return this.good.request(subject, body, PATIENT);
  }

  static async open(t: TestContext): Promise<Scene> {
    trackLeaks(t);
    const server = await NatsServer.start({ jetstream: true });
    atEnd(t, () => server.stop());
    const good = await connect({ dialer: server.dialer() });
    atEnd(t, () => good.close());
    await good.request("$JS.API.STREAM.CREATE.GOOD", JSON.stringify(STREAM), PATIENT);
    const config = { name: "c", ack_policy: "explicit" };
    const body = JSON.stringify({ stream_name: "GOOD", config });
    await good.request("$JS.API.CONSUMER.CREATE.GOOD.c", body, PATIENT);
    return new Scene(server, good);
  }

  /** Somebody who says bytes. */
  async raw(): Promise<Transport> {
    const target = {
      scheme: "nats",
      hostname: "x",
      port: 1,
      path: "",
      handshakeFirst: false,
      noRandomize: false,
    } as const;
    const transport = await this.server.dialer()({ ...target, signal: new AbortController().signal });
    transport.open({ onData() {}, onDrain() {}, onClose() {} });
    transport.write(Buffer.from('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'));
    return transport;
  }

  /** The good one is served as if nothing was. */
  async check(): Promise<void> {
    // whatever was done to the stream, it is made again if it is gone
    await this.ask("$JS.API.STREAM.CREATE.PROBE", '{"name":"PROBE","subjects":["probe"],"storage":"memory"}');
    const ack = (await this.ask("probe", "x")).json<{ seq: number }>();
    const got = await this.ask("$JS.API.STREAM.MSG.GET.PROBE", JSON.stringify({ seq: ack.seq }));
    assert.equal(got.json<{ message: { data: string } }>().message.data, "eA==");
    assert.deepEqual(this.broken, []);
  }
}

/** Calls that were refused: so many of the hostile ones were heard. */
async function refused(scene: Scene): Promise<number> {
  return (await scene.ask("$JS.API.INFO")).json<{ api: { errors: number } }>().api.errors;
}

const VERBS = [
  "INFO",
  ...["CREATE", "UPDATE", "INFO", "PURGE", "DELETE", "SNAPSHOT", "RESTORE", "MSG.GET", "MSG.DELETE"].map(
    (verb) => `STREAM.${verb}.GOOD`,
  ),
  "STREAM.NAMES",
  "STREAM.LIST",
  "DIRECT.GET.GOOD",
  "DIRECT.GET.GOOD.good.>",
  "CONSUMER.CREATE.GOOD",
  "CONSUMER.CREATE.GOOD.d",
  "CONSUMER.CREATE.GOOD.d.good.a",
  "CONSUMER.DURABLE.CREATE.GOOD.d",
  ...["INFO", "DELETE", "PAUSE", "RESET", "UNPIN", "MSG.NEXT"].map((verb) => `CONSUMER.${verb}.GOOD.c`),
  "CONSUMER.NAMES.GOOD",
  "CONSUMER.LIST.GOOD",
];

const subjects = fc.oneof(
  fc.constantFrom(...VERBS).map((verb) => `$JS.API.${verb}`),
  fc
    .array(
      fc.constantFrom("$JS", "API", "ACK", "FC", "SNAPSHOT", "GOOD", "c", "1", "-1", "x", "9".repeat(30)),
      {
        minLength: 1,
        maxLength: 12,
      },
    )
    .map((tokens) => tokens.join(".")),
  fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)).map(([a, b, c]) => `$JS.ACK.GOOD.c.${a}.${b}.${c}.0.0`),
  fc.constant("good.a"),
);

// what JSON can be that no request is
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -1,
      1e308,
      2 ** 53,
      -(2 ** 63),
      1.5,
      "",
      "*",
      ">",
      "a.b",
      "\u0000",
      "__proto__",
    ),
    fc.string({ maxLength: 8 }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        "config",
        "name",
        "subjects",
        "stream_name",
        "seq",
        "batch",
        "backoff",
        "filter_subjects",
        "__proto__",
        "metadata",
        "mirror",
        "sources",
        "multi_last",
        "priority_groups",
        "subject_transform",
        "src",
        "dest",
      ),
      tie("value"),
      { maxKeys: 4 },
    ),
  ),
})).value;

const bodies = fc.oneof(
  values.map((value) => JSON.stringify(value) ?? ""),
  fc.constantFrom(
    "[".repeat(100_000),
    '{"a":'.repeat(50_000),
    "9".repeat(5000),
    `{"name":"${"x".repeat(70_000)}"}`,
  ),
  fc.constantFrom(
    "+ACK",
    "-NAK",
    '-NAK {"delay":-1}',
    "-NAK 9999999999h",
    "+WPI",
    "+TERM x",
    "+NXT",
    '+NXT {"batch":1e9}',
  ),
  fc.uint8Array({ maxLength: 40 }),
);

const HEADERS = [
  "Nats-Msg-Id",
  "Nats-TTL",
  "Nats-Rollup",
  "Nats-Incr",
  "Nats-Batch-Id",
  "Nats-Batch-Sequence",
  "Nats-Batch-Commit",
  "Nats-Schedule",
  "Nats-Schedule-Target",
  "Nats-Schedule-Time-Zone",
  "Nats-Expected-Last-Sequence",
  "Nats-Expected-Last-Subject-Sequence",
  "Nats-Required-Api-Level",
];

const blocks = fc.array(
  fc.tuple(
    fc.constantFrom(...HEADERS),
    fc.constantFrom(
      "",
      "0",
      "1",
      "-1",
      "9".repeat(40),
      "x",
      "@every 1s",
      "@at x",
      "* * * * * *",
      "a/b",
      "commit",
      "good.b",
    ),
  ),
  { maxLength: 4 },
);

const replies = fc.constantFrom(
  "in.1",
  "in.1",
  "in.x.0.ok.1.0.$FI",
  "in.x.0.fail.9.9.$FI",
  "x.$FI",
  "good.loop",
  "$JS.API.INFO",
);

/** A publish of anything to anywhere. */
function spoken(
  subject: string,
  body: string | Uint8Array,
  block: readonly (readonly [string, string])[],
  reply: string,
): Uint8Array {
  const header =
    block.length === 0
      ? ""
      : `NATS/1.0\r\n${block.map(([key, value]) => `${key}: ${value}\r\n`).join("")}\r\n`;
  const bytes = Buffer.from(body);
  const sizes = header === "" ? `${bytes.length}` : `${header.length} ${header.length + bytes.length}`;
  const line = `${header === "" ? "PUB" : "HPUB"} ${subject} ${reply} ${sizes}\r\n${header}`;
  return Buffer.concat([Buffer.from(line), bytes, Buffer.from("\r\n")]);
}

test("requests, publishes and acknowledgements of any kind harm nobody else", async (t) => {
  const scene = await Scene.open(t);
  const raw = await scene.raw();
  atEnd(t, () => raw.destroy());
  raw.write(Buffer.from("SUB in.> 1\r\n"));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(subjects, bodies, blocks, replies), { minLength: 10, maxLength: 30 }),
      async (all) => {
        for (const one of all) raw.write(spoken(...one));
        await scene.check();
      },
    ),
    draws(300),
  );
  assert.ok((await refused(scene)) > 400);
});

test("calls that are nearly right harm nobody else", async (t) => {
  const scene = await Scene.open(t);
  const raw = await scene.raw();
  atEnd(t, () => raw.destroy());
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(saying, { minLength: 10, maxLength: 30 }), async (sayings) => {
      run++;
      raw.write(Buffer.from(sayings.map((one) => said(one, run % 5)).join(""), "latin1"));
      await scene.check();
    }),
    draws(300),
  );
  assert.ok((await refused(scene)) > 400);
});

test("bytes that are no protocol end their own connection only", async (t) => {
  const scene = await Scene.open(t);
  const ops = fc.constantFrom(
    "PUB good.a 3\r\nabc\r\n",
    "HPUB good.a 12 12\r\nNATS/1.0\r\n\r\n\r\n",
    "SUB > 1\r\n",
    "UNSUB 1\r\n",
    "PING\r\n",
    "PUB $JS.API.INFO in 0\r\n\r\n",
  );
  const bytes = fc
    .array(
      fc.oneof(ops, fc.string({ maxLength: 12 }), fc.constantFrom("\r\n", " ", "PUB", "HPUB a 9 1\r\n")),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(bytes, fc.nat(20), async (text, at) => {
      const raw = await scene.raw();
      raw.write(Buffer.from(text.slice(0, at)));
      raw.write(Buffer.from(text.slice(at)));
      await scene.check();
      raw.destroy();
    }),
    draws(500),
  );
});
