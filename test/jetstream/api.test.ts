// Api: options, errors and gates, without a server.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type NatsConnection, NatsError, NoRespondersError, RequestError } from "../../src/index.node.ts";
import { toJson } from "../../src/jetstream/api.ts";
import { apiError } from "../../src/jetstream/api-error.ts";
import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManagerOptions,
  jetstream,
  jetstreamManager,
  WrongLastSequenceError,
} from "../../src/jetstream/index.ts";

const failing = (code: string) => (error: unknown) => error instanceof NatsError && error.code === code;

/** A connection that answers each request with what `answer` gives, and keeps the subjects. */
function connection(
  answer: (subject: string) => string,
  info: object = { api_lvl: 5, server_name: "n1", version: "2.15.1" },
): { nc: NatsConnection; subjects: string[] } {
  const subjects: string[] = [];
  const nc = {
    info,
    getServer: () => "host:4222",
    getServerVersion: () => ({ major: 2, minor: 15, micro: 1 }),
    request: async (subject: string) => {
      subjects.push(subject);
      const text = answer(subject);
      return { string: () => text };
    },
  };
  return { nc: nc as unknown as NatsConnection, subjects };
}

describe("options", () => {
  test("C-ADR19-1 a domain is a prefix, a prefix is used as it is, both are too many", async () => {
    const { nc } = connection(() => "{}");
    const prefixOf = (options: JetStreamManagerOptions): string => jetstream(nc, options).apiPrefix;
    assert.equal(prefixOf({}), "$JS.API");
    assert.equal(prefixOf({ domain: "hub" }), "$JS.hub.API");
    assert.equal(prefixOf({ apiPrefix: "from.acc.API." }), "from.acc.API");
    assert.throws(() => prefixOf({ domain: "hub", apiPrefix: "a" }), failing("INVALID_ARGUMENT"));
    assert.throws(() => prefixOf({ domain: "a.b" }), failing("INVALID_ARGUMENT"));
    assert.throws(() => prefixOf({ apiPrefix: "a.*" }), failing("INVALID_SUBJECT"));
    assert.throws(() => prefixOf({ timeout: 0 }), failing("INVALID_ARGUMENT"));
    await assert.rejects(jetstreamManager(nc, { domain: "" }), failing("INVALID_ARGUMENT"));
  });

  test("they are kept as they were given, and the caller's object is not changed", async () => {
    const { nc } = connection(() => "{}");
    const options = Object.freeze({ domain: "hub", timeout: 10, checkAPI: false });
    const jsm = await jetstreamManager(nc, options);
    assert.deepEqual(jsm.getOptions(), { domain: "hub", timeout: 10 });
    assert.deepEqual(jetstream(nc, jsm.getOptions()).getOptions(), jsm.getOptions());
    assert.equal(
      await jsm
        .jetstream()
        .jetstreamManager(false)
        .then((other) => other.getOptions().domain),
      "hub",
    );
  });

  test("C-ADR19-3 nothing is asked for before the first call, and account info first by the manager", async () => {
    const { nc, subjects } = connection(() => '{"api":{}}');
    jetstream(nc);
    await jetstreamManager(nc, { checkAPI: false });
    assert.deepEqual(subjects, []);
    await jetstreamManager(nc);
    assert.deepEqual(subjects, ["$JS.API.INFO"]);
  });
});

describe("errors", () => {
  test("C-JSERR-1 C-ADR7-1 C-ADR7-2 the number decides which error it is, whatever the text says", () => {
    const typed: Record<number, string> = {
      [JetStreamApiCodes.StreamNotFound]: "STREAM_NOT_FOUND",
      [JetStreamApiCodes.StreamNameExists]: "STREAM_EXISTS",
      [JetStreamApiCodes.StreamNameExistsRestore]: "STREAM_EXISTS",
      [JetStreamApiCodes.ConsumerNotFound]: "CONSUMER_NOT_FOUND",
      [JetStreamApiCodes.ConsumerDoesNotExist]: "CONSUMER_NOT_FOUND",
      [JetStreamApiCodes.ConsumerAlreadyExists]: "CONSUMER_EXISTS",
      [JetStreamApiCodes.ConsumerNameExists]: "CONSUMER_EXISTS",
      [JetStreamApiCodes.NoMessageFound]: "MESSAGE_NOT_FOUND",
      [JetStreamApiCodes.StreamWrongLastSequence]: "WRONG_LAST_SEQUENCE",
      [JetStreamApiCodes.StreamWrongLastSequenceUnknown]: "WRONG_LAST_SEQUENCE",
      [JetStreamApiCodes.JetStreamNotEnabled]: "JETSTREAM_NOT_ENABLED",
      [JetStreamApiCodes.JetStreamNotEnabledForAccount]: "JETSTREAM_NOT_ENABLED",
      [JetStreamApiCodes.RequiredApiLevel]: "UNSUPPORTED",
      [JetStreamApiCodes.MessageTtlDisabled]: "JETSTREAM_API",
    };
    for (const [number, code] of Object.entries(typed)) {
      const error = apiError({ code: 400, err_code: Number(number), description: "stream not found" });
      assert.ok(error instanceof JetStreamApiError);
      assert.equal(error.code, code, number);
      assert.equal(error.apiErrorCode, Number(number));
      assert.match(error.message, new RegExp(`^\\[${code}\\] stream not found.*${number}`));
      assert.equal(error.stack?.startsWith(`${error.name}: `), true);
    }
  });

  test("C-JSERR-3 a number that nobody knows yet, or none at all, is an API error", () => {
    for (const err_code of [99_999, undefined]) {
      const error = apiError(
        { code: 500, description: "boom", ...(err_code && { err_code }) },
        { stream: "S" },
      );
      assert.ok(error instanceof JetStreamApiError && error.code === "JETSTREAM_API");
      assert.deepEqual([error.apiErrorCode, error.status, error.stream], [err_code ?? 0, 500, "S"]);
    }
  });

  test("C-JSERR-2 what may succeed in a moment says so", () => {
    const transient = (err_code: number): boolean =>
      (apiError({ code: 503, err_code, description: "" }) as JetStreamApiError).transient;
    assert.deepEqual([10008, 10167, 10118, 10210].map(transient), [true, true, true, true]);
    assert.deepEqual([10059, 10025, 10071].map(transient), [false, false, false]);
  });

  test("a wrong last sequence has the expected one, and the actual one where the server tells", () => {
    const told = apiError(
      { code: 400, err_code: 10071, description: "wrong last sequence: 7" },
      { expected: 3 },
    );
    assert.ok(told instanceof WrongLastSequenceError);
    assert.deepEqual([told.expected, told.actual], [3, 7]);
    const untold = apiError({ code: 400, err_code: 10164, description: "wrong last sequence" });
    assert.ok(untold instanceof WrongLastSequenceError);
    assert.deepEqual([untold.expected, untold.actual], [undefined, undefined]);
  });

  test("C-ADR1-2 C-ADR1-3 success is no error field; what is not JSON is CODEC; fields that are new stay", async () => {
    const reply = { type: "anything", api: {}, brand_new: 1 };
    const jsm = await jetstreamManager(connection(() => JSON.stringify(reply)).nc);
    assert.deepEqual(await jsm.getAccountInfo(), reply);
    await assert.rejects(jetstreamManager(connection(() => "<html>").nc), failing("CODEC"));
  });

  test("C-ADR1-11 a call is made once", async () => {
    const { nc, subjects } = connection(() => {
      throw new RequestError("failed", new NoRespondersError("x"));
    });
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    await assert.rejects(jsm.streams.info("S"), failing("JETSTREAM_NOT_ENABLED"));
    assert.equal(subjects.length, 1);
  });
});

describe("gates", () => {
  const feature = { name: "S", allow_batched: true };

  test("C-VER-1 the level of the JetStream that answers decides, not the server that is connected", async () => {
    // a leaf of 2.15 in front of a hub of 2.10, which has no level
    const old = await jetstreamManager(connection(() => '{"api":{}}').nc, { checkAPI: false });
    await assert.rejects(old.streams.add(feature), (error: unknown) => {
      assert.ok(failing("UNSUPPORTED")(error));
      assert.match(
        String(error),
        /allow_batched needs nats-server 2\.14 \(API level 4\); 'n1' is 2\.15\.1, its JetStream has API level 0/,
      );
      assert.equal((error as NatsError).server, "host:4222");
      return true;
    });
  });

  test("the level is asked for once, with the account info or when it is needed first", async () => {
    const reply = JSON.stringify({ api: { level: 5 }, config: { allow_batched: true } });
    const { nc, subjects } = connection(() => reply);
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    await jsm.streams.add({ name: "S" });
    assert.deepEqual(subjects, ["$JS.API.STREAM.CREATE.S"]);
    await Promise.all([jsm.streams.add(feature), jsm.streams.add(feature)]);
    assert.equal(subjects.filter((subject) => subject.endsWith("INFO")).length, 1);
    const informed = connection(() => reply);
    await (await jetstreamManager(informed.nc)).streams.add(feature);
    assert.deepEqual(informed.subjects, ["$JS.API.INFO", "$JS.API.STREAM.CREATE.S"]);
  });

  test("another connected server is asked anew, and a failure is not kept", async () => {
    let level: number | undefined;
    const { nc, subjects } = connection(() => {
      if (level === undefined) throw new NatsError("TIMEOUT", "no reply");
      return JSON.stringify({ api: { level }, config: { allow_batched: true } });
    });
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    await assert.rejects(jsm.streams.add(feature), failing("TIMEOUT"));
    level = 2;
    await assert.rejects(jsm.streams.add(feature), failing("UNSUPPORTED"));
    level = 4;
    // the same server is not asked again
    await assert.rejects(jsm.streams.add(feature), failing("UNSUPPORTED"));
    Object.assign(nc, { info: { api_lvl: 4 } });
    await jsm.streams.add(feature);
    assert.equal(subjects.filter((subject) => subject.endsWith("INFO")).length, 3);
  });

  test("where the account info is not allowed, the connected server is believed", async () => {
    const { nc } = connection((subject) => {
      if (subject.endsWith("INFO")) throw new NatsError("PERMISSION_VIOLATION", "no");
      return '{"config":{"allow_batched":true}}';
    });
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    assert.equal((await jsm.streams.add(feature)).config.allow_batched, true);
  });

  test("C-VER-3 what a server of 2.9 behind a newer one left out is an error", async () => {
    const { nc } = connection(() => '{"api":{},"config":{}}');
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    await assert.rejects(jsm.streams.add({ name: "S", metadata: { a: "b" } }), failing("UNSUPPORTED"));
    await assert.rejects(jsm.consumers.add("S", { filter_subjects: ["a", "b"] }), failing("UNSUPPORTED"));
  });
});

test("C-ADR1-4 C-VER-6 bigints are numbers of as many digits as they have; texts stay texts", () => {
  assert.equal(
    toJson({ seq: 2n ** 64n - 1n, n: -1n, s: "7", t: "\0x" }),
    '{"seq":18446744073709551615,"n":-1,"s":"7","t":"\\u0000x"}',
  );
});

test("a number that JSON has no word for is refused, rather than sent as nothing said", async () => {
  const { nc, subjects } = connection(() => "{}");
  const { streams } = await jetstreamManager(nc, { checkAPI: false });
  for (const value of [NaN, Infinity, -Infinity]) {
    await assert.rejects(streams.add({ name: "S", max_age: value }), {
      code: "INVALID_ARGUMENT",
      message: `[INVALID_ARGUMENT] max_age is ${value}: give a finite number, or leave it out`,
    });
  }
  await assert.rejects(streams.deleteMessage("S", NaN), failing("INVALID_ARGUMENT"));
  assert.deepEqual(subjects, []);
});
