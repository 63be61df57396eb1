// Suite: what a server refuses, and who is told.
import {
  AuthorizationError,
  isNatsError,
  type NatsConnection,
  NatsError,
  PermissionViolationError,
} from "../../src/names.ts";
import type { Harness, Suite } from "./harness.ts";
import { check, Events, equal, inbox, ok, PATIENT, rejects, texts } from "./tools.ts";

/** A connection of a user that may not publish to `deny.>` nor subscribe to `sdeny.>`, and one that may do all. */
async function limited({
  connect,
  serve,
}: Harness): Promise<{ nc: NatsConnection; free: NatsConnection; events: Events }> {
  const server = await serve({
    users: [
      { user: "limited", pass: "p", publish: { deny: ["deny.>"] }, subscribe: { deny: ["sdeny.>"] } },
      { user: "free", pass: "p" },
    ],
  });
  const nc = await connect({ servers: server.url, user: "limited", pass: "p" });
  const free = await connect({ servers: server.url, user: "free", pass: "p" });
  return { nc, free, events: new Events(nc) };
}

export const refusals: Suite = {
  name: "errors",
  needs: ["own-server"],
  cases: {
    "wrong or missing credentials are AUTHORIZATION, and name no secret (C-AUTH-7)": async ({
      connect,
      serve,
    }) => {
      const server = await serve({ users: [{ user: "u", pass: "right" }] });
      for (const credentials of [{}, { user: "u", pass: "wr0ng" }, { user: "nobody", pass: "wr0ng" }]) {
        const error = await rejects(connect({ servers: server.url, ...credentials }), "AUTHORIZATION");
        ok(error instanceof AuthorizationError);
        equal(error.serverText, "Authorization Violation");
        ok(
          !JSON.stringify([error.message, error.stack, { ...error }]).includes("wr0ng"),
          "it shows the password",
        );
      }
      equal((await connect({ servers: server.url, user: "u", pass: "right" })).state, "connected");
    },

    "credentials in the address win, percent-decoded, and are never shown (C-CONN-7)": async ({
      connect,
      serve,
    }) => {
      const server = await serve({ users: [{ user: "ü:s@r", pass: "p/ss:w@rd%" }] });
      const userinfo = `${encodeURIComponent("ü:s@r")}:${encodeURIComponent("p/ss:w@rd%")}`;
      const nc = await connect({
        servers: server.url.replace("//", `//${userinfo}@`),
        user: "other",
        pass: "other",
      });
      equal(JSON.stringify(nc.getServers()).includes("w%40rd"), false);
      equal(JSON.stringify(nc.getServers()).includes("w@rd"), false);
    },

    "a refused publish is told as status, and the connection goes on (trap 18, C-ERR-5)": async (harness) => {
      const { nc, free, events } = await limited(harness);
      const got = await inbox(free, ">");
      nc.publish("deny.x", "no");
      nc.publish("allowed", "yes");
      const { error } = await events.until("error");
      ok(error instanceof PermissionViolationError);
      equal([error.code, error.operation, error.subject], ["PERMISSION_VIOLATION", "publish", "deny.x"]);
      ok(error.serverText?.startsWith("Permissions Violation for Publish"));
      equal(texts(await got.first(1)), ["yes"]);
      await nc.flush();
      equal([nc.state, events.of("disconnect").length], ["connected", 0]);
    },

    "a refused request rejects at once with the reason (C-ERR-4)": async (harness) => {
      const { nc, events } = await limited(harness);
      for (const noMux of [false, true]) {
        const error = await rejects(nc.request("deny.x", "", { ...PATIENT, noMux }), "PERMISSION_VIOLATION");
        equal(error.subject, "deny.x");
        const replies = await nc.requestMany("deny.x", "", { maxWait: 20_000, noMux });
        await rejects(
          (async () => {
            for await (const _ of replies);
          })(),
          "PERMISSION_VIOLATION",
        );
      }
      equal(nc.state, "connected");
      await events.until("error", 4);
    },

    "a refused subscription ends with the reason, by iterator, callback and closed (C-ERR-2, trap 18)":
      async (harness) => {
        const { nc, free } = await limited(harness);
        const sub = nc.subscribe("sdeny.x");
        const errors: unknown[] = [];
        const called = nc.subscribe("sdeny.y", { callback: (error) => void errors.push(error) });
        const queued = nc.subscribe("sdeny.z", { queue: "q" });
        const fine = await inbox(nc, "fine");
        const thrown = await rejects(
          (async () => {
            for await (const _ of sub);
          })(),
          "PERMISSION_VIOLATION",
        );
        ok(thrown instanceof PermissionViolationError);
        equal([thrown.operation, thrown.subject, thrown.queue], ["subscription", "sdeny.x", undefined]);
        equal(await sub.closed, thrown);
        equal(errors, [await called.closed]);
        const last = check(await queued.closed, "PERMISSION_VIOLATION");
        equal([last.subject, last.queue], ["sdeny.z", "q"]);
        free.publish("fine", "x");
        equal(texts(await fine.first(1)), ["x"]);
      },

    "one refusal ends one subscription: the first that lives (C-ERR-2)": async (harness) => {
      const { nc, events } = await limited(harness);
      const subs = [nc.subscribe("sdeny.x"), nc.subscribe("sdeny.x")];
      const errors = await Promise.all(subs.map((sub) => sub.closed));
      for (const error of errors) check(error, "PERMISSION_VIOLATION");
      equal(errors[0] === errors[1], false);
      await events.until("error", 2);
    },

    "an inbox that may not be subscribed to fails the requests, not by timeout (C-ERR-3, trap 59)": async ({
      connect,
      serve,
    }) => {
      const server = await serve({
        users: [
          { user: "a", pass: "a", subscribe: { deny: ["_INBOX.>"] } },
          { user: "b", pass: "b" },
        ],
      });
      const nc = await connect({ servers: server.url, user: "a", pass: "a" });
      const other = await connect({ servers: server.url, user: "b", pass: "b" });
      other.subscribe("echo", { callback: (_, msg) => void msg.respond(msg.data) });
      await other.flush();
      for (const noMux of [false, false, true]) {
        const error = await rejects(nc.request("echo", "x", { ...PATIENT, noMux }), "PERMISSION_VIOLATION");
        ok(error.subject?.startsWith("_INBOX.") || error.subject === "echo", error.message);
      }
      equal(nc.state, "connected");
    },

    "errors are of one family, with code, cause and facts (P6)": async ({ connect, serve }) => {
      const server = await serve({ users: [{ user: "u", pass: "p" }] });
      const error = await rejects(connect({ servers: server.url }), "AUTHORIZATION");
      ok(error instanceof Error && error instanceof NatsError && isNatsError(error));
      equal(error.name, "AuthorizationError");
      equal(isNatsError(new Error("other")), false);
    },
  },
};
