// Suite: publishing to streams, one message and its ack.
import {
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  type JetStreamPublishOptions,
  NoStreamError,
  OutcomeUnknownError,
  type PublishExpectations,
  WrongLastSequenceError,
} from "../../src/jetstream/index.ts";
import { headers, TimeoutError } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { setUp, stored } from "./jetstream-support.ts";
import { atLeast, equal, eventually, inbox, ok, PATIENT, rejects } from "./tools.ts";

export const jetstreamPublish: Suite = {
  name: "jetstream publish",
  needs: ["jetstream"],
  cases: {
    "an ack says where a message is, of text, bytes and nothing (C-PUB-1)": async (harness) => {
      const { js, jsm, name } = await setUp(harness);
      const ack = await js.publish(`${name}.a`, "text");
      equal(ack, { stream: name, seq: 1, duplicate: false });
      equal((await js.publish(`${name}.a`, new Uint8Array([0, 255]))).seq, 2);
      equal((await js.publish(`${name}.b`)).seq, 3);
      const msg = await stored(jsm, name, 2);
      equal([msg.subject, msg.data, msg.header.keys()], [`${name}.a`, new Uint8Array([0, 255]), []]);
      equal((await stored(jsm, name, 3)).data.length, 0);
    },

    "a message id is stored once, and its second ack says so (C-PUB-2)": async (harness) => {
      const { js, jsm, name } = await setUp(harness);
      const options = { msgID: "order-1" };
      equal((await js.publish(`${name}.a`, "1", options)).duplicate, false);
      const again = await js.publish(`${name}.b`, "2", options);
      equal([again.seq, again.duplicate], [1, true]);
      equal((await jsm.streams.info(name)).state.messages, 1);
      equal((await stored(jsm, name, 1)).header.get("Nats-Msg-Id"), "order-1");
      await rejects(js.publish(`${name}.a`, "", { msgID: "" }), "INVALID_ARGUMENT");
    },

    "what is expected holds, or nothing is stored (C-PUB-2, C-PUB-3, C-PUB-4)": async (harness) => {
      const { js, jsm, name } = await setUp(harness);
      const expecting = (expect: PublishExpectations): JetStreamPublishOptions => ({
        expect,
      });
      const wrong = async (expect: PublishExpectations, expected: number, actual: number) => {
        const error = await rejects(js.publish(`${name}.a`, "", expecting(expect)), "WRONG_LAST_SEQUENCE");
        ok(error instanceof WrongLastSequenceError);
        equal([error.expected, error.actual, error.stream], [expected, actual, name]);
      };
      const refused = async (expect: PublishExpectations, code: number) => {
        const error = await rejects(js.publish(`${name}.a`, "", expecting(expect)), "JETSTREAM_API");
        ok(error instanceof JetStreamApiError);
        equal(error.apiErrorCode, code);
      };
      equal((await js.publish(`${name}.a`, "", expecting({ lastSequence: 0 }))).seq, 1);
      await wrong({ lastSequence: 0 }, 0, 1);
      await js.publish(`${name}.a`, "", { ...expecting({ lastSequence: 1n }), msgID: "two" });
      await wrong({ lastSubjectSequence: 0 }, 0, 2);
      await wrong({ lastSubjectSequence: 7 }, 7, 2);
      equal((await js.publish(`${name}.b`, "", expecting({ lastSubjectSequence: 0 }))).seq, 3);
      await refused({ streamName: "other" }, JetStreamApiCodes.StreamNotMatch);
      await refused({ lastMsgID: "two" }, JetStreamApiCodes.StreamWrongLastMessageId);
      await js.publish(`${name}.a`, "", { expect: { streamName: name, lastSequence: 3 }, msgID: "four" });
      await js.publish(`${name}.a`, "", expecting({ lastMsgID: "four" }));
      equal((await jsm.streams.info(name)).state.messages, 5);
      for (const lastSequence of [-1, 1.5, Number.NaN]) {
        await rejects(js.publish(`${name}.a`, "", expecting({ lastSequence })), "INVALID_ARGUMENT");
      }
    },

    "the sequence of another subject is expected since 2.11, and refused before": async (harness) => {
      const { js, name } = await setUp(harness);
      await js.publish(`${name}.a.1`);
      await js.publish(`${name}.a.2`);
      const expect = { lastSubjectSequence: 2, lastSubjectSequenceSubject: `${name}.a.*` };
      if (atLeast(harness.version, "2.11")) {
        equal((await js.publish(`${name}.b`, "", { expect })).seq, 3);
        await rejects(
          js.publish(`${name}.b`, "", { expect: { ...expect, lastSubjectSequence: 1 } }),
          "WRONG_LAST_SEQUENCE",
        );
      } else {
        const error = await rejects(js.publish(`${name}.b`, "", { expect }), "UNSUPPORTED");
        ok(error.message.includes("lastSubjectSequenceSubject needs nats-server 2.11"), error.message);
      }
      const { lastSubjectSequenceSubject } = expect;
      await rejects(
        js.publish(`${name}.b`, "", { expect: { lastSubjectSequenceSubject } }),
        "INVALID_ARGUMENT",
      );
    },

    "a rollup replaces what was there, where the stream allows it (C-PUB-2)": async (harness) => {
      const { js, jsm, name } = await setUp(harness, { allow_rollup_hdrs: true });
      for (const subject of ["a", "a", "b"]) await js.publish(`${name}.${subject}`);
      await js.publish(`${name}.a`, "", { rollup: "sub" });
      equal((await jsm.streams.info(name)).state.messages, 2);
      await js.publish(`${name}.a`, "", { rollup: "all" });
      equal((await jsm.streams.info(name)).state.messages, 1);
      const strict = `${name}-strict`;
      await jsm.streams.add({ name: strict, subjects: [strict], storage: "memory" });
      const error = await rejects(js.publish(strict, "", { rollup: "all" }), "JETSTREAM_API");
      ok(error instanceof JetStreamApiError && error.apiErrorCode === 10111, error.message);
    },

    "a full stream, a large message and a sealed stream say so (C-PUB-6)": async (harness) => {
      const { js, jsm, name } = await setUp(harness, { max_msgs: 1, discard: "new", max_msg_size: 100 });
      await js.publish(`${name}.a`);
      const full = await rejects(js.publish(`${name}.a`), "JETSTREAM_API");
      ok(full instanceof JetStreamApiError);
      equal([full.apiErrorCode, full.status, full.stream], [JetStreamApiCodes.StreamStoreFailed, 503, name]);
      const large = await rejects(js.publish(`${name}.a`, "x".repeat(101)), "JETSTREAM_API");
      ok(large instanceof JetStreamApiError);
      equal(large.apiErrorCode, JetStreamApiCodes.MessageSizeExceedsMaximum);
      await jsm.streams.update(name, { sealed: true });
      const sealed = await rejects(js.publish(`${name}.a`), "JETSTREAM_API");
      ok(sealed instanceof JetStreamApiError);
      equal(sealed.apiErrorCode, JetStreamApiCodes.StreamSealed);
    },

    "without a stream it is tried three times and refused as NO_RESPONDERS (C-PUB-7, C-ADR22-1, C-ADR22-2)":
      async ({ connect, prefix }) => {
        const js = jetstream(await connect());
        const error = await rejects(js.publish(prefix, "", { retryWait: 5 }), "NO_RESPONDERS");
        ok(error instanceof NoStreamError);
        equal([error.attempts, error.subject], [3, prefix]);
        const once = await rejects(js.publish(prefix, "", { retries: 0 }), "NO_RESPONDERS");
        ok(once instanceof NoStreamError && once.attempts === 1);
        // no further attempt fits
        const late = await rejects(
          js.publish(prefix, "", { timeout: 5000, retryWait: 6000 }),
          "NO_RESPONDERS",
        );
        ok(late instanceof NoStreamError && late.attempts === 1);
      },

    "a stream that comes late still gets the message, with an id (C-ADR22-3)": async (harness) => {
      const nc = await harness.connect();
      const js = jetstream(nc);
      const { prefix } = harness;
      const publishing = js.publish(`${prefix}.a`, "late", { retries: -1, retryWait: 20, ...PATIENT });
      const { jsm, name } = await setUp(harness);
      equal((await publishing).seq, 1);
      const msg = await stored(jsm, name, 1);
      equal([msg.string(), msg.header.get("Nats-Msg-Id").length], ["late", 22]);
    },

    "no ack in time leaves the outcome unknown; a refusal is not tried again (C-PUB-7, C-ADR22-3)": async (
      harness,
    ) => {
      const { nc, js, jsm, name } = await setUp(harness, { no_ack: true });
      const published = await inbox(nc, `${name}.>`);
      const error = await rejects(js.publish(`${name}.a`, "", { timeout: 100, msgID: "mine" }), "TIMEOUT");
      ok(error instanceof OutcomeUnknownError && error.cause instanceof TimeoutError);
      equal([error.msgID, error.subject, error.cause.reason], ["mine", `${name}.a`, "no reply"]);
      ok(error.message.includes("outcome unknown"), error.message);
      const stores = async (): Promise<true | undefined> =>
        (await jsm.streams.info(name)).state.messages === 1 || undefined;
      await eventually(stores, "it is not stored");
      const strict = `${name}-strict`;
      await jsm.streams.add({ name: strict, subjects: [strict], storage: "memory" });
      const refused = await inbox(nc, strict);
      await rejects(js.publish(strict, "", { expect: { lastSequence: 9 } }), "WRONG_LAST_SEQUENCE");
      await nc.flush();
      equal([published.all.length, refused.all.length], [1, 1]);
    },

    "a signal ends it; before anything is sent the outcome is known": async (harness) => {
      const { nc, js, name } = await setUp(harness, { no_ack: true });
      const published = await inbox(nc, `${name}.>`);
      const signal = AbortSignal.abort(new Error("enough"));
      const error = await rejects(js.publish(`${name}.a`, "", { signal }), "ABORTED");
      ok(!(error instanceof OutcomeUnknownError) && (error.cause as Error).message === "enough");
      await nc.flush();
      equal(published.all.length, 0);
      const controller = new AbortController();
      const publishing = js.publish(`${name}.a`, "", { signal: controller.signal });
      await published.first(1);
      controller.abort();
      ok((await rejects(publishing, "ABORTED")) instanceof OutcomeUnknownError);
      // between two attempts nothing is on its way
      const waiting = new AbortController();
      const none = js.publish(`none.${name}`, "", {
        signal: waiting.signal,
        retryWait: 60_000,
        timeout: 90_000,
      });
      await nc.flush();
      waiting.abort();
      ok(!((await rejects(none, "ABORTED")) instanceof OutcomeUnknownError));
    },

    "who closes the connection meanwhile does not know the outcome": async (harness) => {
      const { nc, js, name } = await setUp(harness, { no_ack: true });
      const publishing = js.publish(`${name}.a`);
      const outcome = rejects(publishing, "CLOSED");
      await nc.flush();
      await nc.close();
      ok((await outcome) instanceof OutcomeUnknownError);
      ok(!((await rejects(js.publish(`${name}.a`), "CLOSED")) instanceof OutcomeUnknownError));
    },

    "an answer that is no ack is said so": async ({ connect, prefix }) => {
      const nc = await connect();
      nc.subscribe(prefix, { callback: (_, msg) => void msg.respond(msg.string()) });
      const js = jetstream(nc);
      for (const answer of ["hello", "{}", '"x"', "null", '{"stream":"","seq":1}']) {
        const error = await rejects(js.publish(prefix, answer), "CODEC");
        ok(error.message.includes(prefix) && !error.message.includes("hello"), error.message);
      }
    },

    "an overloaded server is an error that says it may work in a moment, with status and body (C-PUB-5, C-STATUS-2)":
      async ({ connect, prefix }) => {
        const nc = await connect();
        const status = headers(429, "Too Many Requests");
        const busy = {
          error: { code: 429, err_code: 10167, description: "too many requests" },
          stream: "S",
          seq: 0,
        };
        nc.subscribe(prefix, {
          callback: (_, msg) => void msg.respond(JSON.stringify(busy), { headers: status }),
        });
        const error = await rejects(jetstream(nc).publish(prefix), "JETSTREAM_API");
        ok(error instanceof JetStreamApiError);
        equal([error.apiErrorCode, error.transient, error.stream], [10167, true, "S"]);
      },

    "headers and options go together, and neither is changed (trap 106)": async (harness) => {
      const { js, jsm, name } = await setUp(harness);
      const given = headers();
      given.set("X-Mine", "1");
      given.set("Nats-Msg-Id", "of the headers");
      const options = Object.freeze({
        headers: given,
        msgID: "of the options",
        expect: Object.freeze({ lastSequence: 0 }),
      });
      await js.publish(`${name}.a`, "", options);
      const { header } = await stored(jsm, name, 1);
      equal(header.get("X-Mine"), "1");
      equal(header.values("Nats-Msg-Id"), ["of the options"]);
      equal([given.keys(), given.get("Nats-Msg-Id")], [["X-Mine", "Nats-Msg-Id"], "of the headers"]);
      const plain = { a: "1" } as unknown as ReturnType<typeof headers>;
      await rejects(js.publish(`${name}.a`, "", { headers: plain, msgID: "x" }), "INVALID_ARGUMENT");
      await rejects(js.publish(`${name}.a`, "", { headers: plain }), "INVALID_ARGUMENT");
    },

    "a message lives as long as its ttl says, since 2.11 (C-ADR43-1, C-ADR43-2, C-ADR43-4, C-ADR43-6)":
      async (harness) => {
        if (!atLeast(harness.version, "2.11")) {
          const { js, name } = await setUp(harness);
          const error = await rejects(js.publish(`${name}.a`, "", { ttl: "1m" }), "UNSUPPORTED");
          ok(error.message.includes("a TTL per message needs nats-server 2.11 (API level 1)"), error.message);
          return;
        }
        const { js, jsm, name } = await setUp(harness, { allow_msg_ttl: true });
        const rows: [number | string, string][] = [
          [60_000, "60"],
          [1001, "2"],
          ["90", "90"],
          ["1h30m", "1h30m"],
          ["1500ms", "1500ms"],
          ["never", "never"],
        ];
        for (const [ttl, text] of rows) {
          const { seq } = await js.publish(`${name}.a`, "", { ttl });
          equal((await stored(jsm, name, seq)).header.get("Nats-TTL"), text);
        }
        const strict = `${name}-strict`;
        await jsm.streams.add({ name: strict, subjects: [strict], storage: "memory" });
        const error = await rejects(js.publish(strict, "", { ttl: 1000 }), "JETSTREAM_API");
        ok(error instanceof JetStreamApiError && error.apiErrorCode === JetStreamApiCodes.MessageTtlDisabled);
        const marked = `${name}-marked`;
        await jsm.streams.add({
          name: marked,
          subjects: [marked],
          storage: "memory",
          subject_delete_marker_ttl: 9e9,
        });
        await js.publish(marked, "", { ttl: 1000 });
        equal((await stored(jsm, marked, 1)).header.get("Nats-TTL"), "9", "raised to that of the marker");
      },

    "a stream that marks what expired allows TTLs and rollups, and says which subject is empty (C-ADR43-3, C-ADR43-5)":
      async (harness) => {
        if (!atLeast(harness.version, "2.11")) return;
        const { js, jsm, name } = await setUp(harness, { subject_delete_marker_ttl: 1e9 });
        const { config } = await jsm.streams.info(name);
        equal([config.allow_msg_ttl, config.allow_rollup_hdrs], [true, true]);
        await js.publish(`${name}.a`, "", { ttl: 1000 });
        const marker = await eventually(
          async () => (await jsm.streams.getMessage(name, { seq: 2 })) ?? undefined,
          "no marker comes",
        );
        equal([marker.subject, marker.data.length], [`${name}.a`, 0]);
        equal(marker.header.toString().split("\r\n").sort(), [
          "",
          "",
          "NATS/1.0",
          "Nats-Marker-Reason: MaxAge",
          "Nats-Rollup: sub",
          "Nats-TTL: 1s",
        ]);
      },

    "the server reads its headers by exact case, the first of each, up to 64 kB of them (C-ADR4-10, C-ADR4-11, C-ADR4-12)":
      async (harness) => {
        const { js, jsm, name } = await setUp(harness);
        const lower = headers();
        lower.set("nats-msg-id", "1");
        for (const duplicate of [false, false]) {
          equal((await js.publish(`${name}.a`, "", { headers: lower })).duplicate, duplicate);
        }
        const twice = headers(404, "No Messages");
        twice.append("Nats-Msg-Id", "first");
        twice.append("Nats-Msg-Id", "second");
        await js.publish(`${name}.a`, "", { headers: twice });
        equal((await js.publish(`${name}.a`, "", { msgID: "second" })).duplicate, false);
        equal((await js.publish(`${name}.a`, "", { msgID: "first" })).duplicate, true);
        // a status line is that of a server: newer ones strip it
        equal((await stored(jsm, name, 3)).header.code, atLeast(harness.version, "2.11") ? 0 : 404);
        const large = headers();
        large.set("X", "x".repeat(65_536));
        const error = await rejects(js.publish(`${name}.a`, "", { headers: large }), "JETSTREAM_API");
        ok(error instanceof JetStreamApiError && error.apiErrorCode === 10097, error.message);
      },

    "a ttl below a second, or none at all, is refused before it is sent (C-ADR43-2)": async (harness) => {
      const { nc, js, name } = await setUp(harness);
      const published = await inbox(nc, `${name}.>`);
      for (const ttl of [
        0,
        999,
        -5000,
        Number.NaN,
        Infinity,
        "0",
        "500ms",
        "",
        "soon",
        "1h30",
        "-2s",
        "5 s",
      ]) {
        await rejects(js.publish(`${name}.a`, "", { ttl }), "INVALID_ARGUMENT");
      }
      await nc.flush();
      equal(published.all.length, 0);
    },

    "what the server would take for nothing said, and retries that are none, are refused before it is sent":
      async (harness) => {
        const { nc, js, name } = await setUp(harness);
        const published = await inbox(nc, `${name}.>`);
        for (const [options, says] of [
          [{ msgID: "" }, "msgID is empty: give an id"],
          [{ expect: { lastMsgID: "" } }, "lastMsgID is empty: give an id"],
          [{ expect: { streamName: "" } }, "streamName is empty: give a name"],
          [{ retries: -2 }, "retries is -2: give"],
          [{ retries: Number.NaN }, "retries is NaN: give"],
          [{ retryWait: -1 }, "retryWait is -1: give"],
          [{ retryWait: Number.NaN }, "retryWait is NaN: give"],
        ] as const) {
          const { message } = await rejects(js.publish(`${name}.a`, "", options), "INVALID_ARGUMENT");
          ok(message.includes(says), message);
        }
        await nc.flush();
        equal(published.all.length, 0);
      },

    "a counter grows by what is published, and its ack tells its value, since 2.12 (C-ADR49-1, C-ADR49-2, C-ADR49-3, C-ADR49-4)":
      async (harness) => {
        if (!atLeast(harness.version, "2.12")) {
          const { js, name } = await setUp(harness);
          const error = await rejects(js.publish(`${name}.a`, "", { increment: 1 }), "UNSUPPORTED");
          ok(error.message.includes("a message counter needs nats-server 2.12"), error.message);
          return;
        }
        const { js, jsm, name } = await setUp(harness, { allow_msg_counter: true, allow_direct: true });
        equal((await js.publish(`${name}.a`, "", { increment: 5 })).val, 5n);
        equal((await js.publish(`${name}.a`, undefined, { increment: -7n })).val, -2n);
        const large = 10n ** 30n;
        equal((await js.publish(`${name}.b`, "", { increment: large })).val, large);
        const { header, data } = await stored(jsm, name, 2);
        equal([header.get("Nats-Incr"), new TextDecoder().decode(data)], ["-7", '{"val":"-2"}']);
        const refused = async (publishing: Promise<unknown>, code: number) => {
          const error = await rejects(publishing, "JETSTREAM_API");
          ok(error instanceof JetStreamApiError);
          equal(error.apiErrorCode, code);
        };
        await refused(js.publish(`${name}.a`, ""), 10169);
        await refused(js.publish(`${name}.a`, "", { increment: 1, expect: { lastSequence: 9 } }), 10171);
        await rejects(js.publish(`${name}.a`, "x", { increment: 1 }), "INVALID_ARGUMENT");
        await rejects(js.publish(`${name}.a`, "", { increment: 1.5 }), "INVALID_ARGUMENT");
        const plain = `${name}-plain`;
        await jsm.streams.add({ name: plain, subjects: [plain], storage: "memory" });
        await refused(js.publish(plain, "", { increment: 1 }), 10168);
      },
  },
};
