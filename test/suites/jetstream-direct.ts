// Suite: direct gets, of one message and of several (ADR-31).
import {
  DirectMsgHeaders,
  JetStreamError,
  type JetStreamManager,
  JetStreamStatusError,
} from "../../src/jetstream/index.ts";
import { headers } from "../../src/names.ts";
import type { Harness, Suite } from "./harness.ts";
import { all, begin, refuses } from "./jetstream-tools.ts";
import { atLeast, equal, ok, rejects } from "./tools.ts";

/** True on a server without direct gets of several messages, which are then refused. */
async function lacksBatches({ version, prefix }: Harness, { direct }: JetStreamManager): Promise<boolean> {
  if (atLeast(version, "2.11")) return false;
  await rejects(direct.getBatch(prefix, {}), "UNSUPPORTED");
  await rejects(direct.getLastMessagesFor(prefix, { multi_last: [">"] }), "UNSUPPORTED");
  return true;
}

export const jetstreamDirect: Suite = {
  name: "jetstream direct gets",
  needs: ["jetstream"],
  cases: {
    "one message: by sequence, as the last or the next of a subject (C-ADR31-2, C-ADR31-5)": async (
      harness,
    ) => {
      const { jsm, name, store } = await begin(harness, { allow_direct: true });
      const marked = headers();
      marked.set("Mark", "1");
      await store(["a", "b", "a"], { headers: marked });
      const { direct } = jsm;
      const first = await direct.getMessage(name, { seq: 1 });
      ok(first !== null);
      equal(
        [first.stream, first.subject, first.seq, first.sequence, first.string(), first.header.get("Mark")],
        [name, `${name}.a`, 1, 1n, "of a", "1"],
      );
      // as the leader tells it
      const stored = await jsm.streams.getMessage(name, { seq: 1 });
      equal([first.timestampNanos, first.time], [stored?.timestampNanos, stored?.time]);
      equal((await direct.getMessage(name, { last_by_subj: `${name}.a` }))?.seq, 3);
      equal((await direct.getMessage(name, { last_by_subj: `${name}.*` }))?.seq, 3);
      equal((await direct.getMessage(name, { next_by_subj: `${name}.a`, seq: 2 }))?.seq, 3);
      equal((await direct.getMessage(name, { next_by_subj: `${name}.b` }))?.seq, 2);
      equal(await direct.getMessage(name, { seq: 9 }), null);
      equal(await direct.getMessage(name, { last_by_subj: `${name}.none` }), null);
      const since = direct.getMessage(name, { start_time: "2020-01-01T00:00:00Z" });
      if (atLeast(harness.version, "2.11")) equal((await since)?.seq, 1);
      else await rejects(since, "UNSUPPORTED");
    },

    "what doesn't go together is a status (C-ADR31-10, C-STATUS-1)": async (harness) => {
      const { jsm, name } = await begin(harness, { allow_direct: true });
      const error = await rejects(
        jsm.direct.getMessage(name, { seq: 1, last_by_subj: `${name}.*` }),
        "JETSTREAM_STATUS",
      );
      ok(error instanceof JetStreamStatusError && error instanceof JetStreamError);
      equal([error.status, error.description, error.stream], [408, "Bad Request", name]);
      const empty = await rejects(jsm.direct.getMessage(name, {}), "JETSTREAM_STATUS");
      ok(empty instanceof JetStreamStatusError && empty.description === "Empty Request");
    },

    "nobody answers for a stream that is not there, or doesn't allow it (C-ADR31-1)": async (harness) => {
      const { jsm, name, store } = await begin(harness);
      await store(["a"]);
      const code = atLeast(harness.version, "2.10") ? "NO_RESPONDERS" : "TIMEOUT";
      const wait = { timeout: code === "TIMEOUT" ? 500 : 5000 };
      const error = await rejects(jsm.direct.getMessage(name, { seq: 1 }, wait), code);
      if (code === "NO_RESPONDERS") {
        equal(error.stream, name);
        ok(error.message.includes("allow_direct"));
      }
      await rejects(jsm.direct.getMessage(`${name}-none`, { seq: 1 }, wait), code);
    },

    "the headers of the server are the last where the message has such headers itself (C-ADR31-3)": async (
      harness,
    ) => {
      const { jsm, name, store } = await begin(harness, { allow_direct: true });
      const copied = headers();
      copied.set(DirectMsgHeaders.Sequence, "77");
      copied.set(DirectMsgHeaders.Subject, "elsewhere");
      copied.set(DirectMsgHeaders.Stream, "OTHER");
      copied.set(DirectMsgHeaders.TimeStamp, "2001-01-01T00:00:00Z");
      await store(["a"], { headers: copied });
      const found = await jsm.direct.getMessage(name, { seq: 1 });
      equal([found?.seq, found?.subject, found?.stream], [1, `${name}.a`, name]);
      ok((found?.time.getFullYear() ?? 0) > 2001);
    },

    "a mirror answers for its origin, and says so (C-ADR31-4, C-ADR59-6)": async (harness) => {
      const { jsm, name, store } = await begin(harness, { allow_direct: true });
      const last = await store(["a", "b"]);
      await jsm.streams.add({
        ...{ name: `${name}-m`, storage: "memory", mirror: { name } },
        ...{ allow_direct: true, mirror_direct: true },
      });
      let there = 0;
      while (there < last) there = (await jsm.streams.info(`${name}-m`)).state.last_seq;
      equal((await jsm.direct.getMessage(`${name}-m`, { seq: 2 }))?.stream, `${name}-m`);
      // whoever of the two is asked
      const found = await jsm.direct.getMessage(name, { seq: 2 });
      ok(found !== null && [name, `${name}-m`].includes(found.stream));
      equal(found.subject, `${name}.b`);
    },

    "several in a row, and what follows them; refused below 2.11 (C-ADR31-6, C-ADR31-9)": async (harness) => {
      const { jsm, name, store } = await begin(harness, { allow_direct: true });
      await store(["a", "b", "a", "b", "a", "b"]);
      await jsm.streams.deleteMessage(name, 2);
      const asked = jsm.direct.getBatch(name, { batch: 2 });
      if (!atLeast(harness.version, "2.11")) {
        ok((await rejects(asked, "UNSUPPORTED")).message.includes("2.11"));
        return;
      }
      const batch = await asked;
      equal([batch.end, batch.next], [undefined, undefined]);
      const found = await all(batch);
      equal(
        found.map((msg) => [msg.seq, msg.lastSequence, msg.pending, msg.string()]),
        [
          [1, 0, 4, "of a"],
          [3, 1, 3, "of a"],
        ],
      );
      equal([batch.getReceived(), batch.getProcessed(), batch.getPending()], [2, 2, 0]);
      equal(batch.end, { pending: 3, lastSequence: 3n });
      const seqs: number[] = [];
      for (let next = batch.next; next !== undefined; ) {
        const more = await jsm.direct.getBatch(name, next);
        seqs.push(...(await all(more)).map((msg) => msg.seq));
        ({ next } = more);
      }
      equal(seqs, [4, 5, 6]);
      const ofA = await all(await jsm.direct.getBatch(name, { seq: 2, next_by_subj: `${name}.a` }));
      equal(
        ofA.map((msg) => msg.seq),
        [3, 5],
      );
      const bytes = await jsm.direct.getBatch(name, { max_bytes: 1 });
      equal((await all(bytes)).length, 1);
      const since = await jsm.direct.getBatch(name, { start_time: "2020-01-01T00:00:00Z", batch: 1 });
      equal(
        (await all(since)).map((msg) => msg.seq),
        [1],
      );
      equal(since.next, { batch: 1, seq: 2n });
      const nothing = await jsm.direct.getBatch(name, { seq: 100 });
      equal([await all(nothing), nothing.next], [[], undefined]);
    },

    "a bound that is no number of messages or bytes is refused, with its value and the cure": async (
      harness,
    ) => {
      const { jsm, name, store } = await begin(harness, { allow_direct: true });
      const { direct } = jsm;
      for (const value of [0, -1, 1.5, NaN, Infinity]) {
        for (const bound of ["batch", "max_bytes"]) {
          for (const call of [
            direct.getBatch(name, { [bound]: value }),
            direct.getLastMessagesFor(name, { multi_last: [">"], [bound]: value }),
          ]) {
            const { message } = await rejects(call, "INVALID_ARGUMENT");
            ok(message.includes(`${bound} is ${value}: give`) && message.includes("1 or more"), message);
          }
        }
      }
      if (await lacksBatches(harness, jsm)) return;
      await store(["a", "b"]);
      // what is undefined is not said
      const unsaid = { batch: undefined, seq: undefined, max_bytes: undefined } as object;
      equal((await all(await direct.getBatch(name, unsaid))).length, 2);
    },

    "the last of each subject, as of one moment, page by page (C-ADR31-8, C-ADR31-9)": async (harness) => {
      const { jsm, name, store } = await begin(harness, { allow_direct: true });
      await store(["a", "b", "c", "a", "b", "d"]);
      const asked = jsm.direct.getLastMessagesFor(name, { multi_last: [`${name}.a`, `${name}.*`], batch: 2 });
      if (!atLeast(harness.version, "2.11")) {
        await rejects(asked, "UNSUPPORTED");
        return;
      }
      const first = await asked;
      equal(
        (await all(first)).map((msg) => [msg.seq, msg.subject]),
        [
          [3, `${name}.c`],
          [4, `${name}.a`],
        ],
      );
      equal(first.end, { pending: 2, lastSequence: 4n, upToSequence: 6n });
      // what is stored meanwhile does not count
      await store(["b", "d", "e"]);
      ok(first.next !== undefined);
      const second = await jsm.direct.getLastMessagesFor(name, first.next);
      equal(
        (await all(second)).map((msg) => msg.seq),
        [5, 6],
      );
      equal(second.next, undefined);
      const before = await jsm.direct.getLastMessagesFor(name, { multi_last: [`${name}.a`], up_to_seq: 3 });
      equal(
        (await all(before)).map((msg) => msg.seq),
        [1],
      );
      const past = { multi_last: [`${name}.a`], up_to_time: "2020-01-01T00:00:00Z" };
      equal(await all(await jsm.direct.getLastMessagesFor(name, past)), []);
      equal(await all(await jsm.direct.getLastMessagesFor(name, { multi_last: ["none"] })), []);
      await rejects(jsm.direct.getLastMessagesFor(name, { ...past, up_to_seq: 3 }), "INVALID_ARGUMENT");
    },

    "more than 1024 subjects are too many; the loop says so (C-ADR31-8, C-ADR31-11)": async (harness) => {
      const { nc, jsm, name, store } = await begin(harness, { allow_direct: true });
      if (await lacksBatches(harness, jsm)) return;
      for (let i = 0; i < 1024; i++) nc.publish(`${name}.s${i}`);
      await store(["last"]);
      const many = await jsm.direct.getLastMessagesFor(name, { multi_last: [`${name}.>`] });
      const error = await rejects(all(many), "JETSTREAM_STATUS");
      ok(error instanceof JetStreamStatusError && error.status === 413);
      equal([many.end, many.next], [undefined, undefined]);
    },

    "several that are not read cost no subscription: it ends with the last of them (C-ADR31-12)": async (
      harness,
    ) => {
      const { jsm, name, store } = await begin(harness, { allow_direct: true });
      if (await lacksBatches(harness, jsm)) return;
      await store(["a", "b"]);
      const unread = await jsm.direct.getBatch(name, {});
      while (unread.end === undefined) await jsm.getAccountInfo();
      equal(unread.getPending(), 2);
      // a loop that is left, one that is stopped, and one whose signal fires
      for await (const msg of await jsm.direct.getBatch(name, {})) {
        equal(msg.seq, 1);
        break;
      }
      const stopped = await jsm.direct.getBatch(name, {});
      stopped.stop(new Error("mine"));
      let thrown: unknown;
      await all(stopped).catch((error: unknown) => (thrown = error));
      equal(String(thrown), "Error: mine");
      await rejects(jsm.direct.getBatch(name, {}, { signal: AbortSignal.abort() }), "ABORTED");
    },

    "a batch from a stream that nobody answers for ends with an error (C-ADR31-1)": async (harness) => {
      const { nc, jsm, name } = await begin(harness);
      if (await lacksBatches(harness, jsm)) return;
      await rejects(all(await jsm.direct.getBatch(name, {})), "NO_RESPONDERS");
      await refuses(jsm.streams.info(`${name}-none`), 10059, "STREAM_NOT_FOUND");
      const open = await jsm.direct.getBatch(name, {});
      await nc.close();
      await rejects(all(open), ["CLOSED", "NO_RESPONDERS"]);
    },
  },
};
