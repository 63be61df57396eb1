// Config: the format of nats-server's configuration, and what of it the embedded server knows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { optionsOf } from "../../src/server/config-options.ts";
import { readConfig } from "../../src/server/config-text.ts";

const options = (text: string) => optionsOf(readConfig(text), (path) => `text of ${path}`);

test("keys and values are apart by a colon, an equals sign or a blank, entries by lines or commas", () => {
  assert.deepEqual(
    readConfig("a: 1\nb = two words, c { d [1, x\n y] } ; e: 'q #' # comment\nf nats://h:1 // too"),
    {
      a: 1,
      b: "two words",
      c: { d: [1, "x", "y"] },
      e: "q #",
      f: "nats://h:1",
    },
  );
});

test("numbers have units, of a thousand or of 1024", () => {
  assert.deepEqual(readConfig("a: [1K, 1KB, 2m, 2MiB, 1g, 1GB, 1.5, -1, 30s]"), {
    a: [1000, 1024, 2e6, 2 * 1024 ** 2, 1e9, 1024 ** 3, 1.5, -1, "30s"],
  });
});

test("yes and no have several names, and quotes make texts of them", () => {
  assert.deepEqual(readConfig(`a: [true, on, YES, false, off, no, "true", "a\\tb\\x41"]`), {
    a: [true, true, true, false, false, false, "true", "a\tbA"],
  });
});

test("a variable is what the text says around it, or what the environment says", () => {
  const config = readConfig("PASS: x, a { PASS: y, b: $PASS, c: $OUTSIDE }, d: $PASS", { OUTSIDE: "12" });
  assert.deepEqual(config, { PASS: "x", a: { PASS: "y", b: "y", c: 12 }, d: "x" });
});

for (const [text, says] of [
  ["a: 1\nb {\nc: 1\n", /line 4 of the configuration ends before its '\}'/],
  ["a: [1,", /line 1 of the configuration ends before its '\]'/],
  ["a: 1\nb:", /line 2 of the configuration has no value for 'b'/],
  ["]", /has '\]' where a name should be/],
  ["a: $NOWHERE", /uses \$NOWHERE, which is set nowhere/],
  ["include other.conf", /includes a file: put it all into one/],
] as const) {
  test(`${JSON.stringify(text)} is refused with its line`, () => {
    assert.throws(() => readConfig(text), { code: "INVALID_ARGUMENT", message: says });
  });
}

test("a configuration as people have it becomes options", () => {
  const made = options(`
    listen: "0.0.0.0:4333"
    server_name: dev
    max_payload: 2MB
    jetstream { store_dir: "/data", max_mem: 1GB, domain: hub }
    ping_interval: "30s", ping_max: 3
    websocket { port: -1, no_tls: true }
    tls { cert_file: c.pem, key_file: k.pem, ca_file: ca.pem, verify: true }
    authorization {
      timeout: 1.5
      default_permissions { publish: "a.>" }
      users = [
        { user: ann, password: s3cret, permissions { subscribe: { allow: ["x", "y.* q"], deny: z } } }
        { nkey: UABC, permissions { allow_responses: { max: 2, expires: "1m" } } }
        { user: bob, password: b }
      ]
    }
    mappings { all: "every.$G" }
    accounts {
      ORDERS {
        jetstream: enabled
        users: [ { user: carl, password: c } ]
        mappings { a: b, "c.*": [ { destination: "d.$1", weight: 30% } ] }
        exports [ { service: help, response: Stream, accounts: [X] } ]
        imports [ { stream: { account: X, subject: "ev.>" }, prefix: x } ]
      }
    }
  `);
  assert.deepEqual(made, {
    host: "0.0.0.0",
    port: 4333,
    name: "dev",
    maxPayload: 2 * 1024 ** 2,
    jetstream: { storeDir: "/data", maxMemory: 1024 ** 3, domain: "hub" },
    pingInterval: 30_000,
    maxPingsOut: 3,
    websocket: { port: 0 },
    tls: { cert: "text of c.pem", key: "text of k.pem", ca: "text of ca.pem", allowPlain: false },
    loginTimeout: 1500,
    users: [
      {
        user: "ann",
        password: "s3cret",
        permissions: { subscribe: { allow: ["x", "y.* q"], deny: ["z"] } },
      },
      { nkey: "UABC", permissions: { responses: { max: 2, expires: 60_000 } } },
      { user: "bob", password: "b", permissions: { publish: { allow: ["a.>"] } } },
    ],
    accounts: {
      $G: { mappings: { all: "every.$G" } },
      ORDERS: {
        jetstream: true,
        users: [{ user: "carl", password: "c" }],
        mappings: { a: "b", "c.*": [{ destination: "d.$1", weight: 30 }] },
        exports: [{ service: "help", response: "stream", accounts: ["X"] }],
        imports: [{ stream: { account: "X", subject: "ev.>" }, prefix: "x" }],
      },
    },
  });
});

for (const [text, says] of [
  [
    "cluster { name: x }",
    /doesn't know 'cluster': leave it out, or use nats-server\. Known here: listen, host/,
  ],
  ["authorization { users: [ { usr: a } ] }", /doesn't know 'authorization\.users\[0\]\.usr'/],
  ['accounts { "$G" { users: [] } }', /accounts is "\$G": give another name, as this is reserved/],
  ["max_payload: lots", /max_payload is "lots": give a number/],
  ["ping_interval: soon", /ping_interval is "soon": give a duration such as 30s/],
  ["listen: here", /listen is "here": give host:port/],
  ["websocket { port: 1 }", /websocket has neither tls nor no_tls/],
] as const) {
  test(`${text} is refused by name`, () => {
    assert.throws(() => options(text), { code: "INVALID_ARGUMENT", message: says });
  });
}
