// Permissions as real servers enforce them: every text, and to whom it is told.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { NatsConnection } from "../../src/index.node.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";
import { check, Events, inbox, PATIENT, rejects, texts, within } from "../suites/tools.ts";
import { dial } from "./support.ts";

function withPermissions(permissions: object): Record<string, unknown> {
  return {
    authorization: {
      users: [
        { user: "ann", password: "a", permissions },
        { user: "free", password: "f" },
      ],
    },
  };
}

/** A connection of a user with these permissions, and one that may do all. */
async function connected(
  t: TestContext,
  permissions: object,
): Promise<{ server: RealServer; nc: NatsConnection; free: NatsConnection; events: Events }> {
  trackLeaks(t);
  const server = await startServer(t, { config: withPermissions(permissions) });
  const nc = await dial(t, { servers: server.url, user: "ann", pass: "a" });
  const free = await dial(t, { servers: server.url, user: "free", pass: "f" });
  return { server, nc, free, events: new Events(nc) };
}

test("C-ERR-1 Permissions Violation for Publish: the subject is read as it is, whatever is in it", async (t) => {
  const { nc, events } = await connected(t, { publish: { deny: ["deny.>"] } });
  for (const subject of ['deny.a"b', "deny.a\\b", "deny.grüße.日本", "deny.a'b"]) {
    const error = await rejects(nc.request(subject, "", PATIENT), "PERMISSION_VIOLATION");
    assert.equal(error.subject, subject);
  }
  assert.equal(events.of("error").length, 4);
  assert.equal(nc.state, "connected");
});

test("C-SUBJ-7 Permissions Violation for Publish with Reply: told as status, the connection goes on", async (t) => {
  const { nc, free, events } = await connected(t, {});
  const got = await inbox(free, "x");
  let count = 0;
  for (const reply of ["_R_.a.b", "$JS.ACK.a.b", "_GR_.a.b"]) {
    nc.publish("x", "no", { reply });
    const error = check((await events.until("error", ++count)).error, "PERMISSION_VIOLATION");
    assert.match(error.serverText ?? "", /^Permissions Violation for Publish with Reply of /);
    assert.equal(error.subject, reply);
  }
  nc.publish("x", "yes");
  assert.deepEqual(texts(await got.first(1)), ["yes"]);
});

test("C-ERR-2 Permissions Violation for Subscription: by group where only some groups may", async (t) => {
  const { nc, free } = await connected(t, { subscribe: { allow: ["_INBOX.>", "jobs workers", "open"] } });
  const [plain, wrong, right] = [
    nc.subscribe("jobs"),
    nc.subscribe("jobs", { queue: "idlers" }),
    await inbox(nc, "jobs", { queue: "workers" }),
  ];
  const first = check(await plain.closed, "PERMISSION_VIOLATION");
  const second = check(await wrong.closed, "PERMISSION_VIOLATION");
  assert.deepEqual([first.subject, first.queue], ["jobs", undefined]);
  assert.deepEqual([second.subject, second.queue], ["jobs", "idlers"]);
  free.publish("jobs", "work");
  assert.deepEqual(texts(await right.first(1)), ["work"]);
  assert.equal(right.sub.isClosed(), false);
});

test("a wildcard over a denied subject is taken, and what is denied does not come", async (t) => {
  const { nc, free, events } = await connected(t, { subscribe: { deny: ["secret.>"] } });
  const got = await inbox(nc, ">");
  free.publish("secret.x", "no");
  free.publish("open.x", "yes");
  assert.deepEqual(texts(await got.first(1)), ["yes"]);
  assert.deepEqual(events.types, []);
});

test("Permissions Violation for Subscription, too many tokens: ends that subscription", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { config: "max_sub_tokens: 3" });
  const nc = await dial(t, { servers: server.url });
  const fine = await inbox(nc, "a.b.c");
  const error = check(await nc.subscribe("a.b.c.d").closed, "PERMISSION_VIOLATION");
  assert.equal(error.subject, "a.b.c.d");
  assert.match(error.serverText ?? "", /too many tokens/);
  nc.publish("a.b.c", "x");
  assert.deepEqual(texts(await fine.first(1)), ["x"]);
});

test("C-ERR-2 a right that a reload takes away ends the subscriptions it was for, by sid", async (t) => {
  const { server, nc, free, events } = await connected(t, {});
  const [a, b, queued, other] = [
    await inbox(nc, "news.a"),
    await inbox(nc, "news.a"),
    await inbox(nc, "news.b", { queue: "q" }),
    await inbox(nc, "else"),
  ];
  await server.reload(withPermissions({ subscribe: { deny: ["news.>"] } }));
  for (const { sub } of [a, b, queued]) {
    const error = check(await within(sub.closed, "it is still open"), "PERMISSION_VIOLATION");
    assert.equal(error.subject, sub.getSubject());
    assert.match(error.serverText ?? "", new RegExp(`\\(sid "${sub.getID()}"\\)`));
  }
  assert.equal(other.sub.isClosed(), false);
  free.publish("else", "x");
  assert.deepEqual(texts(await other.first(1)), ["x"]);
  assert.deepEqual(events.types, ["error", "error", "error"]);
  // and the right comes back for new ones
  await server.reload(withPermissions({}));
  const again = await inbox(nc, "news.a");
  free.publish("news.a", "x");
  assert.deepEqual(texts(await again.first(1)), ["x"]);
});

test("C-ERR-3 an inbox that a reload takes away fails what is pending, and works again when it may", async (t) => {
  const { server, nc, free } = await connected(t, {});
  free.subscribe("never", { callback: () => {} });
  free.subscribe("echo", { callback: (_, msg) => void msg.respond(msg.data) });
  await free.flush();
  const pending = rejects(nc.request("never", "", { timeout: 20_000 }), "PERMISSION_VIOLATION");
  await nc.flush();
  await server.reload(withPermissions({ subscribe: { deny: ["_INBOX.>"] } }));
  await within(pending, "it is still pending");
  await rejects(nc.request("echo", "x", { timeout: 20_000 }), "PERMISSION_VIOLATION");
  await server.reload(withPermissions({}));
  assert.equal((await nc.request("echo", "again", PATIENT)).string(), "again");
});

test("C-ERR-4 a request whose right to publish a reload took away is refused at once", async (t) => {
  const { server, nc, free } = await connected(t, {});
  free.subscribe("echo", { callback: (_, msg) => void msg.respond(msg.data) });
  await free.flush();
  assert.equal((await nc.request("echo", "x", PATIENT)).string(), "x");
  await server.reload(withPermissions({ publish: { deny: ["echo"] } }));
  await rejects(nc.request("echo", "x", { timeout: 20_000 }), "PERMISSION_VIOLATION");
});

test("allow_responses: one answer may be given, the second is refused and told", async (t) => {
  const { nc, free, events } = await connected(t, {
    subscribe: { allow: ["service"] },
    allow_responses: { max: 1, expires: "1m" },
  });
  nc.subscribe("service", {
    callback: (_, msg) => {
      msg.respond("first");
      msg.respond("second");
    },
  });
  await nc.flush();
  assert.equal((await free.request("service", "", PATIENT)).string(), "first");
  const error = check((await events.until("error")).error, "PERMISSION_VIOLATION");
  assert.match(error.serverText ?? "", /^Permissions Violation for Publish to "_INBOX\./);
});
