// Suite: atomic batches.
import {
  JetStreamApiCodes as Codes,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  NoStreamError,
} from "../../src/jetstream/index.ts";
import { headers, type NatsErrorCode } from "../../src/names.ts";
import type { Harness, Suite } from "./harness.ts";
import { type Setup, setUp, stored } from "./jetstream-support.ts";
import { atLeast, equal, inbox, ok, rejects, throws } from "./tools.ts";

/** A stream that takes batches; undefined where the server is too old. */
async function begin(harness: Harness): Promise<Setup | undefined> {
  return atLeast(harness.version, "2.12") ? setUp(harness, { allow_atomic: true }) : undefined;
}

async function refused(
  promise: Promise<unknown>,
  apiErrorCode: number,
  code: NatsErrorCode = "JETSTREAM_API",
): Promise<void> {
  const error = await rejects(promise, code);
  ok(error instanceof JetStreamApiError);
  equal(error.apiErrorCode, apiErrorCode);
}

export const jetstreamBatch: Suite = {
  name: "jetstream batch",
  needs: ["jetstream"],
  cases: {
    "nothing is seen before the commit, and then all of it (C-ADR50-1, C-ADR50-2, C-ADR50-3, C-ADR50-8)":
      async (harness) => {
        const setup = await begin(harness);
        if (setup === undefined) return;
        const { js, jsm, name } = setup;
        const batch = await js.startBatch(`${name}.a`, "1");
        batch.add(`${name}.b`, "2");
        await batch.add(`${name}.c`, "3", { ack: true });
        equal([batch.count, batch.id.length], [3, 22]);
        equal((await jsm.streams.info(name)).state.messages, 0);
        const ack = await batch.commit(`${name}.d`, "4");
        equal(ack, { stream: name, seq: 4, duplicate: false, batch: batch.id, count: 4 });
        const last = await stored(jsm, name, 4);
        equal([last.subject, last.string()], [`${name}.d`, "4"]);
        const batchHeaders = ["Nats-Batch-Id", "Nats-Batch-Sequence", "Nats-Batch-Commit"];
        equal(
          batchHeaders.map((key) => last.header.get(key)),
          [batch.id, "4", "1"],
        );
      },

    "end stores what was added, without a last message, since 2.14 (C-ADR50-4)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const batch = await js.startBatch(`${name}.a`, "1");
      batch.add(`${name}.b`, "2");
      const ack = await batch.end();
      equal([ack.seq, ack.count, ack.batch], [2, 2, batch.id]);
      equal((await jsm.streams.info(name)).state.messages, 2);
      equal((await stored(jsm, name, 2)).header.get("Nats-Batch-Commit"), "1");
      const single = await js.startBatch(`${name}.a`, "3");
      equal((await single.end()).count, 1);
    },

    "each message has the options of a publish (C-ADR50-6)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const given = headers();
      given.set("Mine", "1");
      const batch = await js.startBatch(`${name}.a`, "1", {
        headers: given,
        msgID: "one",
        expect: { lastSequence: 0 },
      });
      batch.add(`${name}.b`, "2", { msgID: "two", expect: { lastSubjectSequence: 0, streamName: name } });
      await batch.commit(`${name}.c`, "3", { msgID: "three", headers: given });
      const first = await stored(jsm, name, 1);
      equal([first.header.get("Mine"), first.header.get("Nats-Msg-Id")], ["1", "one"]);
      equal((await stored(jsm, name, 2)).header.get("Nats-Expected-Last-Subject-Sequence"), "0");
      equal((await stored(jsm, name, 3)).header.get("Nats-Msg-Id"), "three");
      equal(given.keys(), ["Mine"]);
      equal((await js.publish(`${name}.a`, "", { msgID: "two" })).duplicate, true);
    },

    "what does not hold at the commit drops all of it (C-ADR50-5, C-ADR50-6)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      await js.publish(`${name}.a`, "", { msgID: "taken" });
      const first = await js.startBatch(`${name}.b`, "", { expect: { lastSequence: 7 } });
      await refused(first.commit(`${name}.c`), Codes.StreamWrongLastSequence, "WRONG_LAST_SEQUENCE");
      const written = await js.startBatch(`${name}.b`);
      written.add(`${name}.b`, "", { expect: { lastSubjectSequence: 2 } });
      await refused(written.commit(`${name}.c`), Codes.StreamWrongLastSequenceUnknown, "WRONG_LAST_SEQUENCE");
      const twice = await js.startBatch(`${name}.b`, "", { msgID: "taken" });
      await refused(twice.commit(`${name}.c`), Codes.AtomicPublishDuplicateId);
      equal((await jsm.streams.info(name)).state.last_seq, 1);
    },

    "what a batch can't expect is refused before it is sent (C-ADR50-5, C-ADR50-6)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, name } = setup;
      await rejects(js.startBatch(`${name}.a`, "", { expect: { lastMsgID: "x" } }), "INVALID_ARGUMENT");
      const batch = await js.startBatch(`${name}.a`);
      throws(() => batch.add(`${name}.a`, "", { expect: { lastSequence: 1 } }), "INVALID_ARGUMENT");
      throws(() => batch.add(`${name}.a`, "", { expect: { lastMsgID: "x" } }), "INVALID_ARGUMENT");
      throws(() => batch.add(`${name}.a b`), "INVALID_SUBJECT");
      // none of these was a message of the batch
      equal(batch.count, 1);
      equal((await batch.commit(`${name}.b`)).count, 2);
    },

    "after an error, a commit or an abort there is no more (C-ADR50-7)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { nc, js, jsm, name } = setup;
      const dead = await js.startBatch(`${name}.a`);
      await rejects(dead.add(`none.${name}`, "", { ack: true }), "NO_RESPONDERS");
      throws(() => dead.add(`${name}.a`), "INVALID_OPERATION");
      await rejects(dead.commit(`${name}.a`), "INVALID_OPERATION");
      await rejects(dead.end(), "INVALID_OPERATION");
      const done = await js.startBatch(`${name}.a`);
      const sent = await inbox(nc, `${name}.>`);
      await done.commit(`${name}.b`);
      throws(() => done.add(`${name}.a`), "INVALID_OPERATION");
      await rejects(done.commit(`${name}.a`), "INVALID_OPERATION");
      {
        using aborted = await js.startBatch(`${name}.a`);
        aborted.add(`${name}.b`);
        aborted.abort();
        throws(() => aborted.add(`${name}.a`), "INVALID_OPERATION");
      }
      await nc.flush();
      equal(sent.all.length, 3);
      equal((await jsm.streams.info(name)).state.messages, 2);
    },

    "a batch with a gap, or too large, is refused (C-ADR50-5, C-ADR50-9)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { nc, js, jsm, name } = setup;
      const advisories = await inbox(nc, `$JS.EVENT.ADVISORY.STREAM.BATCH_ABANDONED.${name}`);
      const gap = await js.startBatch(`${name}.a`);
      // a message that does not reach the stream
      gap.add(`none.${name}`);
      await refused(gap.commit(`${name}.b`), Codes.AtomicPublishIncomplete, "BATCH_INCOMPLETE");
      const large = await js.startBatch(`${name}.a`);
      for (let i = 0; i < 1000; i++) large.add(`${name}.a`);
      await refused(large.commit(`${name}.b`), Codes.AtomicPublishTooLarge);
      equal((await jsm.streams.info(name)).state.messages, 0);
      const reasons = (await advisories.first(2)).map((msg) => msg.json<{ reason: string }>().reason);
      equal(reasons, ["incomplete", "large"]);
    },

    "a stream without batches, without a subject, or with another count says so (C-ADR50-5, C-ADR50-10)":
      async (harness) => {
        const setup = await begin(harness);
        if (setup === undefined) return;
        const { nc, js, jsm, name } = setup;
        const plain = `${name}-plain`;
        await jsm.streams.add({ name: plain, subjects: [plain], storage: "memory" });
        await refused(js.startBatch(plain), Codes.AtomicPublishDisabled);
        await refused(
          jsm.streams.update(name, { persist_mode: "async" } as object),
          Codes.StreamInvalidConfig,
        );
        const none = await rejects(js.startBatch(`none.${name}`, "", { retries: 0 }), "NO_RESPONDERS");
        ok(none instanceof NoStreamError);
        let answers = ["", '{"stream":"S","seq":2,"batch":"other","count":2}'];
        const stub = `stub.${name}`;
        nc.subscribe(stub, { callback: (_, msg) => void msg.respond(answers.shift()) });
        const batch = await js.startBatch(stub);
        const error = await rejects(batch.commit(stub), "BATCH_INCOMPLETE");
        ok(error.message.includes("acknowledged 2 messages of batch 'other'"), error.message);
        // an answer of a stream that took it for a message
        answers = ['{"stream":"S","seq":2}'];
        await rejects(js.startBatch(stub), "UNSUPPORTED");
      },

    "the API level is demanded of the server where that is wanted (C-ADR44-2)": async (harness) => {
      if (!atLeast(harness.version, "2.12")) return;
      const { connect, prefix: name } = harness;
      const nc = await connect();
      const jsm = await jetstreamManager(nc, { sendRequiredApiLevel: true });
      await jsm.streams.add({ name, subjects: [`${name}.>`], storage: "memory", allow_atomic: true });
      const sent = await inbox(nc, `${name}.>`);
      const batch = await jsm.jetstream().startBatch(`${name}.a`);
      await batch.commit(`${name}.b`);
      equal(
        (await sent.first(2)).map((msg) => msg.headers?.get("Nats-Required-Api-Level")),
        ["2", ""],
      );
    },

    "a server before 2.12 is not sent any of it (C-VER-3)": async (harness) => {
      if (atLeast(harness.version, "2.12")) return;
      const { nc, name } = await setUp(harness);
      const sent = await inbox(nc, `${name}.>`);
      const error = await rejects(jetstream(nc).startBatch(`${name}.a`), "UNSUPPORTED");
      ok(error.message.includes("an atomic batch needs nats-server 2.12 (API level 2)"), error.message);
      await nc.flush();
      equal(sent.all.length, 0);
    },
  },
};
