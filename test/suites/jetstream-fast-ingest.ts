// Suite: fast ingest: batches that are stored as they come.
import {
  type FastIngest,
  type FastIngestGap,
  type FastIngestRefusal,
  JetStreamApiCodes as Codes,
  JetStreamApiError,
  jetstream,
  NoStreamError,
  OutcomeUnknownError,
  WrongLastSequenceError,
} from "../../src/jetstream/index.ts";
import { type Msg, type NatsConnection, NatsError } from "../../src/names.ts";
import type { Harness, Suite } from "./harness.ts";
import { type Setup, setUp, stored } from "./jetstream-support.ts";
import { atLeast, equal, Growing, inbox, numbers, ok, rejects, within } from "./tools.ts";

/** A stream that takes such batches; undefined where the server is too old. */
async function begin(harness: Harness): Promise<Setup | undefined> {
  return atLeast(harness.version, "2.14") ? setUp(harness, { allow_batched: true }) : undefined;
}

function collect<T>(items: AsyncIterable<T>): Growing<T> & { ended: Promise<void> } {
  const all = new Growing<T>();
  const ended = (async () => {
    for await (const item of items) all.push(item);
  })();
  return Object.assign(all, { ended });
}

const parts = ({ reply = "" }: Msg): string[] => reply.split(".").slice(-6);

/** A stream that is played by the case: it sees each message and answers it as it likes. */
async function stage(
  harness: Harness,
): Promise<{ nc: NatsConnection; sent: Growing<Msg>; subject: string } | undefined> {
  if (!atLeast(harness.version, "2.14")) return undefined;
  const nc = await harness.connect();
  const subject = `stage.${harness.prefix}`;
  return { nc, sent: await inbox(nc, subject), subject };
}

const ack = (seq: number, msgs: number): string => JSON.stringify({ type: "ack", seq, msgs });
const final = ({ batch }: FastIngest, count: number): string =>
  JSON.stringify({ stream: "S", seq: count, batch, count });

export const jetstreamFastIngest: Suite = {
  name: "jetstream fast ingest",
  needs: ["jetstream"],
  cases: {
    "a batch of many messages is stored in order, and acknowledged as one (C-FI-1, C-FI-2, C-FI-7)": async (
      harness,
    ) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const ingest = await js.startFastIngest(`${name}.a`, "0", { ackInterval: 10 });
      for (const text of numbers(998, 1)) {
        const { batchSeq, ackSeq } = await ingest.add(`${name}.a`, text);
        ok(
          batchSeq === Number(text) + 1 && batchSeq - ackSeq <= 30,
          `${batchSeq} sent, ${ackSeq} acknowledged`,
        );
      }
      const done = await ingest.last(`${name}.b`, "999");
      equal(done, { stream: name, seq: 1000, duplicate: false, batch: ingest.batch, count: 1000 });
      equal([ingest.acked, ingest.lost, ingest.refused], [1000, 0, 0]);
      equal(await ingest.done(), done);
      for (const seq of [1, 500, 1000]) equal((await stored(jsm, name, seq)).string(), String(seq - 1));
      await rejects(ingest.add(`${name}.a`), "INVALID_OPERATION");
      await rejects(ingest.ping(), "INVALID_OPERATION");
    },

    "end stores no further message; a batch may be of one (C-FI-8)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const ingest = await js.startFastIngest(`${name}.a`, "1");
      const done = await ingest.end();
      equal([done.count, done.seq], [1, 1]);
      equal((await jsm.streams.info(name)).state.messages, 1);
    },

    "all of the batch is in the reply subject, below the inbox of the connection (C-FI-1, C-FI-2, C-FI-9)":
      async (harness) => {
        if (!atLeast(harness.version, "2.14")) return;
        const nc = await harness.connect({ inboxPrefix: `${harness.prefix}.inbox` });
        const subject = `stage.${harness.prefix}`;
        const sent = await inbox(nc, subject);
        const starting = jetstream(nc).startFastIngest(subject, "1", { ackInterval: 7, allowGaps: true });
        const [first] = await sent.first(1);
        ok(first?.reply?.startsWith(`${harness.prefix}.inbox.`), first?.reply);
        first?.respond(ack(0, 7));
        const ingest = await starting;
        equal(parts(first as Msg), [ingest.batch, "7", "ok", "1", "0", "$FI"].slice(-6));
        await ingest.add(subject, "2");
        const pong = ingest.ping();
        const ending = ingest.end();
        const all = await sent.first(4);
        equal(
          all.map((msg) => [...parts(msg).slice(-3, -1), msg.string()].join(" ")),
          ["1 0 1", "2 1 2", "2 4 ", "3 3 "],
        );
        all[2]?.respond(ack(2, 7));
        equal(await pong, { batchSeq: 3, ackSeq: 2 });
        all[3]?.respond(final(ingest, 2));
        equal((await ending).count, 2);
      },

    "it waits while the server is behind, and goes on with the ack (C-FI-3, C-FI-4)": async (harness) => {
      const staged = await stage(harness);
      if (staged === undefined) return;
      const { nc, sent, subject } = staged;
      const starting = jetstream(nc).startFastIngest(subject, "1", { ackInterval: 5 });
      (await sent.first(1))[0]?.respond(ack(0, 2));
      const ingest = await starting;
      // two acks of two messages may be due
      const adding = numbers(7, 2).map((text) => ingest.add(subject, text));
      await adding[2];
      await nc.flush();
      equal(sent.all.length, 4);
      sent.all[1]?.respond(ack(2, 3));
      equal(await adding[5], { batchSeq: 7, ackSeq: 2 });
      await sent.first(8);
      // an ack that was overtaken says nothing, a later one covers a lost one
      sent.all[7]?.respond(ack(8, 3));
      sent.all[4]?.respond(ack(5, 1));
      const ending = ingest.end();
      (await sent.first(9))[8]?.respond(final(ingest, 8));
      await ending;
      equal(ingest.acked, 8);
    },

    "an ack that is late is asked for, and its lack ends the batch (C-FI-9)": async (harness) => {
      const staged = await stage(harness);
      if (staged === undefined) return;
      const { nc, sent, subject } = staged;
      const starting = jetstream(nc).startFastIngest(subject, "1", { timeout: 1500, maxOutstandingAcks: 1 });
      (await sent.first(1))[0]?.respond(ack(0, 1));
      const ingest = await starting;
      const adding = ingest.add(subject, "2");
      const ping = await sent.until((msg) => parts(msg).at(-2) === "4", "no ping comes");
      equal([parts(ping).at(-3), ping.data.length], ["1", 0]);
      ping.respond(ack(1, 1));
      equal(await adding, { batchSeq: 2, ackSeq: 1 });
      const never = rejects(ingest.add(subject, "3"), "TIMEOUT");
      const done = rejects(ingest.done(), "TIMEOUT");
      ok(!((await never) instanceof OutcomeUnknownError));
      await done;
      await rejects(ingest.add(subject), "TIMEOUT");
    },

    "an end without an answer leaves the outcome unknown": async (harness) => {
      const staged = await stage(harness);
      if (staged === undefined) return;
      const { nc, sent, subject } = staged;
      const js = jetstream(nc);
      let answered = 0;
      const start = async (): Promise<FastIngest> => {
        const starting = js.startFastIngest(subject, "1", { timeout: 1500 });
        // what the batch before has sent may come behind it
        let starts = 0;
        const isNew = (msg: Msg): boolean => parts(msg).at(-2) === "0" && ++starts > answered;
        const first = await sent.until(isNew, "no start comes");
        answered++;
        first.respond(ack(0, 10));
        return starting;
      };
      ok((await rejects((await start()).end(), "TIMEOUT")) instanceof OutcomeUnknownError);
      // the server has forgotten it: after its commit, or before
      const forgotten = await start();
      const ending = forgotten.last(subject);
      const last = await sent.until(
        ({ reply }) => reply?.includes(`${forgotten.batch}.100.fail.2.2`) === true,
        "no last",
      );
      last.respond('{"error":{"code":400,"err_code":10208,"description":"batch publish ID unknown"}}');
      const error = await rejects(ending, "BATCH_INCOMPLETE");
      ok(error instanceof OutcomeUnknownError && error.cause instanceof JetStreamApiError);
    },

    "with gaps allowed a loss is told, and the rest is stored (C-FI-5, C-FI-7)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const ingest = await js.startFastIngest(`${name}.a`, "1", { allowGaps: true });
      const gaps = collect<FastIngestGap>(ingest.gaps());
      // messages that do not reach the stream
      await ingest.add(`none.${name}`, "2");
      await ingest.add(`none.${name}`, "3");
      await ingest.add(`${name}.a`, "4");
      equal(await gaps.until(() => true, "no gap"), { lastSeq: 2, seq: 4 });
      const done = await ingest.last(`${name}.a`, "5");
      equal([done.count, done.seq, ingest.lost], [5, 3, 2]);
      await gaps.ended;
      equal((await stored(jsm, name, 2)).string(), "4");
    },

    "without gaps a loss ends the batch, and says where to go on (C-FI-5, C-FI-12)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const ingest = await js.startFastIngest(`${name}.a`, "1");
      await ingest.add(`${name}.a`, "2");
      await ingest.add(`none.${name}`, "3");
      const error = await rejects(ingest.done(), "BATCH_INCOMPLETE");
      ok(error.message.includes("go on with number 3") && error.cause instanceof NatsError, error.message);
      equal([error.cause.code, ingest.acked], ["NO_RESPONDERS", 2]);
      await rejects(ingest.add(`${name}.a`, "4"), "BATCH_INCOMPLETE");
      equal((await jsm.streams.info(name)).state.messages, 2);
    },

    "a stream that is gone ends it": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const ingest = await js.startFastIngest(`${name}.a`, "1");
      await jsm.streams.delete(name);
      await ingest.add(`${name}.a`, "2");
      await rejects(ingest.done(), "NO_RESPONDERS");
      await rejects(ingest.add(`${name}.a`, "3"), "NO_RESPONDERS");
    },

    "a refused message is told, with gaps allowed as one of many (C-FI-6, C-FI-13)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const ingest = await js.startFastIngest(`${name}.a`, "1", { allowGaps: true, msgID: "one" });
      const refusals = collect<FastIngestRefusal>(ingest.errors());
      await ingest.add(`${name}.a`, "2", { expect: { lastSequence: 7 } });
      await ingest.add(`${name}.a`, "3", { expect: { lastSequence: 1 } });
      const { seq, error } = await refusals.until(() => true, "no refusal");
      ok(error instanceof WrongLastSequenceError && error.actual === 1);
      equal([seq, ingest.refused], [2, 1]);
      await ingest.last(`${name}.a`, "4", { msgID: "four" });
      await refusals.ended;
      equal((await jsm.streams.info(name)).state.messages, 3);
      equal((await js.publish(`${name}.a`, "", { msgID: "four" })).duplicate, true);
    },

    "without gaps a refusal ends the batch with what was before it (C-FI-6, C-FI-7)": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const ingest = await js.startFastIngest(`${name}.a`, "1");
      const refusals = collect<FastIngestRefusal>(ingest.errors());
      await ingest.add(`${name}.a`, "2");
      await ingest.add(`${name}.a`, "3", { expect: { lastSequence: 7 } });
      const error = await rejects(ingest.done(), "BATCH_INCOMPLETE");
      ok(error.cause instanceof WrongLastSequenceError, String(error.cause));
      equal([ingest.acked, ingest.refused], [2, 1]);
      await refusals.ended;
      equal(
        refusals.all.map(({ seq }) => seq),
        [3],
      );
      equal((await jsm.streams.info(name)).state.messages, 2);
      // of the first message the answer is that of a publish
      const first = await js.startFastIngest(`${name}.a`, "1", { expect: { lastSequence: 7 } });
      await rejects(first.done(), "WRONG_LAST_SEQUENCE");
    },

    "streams without it, subjects without a stream and bad options are refused (C-FI-10)": async (
      harness,
    ) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { js, jsm, name } = setup;
      const plain = `${name}-plain`;
      await jsm.streams.add({ name: plain, subjects: [plain], storage: "memory" });
      const error = await rejects(js.startFastIngest(plain), "JETSTREAM_API");
      ok(error instanceof JetStreamApiError && error.apiErrorCode === Codes.BatchPublishDisabled);
      ok((await rejects(js.startFastIngest(`none.${name}`), "NO_RESPONDERS")) instanceof NoStreamError);
      for (const bad of [
        { ackInterval: 0 },
        { ackInterval: 65_536 },
        { maxOutstandingAcks: 4 },
        { ackInterval: 1.5 },
      ]) {
        await rejects(js.startFastIngest(`${name}.a`, "", bad), "INVALID_ARGUMENT");
      }
      await rejects(js.startFastIngest(`${name}.a b`), "INVALID_SUBJECT");
    },

    "a stream that takes it for a message is found out (C-FI-11)": async (harness) => {
      const staged = await stage(harness);
      if (staged === undefined) return;
      const { nc, sent, subject } = staged;
      const starting = jetstream(nc).startFastIngest(subject);
      (await sent.first(1))[0]?.respond('{"stream":"S","seq":7}');
      const error = await rejects(starting, "UNSUPPORTED");
      ok(error.message.includes("stored the message") && error.message.includes("as 7"), error.message);
    },

    "abort sends no more and ends what waits; so does the end of the connection": async (harness) => {
      const setup = await begin(harness);
      if (setup === undefined) return;
      const { nc, js, jsm, name } = setup;
      {
        using ingest = await js.startFastIngest(`${name}.a`);
        const done = rejects(ingest.done(), "ABORTED");
        ingest.abort();
        await done;
        await rejects(ingest.add(`${name}.a`), "ABORTED");
      }
      equal((await jsm.streams.info(name)).state.messages, 1);
      const signal = AbortSignal.abort();
      await rejects(js.startFastIngest(`${name}.a`, "", { signal }), "ABORTED");
      const open = await js.startFastIngest(`${name}.a`);
      const done = rejects(open.done(), "CLOSED");
      await nc.close();
      await within(done, "done does not settle");
    },

    "a server before 2.14 is not sent any of it (C-FI-11, C-VER-3)": async (harness) => {
      if (atLeast(harness.version, "2.14")) return;
      const { nc, js, name } = await setUp(harness);
      const sent = await inbox(nc, `${name}.>`);
      const error = await rejects(js.startFastIngest(`${name}.a`), "UNSUPPORTED");
      ok(error.message.includes("fast ingest needs nats-server 2.14 (API level 4)"), error.message);
      await nc.flush();
      equal(sent.all.length, 0);
    },
  },
};
