// Suite: streams, as the manager sees them.
import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  JetStreamNotEnabledError,
  jetstream,
  jetstreamManager,
  RepublishHeaders,
  RetentionPolicy,
  StorageType,
  StoreCompression,
  type StreamConfig,
  StreamExistsError,
  StreamNotFoundError,
} from "../../src/jetstream/index.ts";
import { headers, isNatsError } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { all, begin, refuses } from "./jetstream-tools.ts";
import { atLeast, equal, inbox, ok, rejects } from "./tools.ts";

export const jetstreamStreams: Suite = {
  name: "jetstream streams",
  needs: ["jetstream"],
  cases: {
    "a stream is made, found, listed and deleted (C-ADR1-1, C-ADR1-2, C-ADR1-6, C-ADR1-9, C-STRM-1, C-STRM-7)":
      async (harness) => {
        const { jsm, name } = await begin(harness);
        const info = await jsm.streams.info(name);
        equal([info.config.name, info.config.subjects], [name, [`${name}.>`]]);
        // what is not given is the server's default
        equal(
          [info.config.max_msgs, info.config.num_replicas, info.config.retention, info.config.discard],
          [-1, 1, RetentionPolicy.Limits, DiscardPolicy.Old],
        );
        equal(await jsm.streams.find(`${name}.a`), name);
        equal(await all(jsm.streams.names(`${name}.a`)), [name]);
        const [listed] = await jsm.streams.list(`${name}.a`).next();
        equal(listed?.config.name, name);
        equal(await jsm.streams.delete(name), true);
        const error = await rejects(jsm.streams.info(name), "STREAM_NOT_FOUND");
        ok(error instanceof StreamNotFoundError && error instanceof JetStreamApiError);
        equal(
          [error.apiErrorCode, error.status, error.stream],
          [JetStreamApiCodes.StreamNotFound, 404, name],
        );
        equal(error.apiError(), { code: 404, err_code: 10059, description: "stream not found" });
      },

    "lists of nothing are empty (C-ADR1-7, C-ADR1-8)": async ({ connect, prefix }) => {
      const { streams } = await jetstreamManager(await connect());
      const names = streams.names(`${prefix}.none`);
      equal([await names.next(), await names.next()], [[], []]);
      equal(await all(streams.names(`${prefix}.none`)), []);
      equal(await all(streams.list(`${prefix}.none`)), []);
      await rejects(streams.find(`${prefix}.none`), "STREAM_NOT_FOUND");
      // for which the server would tell of all streams
      for (const subject of ["", undefined as never]) await rejects(streams.find(subject), "INVALID_SUBJECT");
    },

    "a subject that several streams store has no one stream (C-STRM-7)": async (harness) => {
      const { jsm, name } = await begin(harness, {
        subjects: [`${harness.prefix}.a`, `${harness.prefix}.b`],
      });
      await jsm.streams.add({ name: `${name}-2`, subjects: [`${name}.c`], storage: StorageType.Memory });
      const error = await rejects(jsm.streams.find(`${name}.*`), "STREAM_NOT_FOUND");
      ok(error.message.includes(`${name}, ${name}-2`), error.message);
    },

    "the same stream may be made again, another of that name not; addOrUpdate replaces it (C-STRM-3)": async (
      harness,
    ) => {
      const { jsm, name } = await begin(harness);
      const config: StreamConfig = { name, subjects: [`${name}.>`], storage: "memory" };
      await jsm.streams.add(config);
      const error = await refuses(jsm.streams.add({ ...config, max_msgs: 5 }), 10058, "STREAM_EXISTS");
      ok(error instanceof StreamExistsError);
      await refuses(jsm.streams.add({ ...config, name: `${name}-2` }), JetStreamApiCodes.SubjectsOverlap);
      equal((await jsm.streams.addOrUpdate({ ...config, max_msgs: 5 })).config.max_msgs, 5);
      equal((await jsm.streams.addOrUpdate(config)).config.max_msgs, -1);
    },

    "an update changes what it names; null takes it back (C-STRM-4, C-ADR44-4)": async (harness) => {
      const { jsm, name } = await begin(harness, { description: "first", max_msgs: 7 });
      await jsm.streams.update(name, { max_bytes: 1 << 20, description: undefined });
      const { config } = await jsm.streams.update(name, { description: null, max_age: 3600e9 });
      equal(
        [config.description, config.max_msgs, config.max_bytes, config.max_age],
        [undefined, 7, 1 << 20, 3600e9],
      );
      await rejects(jsm.streams.update(`${name}-none`, {}), "STREAM_NOT_FOUND");
    },

    "what can't be changed is refused by the server; sealing is for ever (C-STRM-5, C-STRM-6)": async (
      harness,
    ) => {
      const { jsm, name, store } = await begin(harness, { deny_delete: true });
      await store(["a"]);
      await refuses(jsm.streams.update(name, { deny_delete: false }), JetStreamApiCodes.StreamInvalidConfig);
      await refuses(jsm.streams.addOrUpdate({ name, subjects: [`${name}.>`], storage: "file" }), 10052);
      await refuses(jsm.streams.add({ name: `${name}-2`, sealed: true }), 10052);
      equal((await jsm.streams.update(name, { sealed: true })).config.sealed, true);
      await refuses(jsm.streams.purge(name), JetStreamApiCodes.StreamSealed);
      await refuses(jsm.streams.update(name, { sealed: false }), 10052);
    },

    "limits of a configuration are the server's to judge (C-STRM-2, C-STRM-9)": async (harness) => {
      const { jsm, name } = await begin(harness);
      const other = `${name}-2`;
      for (const config of [
        { description: "x".repeat(4097) },
        { max_age: 1000 },
        { duplicate_window: 1000 },
        // what 2.9 lets through
        ...(atLeast(harness.version, "2.10") ? [{ subjects: ["$JS.>"] }] : []),
        { mirror_direct: true },
      ]) {
        await refuses(jsm.streams.add({ name: other, subjects: [`${other}.>`], ...config }), 10052);
      }
    },

    "the info counts subjects and lists deleted messages where asked to (C-STRM-8)": async (harness) => {
      const { jsm, name, store } = await begin(harness);
      await store(["a", "b", "a", "c.d"]);
      await jsm.streams.deleteMessage(name, 2);
      const plain = await jsm.streams.info(name);
      equal([plain.state.subjects, plain.state.deleted, plain.state.num_deleted], [undefined, undefined, 1]);
      const { state } = await jsm.streams.info(name, { subjects_filter: `${name}.*`, deleted_details: true });
      equal([state.subjects, state.deleted], [{ [`${name}.a`]: 2 }, [2]]);
      const none = await jsm.streams.info(name, { subjects_filter: `${name}.none` });
      equal(none.state.subjects ?? {}, {});
    },

    "purges: all, of a filter, before a sequence, all but the last (C-ADR10-1)": async (harness) => {
      const { jsm, name, store } = await begin(harness);
      const letters = ["a", "b", "a", "b", "a", "b", "a", "b"];
      await store(letters);
      equal((await jsm.streams.purge(name, { filter: `${name}.b`, keep: 3 })).purged, 1);
      equal((await jsm.streams.purge(name, { filter: `${name}.a`, seq: 3 })).purged, 1);
      equal((await jsm.streams.purge(name, { seq: 4 })).purged, 1);
      equal((await jsm.streams.purge(name, { keep: 4 })).purged, 1);
      equal((await jsm.streams.purge(name, { filter: `${name}.*` })).purged, 4);
      await store(["a"]);
      equal((await jsm.streams.purge(name)).purged, 1);
      await rejects(jsm.streams.purge(name, { seq: 1, keep: 1 }), "INVALID_ARGUMENT");
      await jsm.streams.update(name, { deny_purge: true });
      await refuses(jsm.streams.purge(name), JetStreamApiCodes.StreamPurgeDenied);
    },

    "a purge of what the server takes for everything is refused: of an empty filter, before 0, of NaN":
      async (harness) => {
        const { jsm, name, store } = await begin(harness);
        await store(["a", "b"]);
        for (const bound of [
          { seq: 0 },
          { seq: -1 },
          { seq: NaN },
          { seq: 1.5 },
          { keep: -1 },
          { keep: NaN },
        ]) {
          const [[field, value] = []] = Object.entries(bound);
          const { message } = await rejects(jsm.streams.purge(name, bound), "INVALID_ARGUMENT");
          ok(message.includes(`${field} is ${value}: give`), message);
        }
        for (const filter of ["", "a..b"])
          await rejects(jsm.streams.purge(name, { filter }), "INVALID_SUBJECT");
        equal((await jsm.streams.info(name)).state.messages, 2);
        equal((await jsm.streams.purge(name, { keep: 0 })).purged, 2);
      },

    "a message is got by sequence, as the last or the next of a subject, with its headers (C-GET-1, C-GET-2)":
      async (harness) => {
        const { jsm, name, store } = await begin(harness);
        const marked = headers();
        marked.append("Mark", "ü");
        marked.append("Mark", "2");
        await store(["a", "b", "a"], { headers: marked });
        const first = await jsm.streams.getMessage(name, { seq: 1 });
        ok(first !== null);
        equal(
          [first.subject, first.seq, first.sequence, first.string(), first.header.values("Mark")],
          [`${name}.a`, 1, 1n, "of a", ["ü", "2"]],
        );
        // both say the same moment, one to the nanosecond
        equal(first.time.getTime(), Number(first.timestampNanos / 1_000_000n));
        ok(Math.abs(first.time.getTime() - Date.now()) < 60_000, first.timestamp);
        equal((await jsm.streams.getMessage(name, { last_by_subj: `${name}.a` }))?.seq, 3);
        equal((await jsm.streams.getMessage(name, { last_by_subj: `${name}.*` }))?.seq, 3);
        equal((await jsm.streams.getMessage(name, { next_by_subj: `${name}.a`, seq: 2 }))?.seq, 3);
        equal((await jsm.streams.getMessage(name, { next_by_subj: `${name}.b` }))?.seq, 2);
        equal(await jsm.streams.getMessage(name, { seq: 9 }), null);
        equal(await jsm.streams.getMessage(name, { last_by_subj: `${name}.none` }), null);
        await refuses(jsm.streams.getMessage(name, { seq: 1, last_by_subj: `${name}.a` }), 10003);
        await rejects(jsm.streams.getMessage(`${name}-none`, { seq: 1 }), "STREAM_NOT_FOUND");
      },

    "a get by time or without headers is refused below the server that has it (C-GET-1)": async (harness) => {
      const { jsm, name, store } = await begin(harness);
      const marked = headers();
      marked.set("Mark", "1");
      await store(["a"], { headers: marked });
      const since = jsm.streams.getMessage(name, { start_time: "2020-01-01T00:00:00Z" });
      if (atLeast(harness.version, "2.11")) equal((await since)?.seq, 1);
      else ok((await rejects(since, "UNSUPPORTED")).message.includes("2.11 (API level 1)"));
      const bare = jsm.streams.getMessage(name, { seq: 1, no_hdr: true });
      if (atLeast(harness.version, "2.12")) equal((await bare)?.header.has("Mark"), false);
      else await rejects(bare, "UNSUPPORTED");
    },

    "sequences beyond 2^53 are exact (C-ADR1-4)": async (harness) => {
      const config = { first_seq: 2 ** 53 };
      if (!atLeast(harness.version, "2.10")) {
        await rejects(begin(harness, config), "UNSUPPORTED");
        return;
      }
      const { jsm, name, store } = await begin(harness, { ...config, allow_direct: true });
      await store(["a", "b"]);
      const second = 2n ** 53n + 1n;
      for (const got of [
        await jsm.streams.getMessage(name, { seq: second }),
        await jsm.streams.getMessage(name, { last_by_subj: `${name}.b` }),
        await jsm.direct.getMessage(name, { seq: second }),
      ]) {
        equal([got?.sequence, got?.string()], [second, "of b"]);
      }
      equal(await jsm.streams.deleteMessage(name, second), true);
      equal(await jsm.streams.getMessage(name, { seq: second }), null);
    },

    "a message is deleted, with its bytes or not; one that is not there is an error": async (harness) => {
      const { jsm, name, store } = await begin(harness);
      await store(["a", "b", "c"]);
      equal(await jsm.streams.deleteMessage(name, 2), true);
      equal(await jsm.streams.deleteMessage(name, 1, false), true);
      await refuses(jsm.streams.deleteMessage(name, 2), 10043, "MESSAGE_NOT_FOUND");
      equal((await jsm.streams.info(name)).state.messages, 1);
      await jsm.streams.update(name, { deny_delete: true });
      await refuses(jsm.streams.deleteMessage(name, 3), JetStreamApiCodes.MessageDeleteDenied);
    },

    "a stream by its name: info, alternates, messages": async (harness) => {
      const { nc, name, store } = await begin(harness);
      const js = jetstream(nc);
      const stream = await js.streams.get(name);
      await store(["a", "b"]);
      equal([stream.name, (await stream.info(true)).state.messages], [name, 0]);
      equal((await stream.info()).state.messages, 2);
      equal((await stream.info(true)).state.messages, 2);
      equal((await stream.getMessage({ seq: 2 }))?.string(), "of b");
      equal(await stream.deleteMessage(1), true);
      equal(await stream.alternates(), []);
      equal(await stream.best(), stream);
      await rejects(js.streams.get(`${name}-none`), "STREAM_NOT_FOUND");
      equal(js.apiPrefix, "$JS.API");
    },

    "names that would be other subjects are refused before they are sent (C-ADR6-1, C-ADR6-2)": async ({
      connect,
    }) => {
      const { streams } = await jetstreamManager(await connect(), { checkAPI: false });
      for (const name of ["", "a.b", "a b", "*", ">", "a\tb", "a/b", "a\\b", "a\0"]) {
        for (const call of [
          streams.info(name),
          streams.add({ name }),
          streams.update(name, {}),
          streams.purge(name),
          streams.delete(name),
          streams.getMessage(name, { seq: 1 }),
          streams.deleteMessage(name, 1),
          streams.snapshot(name),
          streams.stepDown(name),
          streams.removePeer(name, "n1"),
        ]) {
          await rejects(call, "INVALID_ARGUMENT");
        }
      }
      // everything else is the server's to judge, as it is written
      ok((await rejects(streams.info("Grüße_-42"), "STREAM_NOT_FOUND")).stream === "Grüße_-42");
    },

    "a mirror and sources: filters, lag, what they exclude (C-ADR36-1, C-ADR36-2, C-ADR59-2, C-ADR59-4)":
      async (harness) => {
        const { jsm, name, store } = await begin(harness);
        await store(["a", "b"]);
        const mirror = await jsm.streams.add({ name: `${name}-m`, storage: "memory", mirror: { name } });
        equal(mirror.config.mirror?.name, name);
        await jsm.streams.add({
          name: `${name}-s`,
          storage: "memory",
          sources: [{ name, filter_subject: `${name}.b`, opt_start_seq: 1 }],
        });
        const info = await jsm.streams.info(`${name}-m`);
        equal(info.mirror?.name, name);
        equal(
          (await jsm.streams.info(`${name}-s`)).sources?.map((source) => source.name),
          [name],
        );
        await refuses(jsm.streams.add({ name: `${name}-x`, subjects: ["x"], mirror: { name } }), 10034);
        await refuses(jsm.streams.add({ name: `${name}-x`, mirror: { name }, sources: [{ name }] }), 10031);
        // the same origin twice, with nothing that tells them apart
        const both = { name, filter_subject: "a", subject_transforms: [{ src: "b", dest: "" }] };
        const transformed = jsm.streams.add({ name: `${name}-x`, sources: [both] });
        if (!atLeast(harness.version, "2.10")) await rejects(transformed, "UNSUPPORTED");
        else {
          await refuses(transformed, 10144);
          await refuses(jsm.streams.add({ name: `${name}-x`, sources: [{ name }, { name }] }), 10140);
        }
      },

    "a domain of a source is a prefix of its API; not together with one (C-ADR59-1)": async (harness) => {
      const { jsm, name } = await begin(harness);
      const config = { name: `${name}-s`, storage: "memory" } as const;
      const { sources } = (await jsm.streams.add({ ...config, sources: [{ name, domain: "hub" }] })).config;
      equal(sources?.[0]?.external?.api, "$JS.hub.API");
      equal(Object.hasOwn(sources?.[0] ?? {}, "domain"), false);
      const external = { api: "$JS.hub.API" };
      await rejects(
        jsm.streams.add({ ...config, sources: [{ name, domain: "hub", external }] }),
        "INVALID_ARGUMENT",
      );
      await rejects(jsm.streams.add({ ...config, mirror: { name, domain: "a.b" } }), "INVALID_ARGUMENT");
    },

    "a mirror becomes a stream of its own, on servers that can (C-ADR59-3)": async (harness) => {
      const { jsm, name } = await begin(harness);
      await jsm.streams.add({ name: `${name}-m`, storage: "memory", mirror: { name } });
      const promotion = jsm.streams.update(`${name}-m`, { mirror: null, subjects: [`${name}-m.>`] });
      if (atLeast(harness.version, "2.12")) equal((await promotion).config.mirror, undefined);
      else await refuses(promotion, 10055);
    },

    "what is republished has the headers of where it is stored (C-ADR28-1)": async (harness) => {
      const { prefix } = harness;
      const republish = { src: `${prefix}.>`, dest: `copy.${prefix}.>`, headers_only: true };
      const { nc, store } = await begin(harness, { republish });
      const copies = await inbox(nc, `copy.${prefix}.>`);
      await store(["a", "a"]);
      const [, second] = await copies.first(2);
      const get = (header: string): string | undefined => second?.headers?.get(header);
      equal(
        [get(RepublishHeaders.Stream), get(RepublishHeaders.Subject), get(RepublishHeaders.Sequence)],
        [prefix, `${prefix}.a`, "2"],
      );
      equal(
        [get(RepublishHeaders.LastSequence), get(RepublishHeaders.Size), second?.data.length],
        ["1", "4", 0],
      );
    },

    "fields of 2.10 are kept by servers that have them, and refused before others (C-VER-3, C-ADR33-1, C-ADR35-1, C-ADR30-1)":
      async (harness) => {
        const fields: Partial<StreamConfig>[] = [
          { metadata: { owner: "me" } },
          { compression: StoreCompression.S2 },
          { first_seq: 10 },
          { subject_transform: { src: ">", dest: "x.>" } },
          { consumer_limits: { max_ack_pending: 10 } },
        ];
        const { jsm, name } = await begin(harness);
        for (const [index, fieldsOfOne] of fields.entries()) {
          const other = `${name}-${index}`;
          const added = jsm.streams.add({
            name: other,
            subjects: [`${other}.>`],
            storage: "memory",
            ...fieldsOfOne,
          });
          const [field = ""] = Object.keys(fieldsOfOne);
          if (atLeast(harness.version, "2.10")) {
            const { config } = await added;
            ok(field in config, field);
            if (field === "metadata") equal(config.metadata?.["owner"], "me");
          } else {
            const { message } = await rejects(added, "UNSUPPORTED");
            ok(
              message.includes(`${field} needs nats-server 2.10; `) && message.includes(harness.version),
              message,
            );
          }
        }
      },

    "fields of later servers are kept by servers of that API level, and refused before others (C-VER-1, C-VER-3, C-ADR56-1, C-ADR56-2)":
      async (harness) => {
        const fields: [Partial<StreamConfig>, string][] = [
          [{ allow_msg_ttl: true }, "2.11"],
          [{ subject_delete_marker_ttl: 1e9 }, "2.11"],
          [{ allow_msg_counter: true }, "2.12"],
          [{ allow_atomic: true }, "2.12"],
          [{ allow_msg_schedules: true }, "2.12"],
          [{ persist_mode: "async", storage: "file" }, "2.12"],
          [{ allow_batched: true }, "2.14"],
        ];
        const { jsm, name } = await begin(harness);
        for (const [index, [fieldsOfOne, since]] of fields.entries()) {
          const other = `${name}-${index}`;
          const added = jsm.streams.add({
            name: other,
            subjects: [`${other}.>`],
            storage: "memory",
            ...fieldsOfOne,
          });
          const [field = ""] = Object.keys(fieldsOfOne);
          if (atLeast(harness.version, since)) ok(field in (await added).config, field);
          else
            ok(
              (await rejects(added, "UNSUPPORTED")).message.includes(`${field} needs nats-server ${since} `),
            );
        }
        // the default is no request: any server takes it
        const { config } = await jsm.streams.add({
          ...{ name: `${name}-d`, subjects: [`${name}-d.>`], storage: "memory" },
          ...{ allow_msg_ttl: false, compression: "none", persist_mode: "default", metadata: {} },
        });
        equal(config.persist_mode ?? "default", "default");
      },

    "a field that the server doesn't know is its to refuse, and infos are not sent back (C-VER-4, C-VER-5)":
      async (harness) => {
        const { jsm, name } = await begin(harness);
        const config = {
          name: `${name}-2`,
          subjects: [`${name}-2.>`],
          storage: "memory",
          max_mesages: 1,
        } as const;
        const added = jsm.streams.add({ ...config, subjects: [...config.subjects] });
        if (atLeast(harness.version, "2.12")) {
          const { description } = await refuses(added, JetStreamApiCodes.InvalidJson);
          ok(description.includes("max_mesages"), description);
        } else ok((await added).config.name === config.name);
        // what the server told of itself is fit to be sent: an update is made of it
        equal((await jsm.streams.update(name, { max_msgs: 3 })).config.max_msgs, 3);
      },

    "pedantic: the server refuses what it would change (C-ADR44-6)": async (harness) => {
      const { jsm, name } = await begin(harness);
      const config: StreamConfig = {
        name: `${name}-2`,
        subjects: [`${name}-2.>`],
        max_age: 1e9,
        duplicate_window: 0,
      };
      const added = jsm.streams.add({ ...config, storage: "memory" }, { pedantic: true });
      if (atLeast(harness.version, "2.11")) await refuses(added, JetStreamApiCodes.Pedantic);
      else await rejects(added, "UNSUPPORTED");
    },

    "a required API level that is too high is refused, where servers read it (C-ADR44-2, C-ADR44-3, C-CONS-14)":
      async (harness) => {
        const { jsm, name } = await begin(harness);
        for (const level of ["99", "many"]) {
          const required = headers();
          required.set("Nats-Required-Api-Level", level);
          const call = jsm.streams.info(name, { headers: required });
          if (atLeast(harness.version, "2.12")) await refuses(call, 10185, "UNSUPPORTED");
          else equal((await call).config.name, name);
        }
      },

    "the own level of what is asked for is sent where that is wanted (C-ADR44-1)": async (harness) => {
      const nc = await harness.connect();
      const jsm = await jetstreamManager(nc, { sendRequiredApiLevel: true });
      const name = harness.prefix;
      const added = jsm.streams.add({ name, storage: "memory", allow_msg_ttl: true });
      if (atLeast(harness.version, "2.11")) equal((await added).config.allow_msg_ttl, true);
      else await rejects(added, "UNSUPPORTED");
    },

    "calls end by their timeout and their signal (C-ADR1-10)": async (harness) => {
      const { jsm, name, nc } = await begin(harness);
      const reason = new Error("enough");
      const aborted = await rejects(jsm.streams.info(name, { signal: AbortSignal.abort(reason) }), "ABORTED");
      equal(aborted.cause, reason);
      // unknown subjects of the API are never answered: somebody who listens makes sure of it
      await inbox(nc, "$JS.silent.API.>");
      const silent = await jetstreamManager(nc, { domain: "silent", checkAPI: false });
      await rejects(silent.streams.info(name, { timeout: 20 }), "TIMEOUT");
      const impatient = await jetstreamManager(nc, { domain: "silent", checkAPI: false, timeout: 20 });
      await rejects(impatient.getAccountInfo(), "TIMEOUT");
    },

    "the account info has the API level of the server, or none before 2.11 (C-VER-2)": async (harness) => {
      const { api, limits } = await (await jetstreamManager(await harness.connect())).getAccountInfo();
      equal(api.level, atLeast(harness.version, "2.11") ? 5 : undefined);
      equal(limits.max_streams, -1);
    },

    "what needs a cluster is refused by a single server": async (harness) => {
      const { jsm, name } = await begin(harness);
      await jsm.consumers.add(name, { durable_name: "c" });
      await refuses(jsm.streams.stepDown(name), 10010);
      await refuses(jsm.streams.removePeer(name, "n1"), 10010);
      await refuses(jsm.consumers.stepDown(name, "c"), 10010);
      for (const move of [
        () => jsm.consumers.removePeer(name, "c", "n1"),
        () => jsm.consumers.evacuatePeer(name, "c", "n1"),
        () => jsm.streams.evacuatePeer(name, "n1"),
        () => jsm.streams.cancelMove(name),
      ]) {
        if (atLeast(harness.version, "2.15")) await refuses(move(), 10010);
        else await rejects(move(), "UNSUPPORTED");
      }
      const placed = jsm.streams.stepDown(name, { preferred: "n1" });
      if (atLeast(harness.version, "2.11")) await refuses(placed, 10010);
      else await rejects(placed, "UNSUPPORTED");
    },
  },
};

export const jetstreamAbsent: Suite = {
  name: "jetstream absent",
  needs: ["own-server"],
  cases: {
    "a server without JetStream says so at once (C-ADR1-10)": async ({ connect, serve }) => {
      const server = await serve();
      const nc = await connect({ servers: server.url });
      const error = await rejects(jetstreamManager(nc), "JETSTREAM_NOT_ENABLED");
      ok(error instanceof JetStreamNotEnabledError && isNatsError(error.cause));
      // nothing is asked for before it is needed
      const jsm = await jetstreamManager(nc, { checkAPI: false });
      await rejects(jsm.streams.info("S"), "JETSTREAM_NOT_ENABLED");
    },
  },
};
