// Suite: consumers, as the manager sees them.
import {
  AckPolicy,
  type ConsumerConfig,
  ConsumerExistsError,
  ConsumerNotFoundError,
  DeliverPolicy,
  isPullConsumer,
  isPushConsumer,
  JetStreamApiCodes,
  PriorityPolicy,
} from "../../src/jetstream/index.ts";
import { createInbox, nanos } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { all, begin, refuses } from "./jetstream-tools.ts";
import { atLeast, equal, eventually, inbox, ok, rejects } from "./tools.ts";

export const jetstreamConsumers: Suite = {
  name: "jetstream consumers",
  needs: ["jetstream"],
  cases: {
    "a consumer is durable, named, or has a name made up; its messages are acknowledged (C-CONS-1)": async (
      harness,
    ) => {
      const { jsm, name } = await begin(harness);
      const durable = await jsm.consumers.add(name, { durable_name: "d" });
      equal([durable.name, durable.stream_name, durable.config.durable_name], ["d", name, "d"]);
      equal(durable.config.ack_policy, AckPolicy.Explicit);
      const named = await jsm.consumers.add(name, { name: "n", ack_policy: "none" });
      equal([named.name, named.config.durable_name, named.config.ack_policy], ["n", undefined, "none"]);
      const nameless = await jsm.consumers.add(name, { filter_subject: `${name}.a` });
      ok(nameless.name.length > 10 && nameless.config.filter_subject === `${name}.a`);
      ok(isPullConsumer(nameless) && !isPushConsumer(nameless));
      const push = await jsm.consumers.add(name, { deliver_subject: createInbox() });
      ok(
        isPushConsumer(push) && push.config.ack_policy === AckPolicy.None,
        "a push consumer is left as it is",
      );
    },

    "infos, lists and names (C-ADR1-7)": async (harness) => {
      const { jsm, name, store } = await begin(harness);
      equal([await all(jsm.consumers.names(name)), await all(jsm.consumers.list(name))], [[], []]);
      await jsm.consumers.add(name, { durable_name: "a" });
      await jsm.consumers.add(name, { durable_name: "b" });
      await store(["x"]);
      equal((await all(jsm.consumers.names(name))).sort(), ["a", "b"]);
      const infos = await all(jsm.consumers.list(name));
      equal(infos.map((info) => info.name).sort(), ["a", "b"]);
      // a consumer hears of a message after who published it
      const info = await eventually(async () => {
        const now = await jsm.consumers.info(name, "a");
        return now.num_pending > 0 ? now : undefined;
      }, "nothing is pending");
      equal([info.num_pending, info.num_ack_pending, info.delivered.stream_seq], [1, 0, 0]);
      equal(await jsm.consumers.delete(name, "a"), true);
      const gone = await refuses(jsm.consumers.info(name, "a"), 10014, "CONSUMER_NOT_FOUND");
      ok(gone instanceof ConsumerNotFoundError);
      equal([gone.stream, gone.consumer], [name, "a"]);
      await rejects(jsm.consumers.delete(name, "a"), "CONSUMER_NOT_FOUND");
      await rejects(jsm.consumers.names(`${name}-none`).next(), "STREAM_NOT_FOUND");
      await rejects(jsm.consumers.info(`${name}-none`, "a"), ["STREAM_NOT_FOUND", "CONSUMER_NOT_FOUND"]);
    },

    "add makes, update changes, addOrUpdate does what is needed, also before 2.10 (C-CONS-3)": async (
      harness,
    ) => {
      const { jsm, name } = await begin(harness);
      const config: ConsumerConfig = { durable_name: "c", description: "one", max_deliver: 3 };
      await rejects(jsm.consumers.update(name, "c", { description: "x" }), "CONSUMER_NOT_FOUND");
      await jsm.consumers.add(name, config);
      const error = await refuses(
        jsm.consumers.add(name, { ...config, description: "two" }),
        10148,
        "CONSUMER_EXISTS",
      );
      ok(error instanceof ConsumerExistsError);
      const updated = await jsm.consumers.update(name, "c", { description: "three" });
      equal([updated.config.description, updated.config.max_deliver], ["three", 3]);
      const replaced = await jsm.consumers.addOrUpdate(name, { durable_name: "c", description: "four" });
      equal([replaced.config.description, replaced.config.max_deliver], ["four", -1]);
      equal((await jsm.consumers.addOrUpdate(name, { durable_name: "d" })).name, "d");
      const back = await jsm.consumers.update(name, "c", { description: null });
      equal(back.config.description, undefined);
    },

    "one filter is part of the subject of the call, several are not (C-CONS-2, C-CONS-5)": async (
      harness,
    ) => {
      const { nc, jsm, name } = await begin(harness);
      const audit = await inbox(nc, "$JS.EVENT.ADVISORY.API");
      const created = async (): Promise<string | undefined> => {
        const found = await audit.until(
          (msg) => msg.json<{ subject: string }>().subject.includes(`CONSUMER.CREATE.${name}.`),
          "no consumer was made",
        );
        audit.all.length = 0;
        return found.json<{ subject: string }>().subject;
      };
      await jsm.consumers.add(name, { durable_name: "one", filter_subject: `${name}.*` });
      equal(await created(), `$JS.API.CONSUMER.CREATE.${name}.one.${name}.*`);
      await jsm.consumers.add(name, { durable_name: "none" });
      equal(await created(), `$JS.API.CONSUMER.CREATE.${name}.none`);
      const filters = [`${name}.a`, `${name}.b`];
      const several = jsm.consumers.add(name, { durable_name: "several", filter_subjects: filters });
      if (!atLeast(harness.version, "2.10")) {
        ok(
          (await rejects(several, "UNSUPPORTED")).message.includes("filter_subjects needs nats-server 2.10"),
        );
        return;
      }
      equal((await several).config.filter_subjects, filters);
      equal(await created(), `$JS.API.CONSUMER.CREATE.${name}.several`);
      // one kind of filter takes the place of the other
      const single = await jsm.consumers.update(name, "several", { filter_subject: `${name}.c` });
      equal([single.config.filter_subject, single.config.filter_subjects], [`${name}.c`, undefined]);
      const again = await jsm.consumers.update(name, "several", { filter_subjects: filters });
      equal([again.config.filter_subject, again.config.filter_subjects], [undefined, filters]);
    },

    "what doesn't go together is refused by the server, by number (C-CONS-4, C-CONS-5, C-CONS-7, C-CONS-8, C-CONS-9)":
      async (harness) => {
        const { jsm, name } = await begin(harness);
        const modern = atLeast(harness.version, "2.10");
        const cases: [ConsumerConfig, number][] = [
          [{ deliver_subject: "d.*" }, 10079],
          [{ deliver_subject: "d", max_waiting: 3 }, 10080],
          [{ deliver_subject: "d", flow_control: true }, 10108],
          [{ deliver_subject: "d", idle_heartbeat: 1 }, 10083],
          [{ idle_heartbeat: nanos(1000) }, 10088],
          [{ flow_control: true }, 10089],
          [{ rate_limit_bps: 1000 }, 10086],
          [{ backoff: [nanos(1), nanos(2)], max_deliver: 1 }, 10116],
          [{ deliver_policy: "by_start_sequence" }, 10094],
          ...(modern
            ? ([
                [{ filter_subject: "a", filter_subjects: ["b"] }, 10136],
                [{ filter_subjects: ["a.>", "a.b"] }, JetStreamApiCodes.ConsumerFiltersOverlap],
                [{ filter_subjects: ["a", ""] }, JetStreamApiCodes.ConsumerEmptyFilter],
                [{ deliver_policy: DeliverPolicy.LastPerSubject }, 10094],
              ] as [ConsumerConfig, number][])
            : []),
        ];
        for (const [config, number] of cases) await refuses(jsm.consumers.add(name, config), number);
        await rejects(jsm.consumers.add(name, { name: "a", durable_name: "b" }), "JETSTREAM_API");
      },

    "what can't be changed is refused by the server (C-CONS-6)": async (harness) => {
      const { jsm, name } = await begin(harness);
      const config: ConsumerConfig = { durable_name: "c", ack_policy: "explicit" };
      await jsm.consumers.add(name, config);
      for (const change of [
        { ack_policy: "none" },
        { deliver_policy: "new" },
        { replay_policy: "original" },
      ] as const) {
        await refuses(
          jsm.consumers.addOrUpdate(name, { ...config, ...change }),
          JetStreamApiCodes.ConsumerCreate,
        );
      }
    },

    "consumers of a work queue must not share a message (C-CONS-11)": async (harness) => {
      const { jsm, name } = await begin(harness, { retention: "workqueue" });
      await jsm.consumers.add(name, { durable_name: "a", filter_subject: `${name}.a` });
      await refuses(jsm.consumers.add(name, { durable_name: "b", filter_subject: `${name}.a` }), 10100);
      await refuses(jsm.consumers.add(name, { durable_name: "c" }), 10099);
    },

    "pause, until a moment or until resume; refused below 2.11 (C-CONS-12)": async (harness) => {
      const { jsm, name } = await begin(harness);
      await jsm.consumers.add(name, { durable_name: "c" });
      const until = new Date(Date.now() + 60_000);
      await rejects(jsm.consumers.pause(name, "c", new Date(Number.NaN)), "INVALID_ARGUMENT");
      await rejects(jsm.consumers.pause(name, "c", undefined as unknown as Date), "INVALID_ARGUMENT");
      const paused = jsm.consumers.pause(name, "c", until);
      if (!atLeast(harness.version, "2.11")) {
        ok((await rejects(paused, "UNSUPPORTED")).message.includes("2.11 (API level 1)"));
        await rejects(jsm.consumers.resume(name, "c"), "UNSUPPORTED");
        return;
      }
      const answer = await paused;
      equal([answer.paused, Date.parse(answer.pause_until)], [true, until.getTime()]);
      equal((await jsm.consumers.info(name, "c")).paused, true);
      equal((await jsm.consumers.resume(name, "c")).paused, false);
      equal((await jsm.consumers.info(name, "c")).paused ?? false, false);
      await rejects(jsm.consumers.pause(name, "none", until), "CONSUMER_NOT_FOUND");
      const born = await jsm.consumers.add(name, { durable_name: "p", pause_until: until.toISOString() });
      equal(born.paused, true);
    },

    "priority groups and unpin; refused below the server that has them": async (harness) => {
      const { jsm, name } = await begin(harness);
      const config: ConsumerConfig = {
        durable_name: "c",
        priority_groups: ["g"],
        priority_policy: PriorityPolicy.PinnedClient,
        priority_timeout: nanos(5000),
      };
      const added = jsm.consumers.add(name, config);
      if (!atLeast(harness.version, "2.11")) {
        await rejects(added, "UNSUPPORTED");
        await rejects(jsm.consumers.unpin(name, "c", "g"), "UNSUPPORTED");
        return;
      }
      equal((await added).config.priority_policy, "pinned_client");
      await jsm.consumers.unpin(name, "c", "g");
      equal(
        (await jsm.consumers.info(name, "c")).priority_groups?.map(({ group }) => group),
        ["g"],
      );
      await refuses(jsm.consumers.unpin(name, "c", "h"), JetStreamApiCodes.InvalidPriorityGroup);
      const prioritized = jsm.consumers.add(name, {
        ...{ durable_name: "p", priority_groups: ["g"], priority_policy: PriorityPolicy.Prioritized },
      });
      if (atLeast(harness.version, "2.12")) equal((await prioritized).config.priority_policy, "prioritized");
      else await rejects(prioritized, "UNSUPPORTED");
    },

    "flow control as ack policy is refused below 2.14, and has its rules (C-ADR60-1, C-ADR60-2)": async (
      harness,
    ) => {
      const { jsm, name } = await begin(harness);
      const config: ConsumerConfig = {
        ...{ durable_name: "c", ack_policy: AckPolicy.FlowControl, deliver_subject: createInbox() },
        ...{ flow_control: true, idle_heartbeat: nanos(1000), max_ack_pending: 100 },
      };
      const added = jsm.consumers.add(name, config);
      if (!atLeast(harness.version, "2.14")) {
        await rejects(added, "UNSUPPORTED");
        return;
      }
      equal((await added).config.ack_policy, "flow_control");
      const { deliver_subject: _, ...pull } = config;
      await refuses(jsm.consumers.add(name, { ...pull, durable_name: "d" }), 10218);
      // a mirror through this consumer
      const mirror = { name, consumer: { name: "c", deliver_subject: config.deliver_subject ?? "" } };
      const made = await jsm.streams.add({ name: `${name}-m`, storage: "memory", mirror });
      equal(made.config.mirror?.consumer?.name, "c");
      const both = { ...mirror, opt_start_seq: 1 };
      await refuses(jsm.streams.add({ name: `${name}-n`, storage: "memory", mirror: both }), 10213);
    },

    "a reset begins anew at the ack floor or at a sequence; refused below 2.14 (C-CONS-13, C-ADR60-4)":
      async (harness) => {
        const { jsm, name, store } = await begin(harness);
        await store(["a", "b", "c"]);
        await jsm.consumers.add(name, { durable_name: "c" });
        const reset = jsm.consumers.reset(name, "c");
        if (!atLeast(harness.version, "2.14")) {
          await rejects(reset, "UNSUPPORTED");
          return;
        }
        equal((await reset).reset_seq, 1);
        // two are taken and not acknowledged
        const consumer = await jsm.jetstream().consumers.get(name, "c");
        await consumer.next();
        equal((await consumer.next())?.info.deliverySequence, 2);
        equal((await consumer.info()).num_ack_pending, 2);
        const back = await jsm.consumers.reset(name, "c");
        equal([back.reset_seq, back.num_ack_pending, back.num_pending], [1, 0, 3]);
        const again = await consumer.next();
        equal([again?.seq, again?.info.deliverySequence], [1, 1]);
        const stream = await jsm.streams.get(name);
        equal((await stream.resetConsumer("c", 3)).reset_seq, 3);
        // the server does not answer for one that isn't there
        await rejects(jsm.consumers.reset(name, "none"), "CONSUMER_NOT_FOUND");
        await rejects(jsm.consumers.reset(`${name}-none`, "c"), ["STREAM_NOT_FOUND", "CONSUMER_NOT_FOUND"]);
        await jsm.consumers.add(name, { durable_name: "new", deliver_policy: "new" });
        await refuses(jsm.consumers.reset(name, "new", 1), JetStreamApiCodes.ConsumerInvalidReset);
      },

    "names that would be other subjects are refused before they are sent (C-ADR6-1)": async (harness) => {
      const { jsm, name } = await begin(harness);
      const { consumers } = jsm;
      for (const consumer of ["", "a.b", "a b", "*", ">"]) {
        for (const call of [
          consumers.info(name, consumer),
          consumers.add(name, { name: consumer }),
          consumers.add(name, { durable_name: consumer }),
          consumers.update(name, consumer, {}),
          consumers.delete(name, consumer),
          consumers.pause(name, consumer, new Date()),
          consumers.resume(name, consumer),
          consumers.unpin(name, consumer, "g"),
          consumers.reset(name, consumer),
          consumers.stepDown(name, consumer),
          consumers.removePeer(name, consumer, "n"),
        ]) {
          await rejects(call, "INVALID_ARGUMENT");
        }
      }
      for (const call of [
        consumers.names("a.b").next(),
        consumers.list("a.b").next(),
        consumers.info("a.b", "c"),
      ]) {
        await rejects(call, "INVALID_ARGUMENT");
      }
    },
  },
};
