import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ConnectionOptions, type Runtime, resolveOptions } from "../../src/client/options.ts";
import { isNatsError } from "../../src/errors.ts";
import type { Dialer } from "../../src/transport/transport.ts";

const nobody: Dialer = () => Promise.reject(new Error("not dialled here"));

const RUNTIME: Runtime = {
  dialers: { nats: nobody, tls: nobody },
  bare: "nats",
  translate: false,
  defaultServer: "127.0.0.1",
  lang: "test",
  version: "0",
};

const resolve = (options?: ConnectionOptions, runtime = RUNTIME) =>
  resolveOptions(options as ConnectionOptions, runtime);

function refuses(options: object, code: string, ...parts: string[]): void {
  assert.throws(
    () => resolve(options),
    (error) => {
      assert.ok(isNatsError(error));
      assert.equal(error.code, code);
      for (const part of parts) assert.ok(error.message.includes(part), error.message);
      return true;
    },
    JSON.stringify(options),
  );
}

test("the defaults are those of the documentation", async () => {
  const { authenticate, runtime, ...rest } = resolve();
  assert.deepEqual(rest, {
    servers: ["127.0.0.1"],
    renewable: false,
    timeout: 20_000,
    pingInterval: 120_000,
    maxPingOut: 2,
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    maxReconnectTimeWait: 8000,
    reconnectJitter: 100,
    reconnectJitterTLS: 1000,
    noRandomize: false,
    pedantic: false,
    verbose: false,
    inboxPrefix: "_INBOX",
    whenDisconnected: "buffer",
    maxPendingBytes: 8 * 1024 * 1024,
    maxOutboundBytes: 512 * 1024 * 1024,
  });
  assert.equal(runtime, RUNTIME);
  assert.deepEqual(await authenticate(), {});
  assert.deepEqual(resolve({}).servers, rest.servers);
});

describe("C-ADR40-1: the servers", () => {
  const servers = (given: ConnectionOptions) => resolve(given).servers;

  test("one, a list with commas, an array, or both", () => {
    assert.deepEqual(servers({ servers: "a" }), ["a"]);
    assert.deepEqual(servers({ servers: "a, b:1 ,nats://c" }), ["a", "b:1", "nats://c"]);
    assert.deepEqual(servers({ servers: ["a", "b,c"] }), ["a", "b", "c"]);
  });

  test("none is the default one", () => {
    for (const given of ["", " , ", [], [""]]) assert.deepEqual(servers({ servers: given }), ["127.0.0.1"]);
    assert.deepEqual(resolve({}, { ...RUNTIME, defaultServer: "demo" }).servers, ["demo"]);
  });

  test("trap 27: port is short for a server of this machine, and with servers it is refused rather than forgotten", () => {
    assert.deepEqual(servers({ port: 5222 }), ["127.0.0.1:5222"]);
    assert.deepEqual(servers({ port: 80 }), ["127.0.0.1:80"]);
    refuses({ servers: "a", port: 5222 }, "INVALID_ARGUMENT", "'servers' and 'port'");
    for (const port of [0, -1, 65_536, 1.5, Number.NaN, "4222"]) {
      refuses({ port }, "INVALID_ARGUMENT", `port is ${port}`);
    }
  });
});

test("a number that can't be meant is refused with its name, its value and the least", () => {
  for (const [name, least] of Object.entries({
    timeout: 1,
    pingInterval: 1,
    maxPingOut: 1,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 0,
    maxReconnectTimeWait: 0,
    reconnectJitter: 0,
    reconnectJitterTLS: 0,
    maxPendingBytes: 0,
    maxOutboundBytes: 1,
  })) {
    for (const value of [least - 1, Number.NaN, "10", {}, -Infinity]) {
      refuses({ [name]: value }, "INVALID_ARGUMENT", `${name} is ${String(value)}`, `${least} or more`);
    }
    for (const value of [least, Infinity]) {
      assert.equal((resolve({ [name]: value }) as unknown as Record<string, unknown>)[name], value);
    }
  }
});

test("other options are checked too", () => {
  refuses({ whenDisconnected: "wait" }, "INVALID_ARGUMENT", "'wait'", "buffer, throw or drop");
  for (const inboxPrefix of ["a.", "a.*", ">", "a b", ""]) refuses({ inboxPrefix }, "INVALID_SUBJECT");
  assert.equal(resolve({ inboxPrefix: "my.inbox" }).inboxPrefix, "my.inbox");
});

test("C-AUTH-1: authenticator, token, user and password come together", async () => {
  const { authenticate, renewable } = resolve({
    authenticator: [() => ({ user: "a" }), () => ({ jwt: "j" })],
    token: "t",
    pass: "ignored without a user",
  });
  assert.deepEqual(await authenticate(), { user: "a", jwt: "j", auth_token: "t" });
  assert.equal(renewable, true);
  assert.equal(resolve({ user: "a", pass: "b" }).renewable, false);
});

test("dialer replaces every transport", () => {
  const dialer: Dialer = () => Promise.reject(new Error("mine"));
  const { runtime } = resolve({ dialer });
  assert.deepEqual(runtime.dialers, { nats: dialer, tls: dialer, ws: dialer, wss: dialer });
  assert.equal(runtime.bare, RUNTIME.bare);
});

test("trap 106: the caller's objects stay as they are", () => {
  const given = Object.freeze({
    servers: Object.freeze(["b", "a"]) as string[],
    tls: Object.freeze({ ca: "x" }),
    user: "u",
  });
  const resolved = resolve(given);
  assert.deepEqual(resolved.servers, ["b", "a"]);
  assert.notEqual(resolved.servers, given.servers);
});

test("tls: undefined leaves it to the server, null refuses it", () => {
  assert.equal(resolve({}).tls, undefined);
  assert.equal(resolve({ tls: null }).tls, null);
  assert.deepEqual(resolve({ tls: {} }).tls, {});
});

test("options may lie upon others: what is inherited counts, what is undefined does not", () => {
  const base: ConnectionOptions = { name: "base", noEcho: true, pedantic: true, timeout: 7, tls: {} };
  const over: ConnectionOptions = Object.create(base);
  over.name = "over";
  const { name, noEcho, pedantic, timeout, tls, verbose } = resolve(over);
  assert.deepEqual([name, noEcho, pedantic, timeout, tls, verbose], ["over", true, true, 7, {}, false]);
});
