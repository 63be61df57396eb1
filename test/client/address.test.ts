import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Address, familyOf, hostPort, parseAddress, redacted } from "../../src/client/address.ts";
import { isNatsError } from "../../src/errors.ts";
import type { Scheme } from "../../src/transport/transport.ts";
import { draws } from "../fixtures/draws.ts";

const parse = (text: string, bare: Scheme = "nats", translate = false): Address =>
  parseAddress(text, bare, translate);

function refuses(text: unknown, ...parts: string[]): void {
  assert.throws(
    () => parseAddress(text as string, "nats"),
    (error) => {
      assert.ok(isNatsError(error));
      assert.equal(error.code, "INVALID_ARGUMENT");
      for (const part of parts) assert.ok(error.message.includes(part), error.message);
      return true;
    },
    `${String(text)} is taken`,
  );
}

describe("C-TCP-1: schemes and default ports", () => {
  for (const [text, scheme, hostname, port] of [
    ["demo.nats.io", "nats", "demo.nats.io", 4222],
    ["demo.nats.io:5222", "nats", "demo.nats.io", 5222],
    ["nats://localhost", "nats", "localhost", 4222],
    ["tls://localhost", "tls", "localhost", 4222],
    ["TLS://Localhost:1", "tls", "Localhost", 1],
    ["  nats://localhost:65535 ", "nats", "localhost", 65535],
  ] as const) {
    test(text, () => assert.deepEqual(parse(text), { scheme, hostname, port, path: "" }));
  }

  for (const [text, scheme, port] of [
    ["ws://host", "ws", 80],
    ["wss://host", "wss", 443],
    ["ws://host:80", "ws", 80],
    ["wss://host:443", "wss", 443],
    ["ws://host:443", "ws", 443],
    ["wss://host:80", "wss", 80],
    ["nats://host:80", "nats", 80],
    ["tls://host:443", "tls", 443],
    ["host:443", "nats", 443],
  ] as const) {
    // URL of the platform forgets a port that is the default of its scheme
    test(`trap 27: ${text} is port ${port}`, () => {
      const address = parse(text);
      assert.deepEqual([address.scheme, address.port], [scheme, port]);
    });
  }

  test("a bare host is what the runtime says", () => {
    assert.deepEqual(parse("host", "wss"), { scheme: "wss", hostname: "host", port: 443, path: "" });
    assert.deepEqual(parse("host:1", "ws"), { scheme: "ws", hostname: "host", port: 1, path: "" });
  });

  test("for a WebSocket runtime nats:// and http:// are ws://, tls:// and https:// are wss://", () => {
    for (const [scheme, is] of [
      ["nats", "ws"],
      ["http", "ws"],
      ["ws", "ws"],
      ["tls", "wss"],
      ["https", "wss"],
      ["wss", "wss"],
    ] as const) {
      assert.equal(parse(`${scheme}://host`, "wss", true).scheme, is);
    }
  });
});

describe("IPv6", () => {
  for (const [text, hostname, port] of [
    ["[::1]", "::1", 4222],
    ["[::1]:5000", "::1", 5000],
    ["nats://[2001:db8::1]:4223", "2001:db8::1", 4223],
    ["nats://[fe80::1%eth0]:4223", "fe80::1%eth0", 4223],
    ["[::ffff:10.0.0.1]:1", "10.0.0.1", 1],
    ["[::FFFF:10.0.0.1]", "10.0.0.1", 4222],
    ["::1", "::1", 4222],
    ["10.0.0.1", "10.0.0.1", 4222],
    // looks like an IPv6 address to who counts colons
    ["10.0.0.1:4223", "10.0.0.1", 4223],
  ] as const) {
    test(`trap 26: C-TCP-1: ${text}`, () => {
      const address = parse(text);
      assert.deepEqual([address.hostname, address.port], [hostname, port]);
    });
  }

  test("hostPort writes brackets where they are needed", () => {
    assert.equal(hostPort("::1", 4222), "[::1]:4222");
    assert.equal(hostPort("10.0.0.1", 4222), "10.0.0.1:4222");
  });
});

test("C-ADR18-1: a query means nothing to NATS, and a path nothing to TCP", () => {
  assert.deepEqual(parse("nats://host:1/path?option=1#x"), {
    scheme: "nats",
    hostname: "host",
    port: 1,
    path: "",
  });
  assert.equal(parse("tls://host?tls_first=true").hostname, "host");
});

test("trap 25: a WebSocket address keeps path and query", () => {
  assert.equal(parse("ws://host:1/a/b?c=d").path, "/a/b?c=d");
  assert.equal(parse("wss://host/").path, "/");
  assert.equal(parse("wss://host?c=d").path, "/?c=d");
  assert.equal(parse("wss://host").path, "");
});

describe("credentials", () => {
  const parts = (text: string) => {
    const { user, pass, token } = parse(text);
    return { user, pass, token };
  };

  test("C-CONN-7: user:pass@ is user and password, a lone user@ a token", () => {
    assert.deepEqual(parts("nats://me:secret@host"), { user: "me", pass: "secret", token: undefined });
    assert.deepEqual(parts("nats://s3cr3t@host"), { user: undefined, pass: undefined, token: "s3cr3t" });
    assert.deepEqual(parts("me:@host:1"), { user: "me", pass: "", token: undefined });
    assert.deepEqual(parts("host"), { user: undefined, pass: undefined, token: undefined });
  });

  test("C-CONN-7: both are percent-decoded, and may hold an '@' or a ':'", () => {
    assert.deepEqual(parts("nats://a%40b:c%3Ad%2F%25@host"), {
      user: "a@b",
      pass: "c:d/%",
      token: undefined,
    });
    assert.deepEqual(parts("nats://me:a@b:c@host"), { user: "me", pass: "a@b:c", token: undefined });
    assert.equal(parse("nats://me:a@b@host:1").hostname, "host");
  });

  test("C-AUTH-7: no message shows them, whatever is wrong with the address", () => {
    for (const text of [
      "nats://me:s3cr3t@host:99999",
      "nats://me:s3cr3t@",
      "nats://me:s3cr3t%zz@host",
      "nats://me:s3cr3t/x@host",
      "nats://me:s3cr3t?x@host:1",
      "bogus://me:s3cr3t@host",
      "nats://me:s3cr3t@[::1",
      "me:s3cr3t",
      "nats://me:s3cr3t",
      "wss://me:s3cr3t@host:x/path",
    ]) {
      assert.throws(
        () => parse(text),
        (error) => isNatsError(error) && !error.message.includes("s3cr3t"),
        text,
      );
    }
  });

  test("redacted takes them out and leaves the rest", () => {
    assert.equal(redacted("nats://me:s3cr3t@host:1"), "nats://host:1");
    assert.equal(redacted("s3cr3t@host:1"), "host:1");
    assert.equal(redacted("wss://me:s3cr3t@host/path?x=y"), "wss://host/path?x=y");
    assert.equal(redacted("wss://host/path@here"), "wss://host/path@here");
    assert.equal(redacted("host"), "host");
  });
});

test("what is no address is refused with the value and the cure", () => {
  refuses("", "is empty");
  refuses("   ", "is empty");
  refuses(undefined, "is empty");
  refuses(4222, "is empty");
  refuses("bogus://host", "'bogus'", "nats, tls, ws, wss");
  refuses("http://host", "'http'");
  refuses("nats://", "no host", "[scheme://]host[:port]");
  refuses("nats://:4222", "no host");
  refuses("[::1", "no ']'");
  refuses("[::1]x", "after ']'");
  refuses("[::1]:]", "port");
  refuses("]:", "bracket");
  refuses("[[]:1", "bracket");
  for (const port of ["0", "65536", "-1", "1.5", "x", "0x10", "1e3"]) refuses(`host:${port}`, "1 to 65535");
  refuses("ho st:1", "a blank");
  refuses("host\r\nINFO", "a blank");
});

test("trap 27: an empty port is the default one", () => {
  assert.equal(parse("host:").port, 4222);
  assert.equal(parse("wss://host:/path").port, 443);
});

test("the scheme says which transports belong together", () => {
  assert.deepEqual((["nats", "tls", "ws", "wss"] as const).map(familyOf), ["tcp", "tcp", "ws", "ws"]);
});

test("any text is an address or a NatsError, and an address comes back the same", () => {
  const schemes = fc.constantFrom<Scheme[]>("nats", "tls", "ws", "wss");
  fc.assert(
    fc.property(fc.string(), schemes, (text, bare) => {
      let address: Address;
      try {
        address = parseAddress(text, bare);
      } catch (error) {
        assert.ok(isNatsError(error), String(error));
        return;
      }
      const { scheme, hostname, port, path } = address;
      const again = parseAddress(`${scheme}://${hostPort(hostname, port)}${path}`, "nats");
      assert.deepEqual(again, { scheme, hostname, port, path });
    }),
    draws(1000),
  );
  fc.assert(
    fc.property(
      schemes,
      fc.oneof(
        fc.domain(),
        fc.ipV4(),
        fc.ipV6().filter((ip) => !/ffff:\d+\./i.test(ip)),
      ),
      fc.integer({ min: 1, max: 65535 }),
      fc.string({ minLength: 1, unit: "grapheme" }),
      fc.string({ unit: "grapheme" }),
      (scheme, hostname, port, user, pass) => {
        const login = `${encodeURIComponent(user)}:${encodeURIComponent(pass)}`;
        assert.deepEqual(parseAddress(`${scheme}://${login}@${hostPort(hostname, port)}`, "nats"), {
          scheme,
          hostname,
          port,
          path: "",
          user,
          pass,
        });
      },
    ),
    draws(100),
  );
});
