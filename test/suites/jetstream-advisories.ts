// Suite: advisories (ADR-2).
import { type Advisory, jetstreamManager } from "../../src/jetstream/index.ts";
import type { Suite } from "./harness.ts";
import { begin } from "./jetstream-tools.ts";
import { equal, Growing, ok, within } from "./tools.ts";

export const jetstreamAdvisories: Suite = {
  name: "jetstream advisories",
  needs: ["jetstream"],
  cases: {
    "they tell what happens to streams and consumers, with its facts (C-ADR2-1, C-ADR2-2)": async (
      harness,
    ) => {
      const { nc, jsm, name } = await begin(harness);
      const advisories = jsm.advisories();
      const seen = new Growing<Advisory>();
      const reading = (async () => {
        for await (const advisory of advisories) seen.push(advisory);
      })();
      await nc.flush();
      await jsm.consumers.add(name, { durable_name: "c" });
      const made = await seen.until(
        (one) => one.kind === "consumer_action" && one.data.stream === name,
        "no consumer_action",
      );
      ok(made.kind === "consumer_action");
      equal([made.data.consumer, made.data.action], ["c", "create"]);
      equal(made.subject, `$JS.EVENT.ADVISORY.CONSUMER.CREATED.${name}.c`);
      equal(made.data.type, "io.nats.jetstream.advisory.v1.consumer_action");
      ok(made.data.id.length > 10 && !Number.isNaN(Date.parse(made.data.timestamp)));
      const audit = await seen.until((one) => one.kind === "api_audit", "no api_audit");
      ok(audit.kind === "api_audit" && audit.data.subject.startsWith("$JS.API."));
      await jsm.streams.update(name, { max_msgs: 3 });
      await seen.until(
        (one) => one.kind === "stream_action" && one.data.action === "modify" && one.data.stream === name,
        "no stream_action",
      );
      await advisories.close();
      await within(reading, "the loop goes on after close()");
    },

    "one that is of no known kind comes too, and what is no advisory doesn't (C-ADR2-2, C-ADR1-3)": async (
      harness,
    ) => {
      const { nc, jsm, name } = await begin(harness);
      const subject = `${name}-events.>`;
      const advisories = jsm.advisories({ subject });
      await nc.flush();
      nc.publish(`${name}-events.a`, "not JSON");
      nc.publish(`${name}-events.b`, '{"type":"io.nats.jetstream.advisory.v9.brand_new","more":1}');
      for await (const advisory of advisories) {
        equal([advisory.kind as string, advisory.subject], ["brand_new", `${name}-events.b`]);
        break;
      }
    },

    "those of another domain are left out where a domain was chosen": async (harness) => {
      const nc = await harness.connect();
      const subject = `${harness.prefix}.>`;
      const jsm = await jetstreamManager(nc, { domain: "hub", checkAPI: false });
      await using advisories = jsm.advisories({ subject });
      await nc.flush();
      for (const domain of ["leaf", "hub"]) {
        nc.publish(
          `${harness.prefix}.a`,
          JSON.stringify({ type: "a.stream_action", domain, stream: domain }),
        );
      }
      for await (const { data } of advisories) {
        equal(data.domain, "hub");
        break;
      }
    },
  },
};
