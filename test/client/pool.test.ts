import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { inspect } from "node:util";
import { type ConnectionOptions, resolveOptions } from "../../src/client/options.ts";
import { Pool, PoolServer } from "../../src/client/pool.ts";
import { isNatsError } from "../../src/errors.ts";
import type { ServerInfo } from "../../src/protocol/ops.ts";
import type { Scheme } from "../../src/transport/transport.ts";

function pool(servers: string | string[], options: ConnectionOptions = {}, bare: Scheme = "nats"): Pool {
  const runtime = { dialers: {}, bare, translate: false, defaultServer: "default", lang: "", version: "" };
  return new Pool(resolveOptions({ servers, noRandomize: true, ...options }, runtime));
}

const listens = ({ servers }: Pool): string[] => servers.map(({ listen }) => listen);
const info = (connect_urls?: string[]): ServerInfo => ({ connect_urls }) as unknown as ServerInfo;
const first = (of: Pool): PoolServer => of.servers[0] as PoolServer;

/** As after a dial: the current server is the last. */
function current(of: Pool): PoolServer {
  const server = first(of);
  of.rotate(server);
  return server;
}

describe("the list of the user", () => {
  test("C-ADR40-1: servers keep their order with noRandomize, and are there once", () => {
    assert.deepEqual(listens(pool(["b", "a:1", "nats://b:4222", "tls://a:1", "c"])), [
      "b:4222",
      "a:1",
      "c:4222",
    ]);
    // over another transport it is another server
    assert.equal(pool("nats://a:1,ws://a:1,ws://a:1/path").servers.length, 3);
  });

  test("C-ADR40-1: none named is the default one", () => {
    assert.deepEqual(listens(pool([])), ["default:4222"]);
  });

  test("C-ADR40-2: without noRandomize they are shuffled once, at the start", () => {
    const names = Array.from({ length: 30 }, (_, i) => `s${i}:4222`);
    const orders = Array.from({ length: 5 }, () => pool(names, { noRandomize: false }));
    for (const each of orders) {
      assert.deepEqual(listens(each).toSorted(), names.toSorted());
      assert.deepEqual(listens(each), listens(each));
    }
    assert.ok(orders.some((each) => listens(each).join() !== names.join()));
  });

  test("what is written down of a server begins empty", () => {
    const server = first(pool("ws://[::1]:80/path?x"));
    const { hostname, port, listen, src, gossiped, reconnects, lastConnect, didConnect, tlsName } = server;
    assert.deepEqual(
      { hostname, port, listen, src, gossiped, reconnects, lastConnect, didConnect, tlsName },
      {
        hostname: "::1",
        port: 80,
        listen: "[::1]:80",
        src: "ws://[::1]:80/path?x",
        gossiped: false,
        reconnects: 0,
        lastConnect: 0,
        didConnect: false,
        tlsName: "",
      },
    );
  });

  test("C-AUTH-7: nothing that prints a server shows its credentials", () => {
    const server = first(pool("nats://me:s3cr3t@host"));
    assert.equal(server.address.pass, "s3cr3t");
    assert.equal(server.src, "nats://host");
    for (const printed of [
      JSON.stringify(server),
      inspect(server, { depth: 9, showHidden: true }),
      server.key,
    ]) {
      assert.ok(!printed.includes("s3cr3t"), printed);
    }
  });

  test("a malformed one is refused", () => {
    assert.throws(() => pool("nats://a:x"), { code: "INVALID_ARGUMENT" });
  });
});

describe("C-ADR40-5: set()", () => {
  test("replaces the pool, and what is known of those that stay is kept", () => {
    const servers = pool("a,b");
    const [a, b] = servers.servers as PoolServer[];
    Object.assign(a as PoolServer, { reconnects: 3, didConnect: true });
    servers.set(["c", "a"]);
    assert.deepEqual(listens(servers), ["c:4222", "a:4222"]);
    assert.equal(servers.servers[1], a);
    assert.ok(!servers.servers.includes(b as PoolServer));
  });

  test("a gossiped one that the user names now is the user's", () => {
    const servers = pool("a");
    servers.update(info(["b:4222"]), current(servers));
    servers.set(["b"]);
    assert.deepEqual([first(servers).gossiped, servers.servers.length], [false, 1]);
  });

  test("new credentials are used", () => {
    const servers = pool("me:old@a");
    servers.set(["me:new@a"]);
    assert.equal(first(servers).address.pass, "new");
  });

  test("an empty or malformed list is refused, and the pool stays as it was", () => {
    const servers = pool("a,b");
    for (const list of [[], ["c", "d:x"]]) {
      assert.throws(
        () => servers.set(list),
        (error) => isNatsError(error) && error.code === "INVALID_ARGUMENT",
      );
      assert.deepEqual(listens(servers), ["a:4222", "b:4222"]);
    }
  });

  test("C-ADR40-2: shuffles unless noRandomize", () => {
    const names = Array.from({ length: 30 }, (_, i) => `s${i}:4222`);
    const servers = pool("a", { noRandomize: false });
    const orders = Array.from({ length: 5 }, () => {
      servers.set(names);
      return listens(servers).join();
    });
    assert.ok(orders.some((order) => order !== names.join()));
  });
});

describe("order", () => {
  test("the one that is dialled becomes the last", () => {
    const servers = pool("a,b,c");
    servers.rotate(first(servers));
    assert.deepEqual(listens(servers), ["b:4222", "c:4222", "a:4222"]);
  });

  test("one that is no longer in the pool stays out", () => {
    const servers = pool("a,b");
    const a = first(servers);
    servers.remove(a);
    servers.rotate(a);
    assert.deepEqual(listens(servers), ["b:4222"]);
  });
});

describe("C-ADR40-3: gossip", () => {
  test("new servers are added before the current one, which is the last to be dialled again", () => {
    const servers = pool("a,b");
    const a = current(servers);
    const update = servers.update(info(["10.0.0.1:4222", "a:4222", "10.0.0.2:5222"]), a);
    assert.deepEqual(update, { added: ["10.0.0.1:4222", "10.0.0.2:5222"], deleted: [] });
    assert.deepEqual(listens(servers), ["b:4222", "10.0.0.1:4222", "10.0.0.2:5222", "a:4222"]);
    assert.deepEqual(
      servers.servers.map(({ gossiped }) => gossiped),
      [false, true, true, false],
    );
  });

  test("the same again changes nothing", () => {
    const servers = pool("a");
    const a = current(servers);
    servers.update(info(["b:1"]), a);
    const [b] = servers.servers;
    assert.deepEqual(servers.update(info(["b:1"]), a), { added: [], deleted: [] });
    assert.equal(first(servers), b);
  });

  test("gossiped ones that are no longer named go; those of the user and the current one stay", () => {
    const servers = pool("a,b");
    servers.update(info(["c:1", "d:1"]), current(servers));
    const d = servers.servers.find(({ hostname }) => hostname === "d") as PoolServer;
    servers.rotate(d);
    assert.deepEqual(servers.update(info(["e:1"]), d), { added: ["e:1"], deleted: ["c:1"] });
    assert.deepEqual(listens(servers), ["b:4222", "a:4222", "e:1", "d:1"]);
    assert.deepEqual(servers.update(info([]), d), { added: [], deleted: ["e:1"] });
  });

  test("an INFO without connect_urls says nothing about the cluster", () => {
    const servers = pool("a");
    const a = current(servers);
    servers.update(info(["b:1"]), a);
    assert.deepEqual(servers.update(info(), a), { added: [], deleted: [] });
    assert.equal(servers.servers.length, 2);
  });

  test("new ones are shuffled unless noRandomize", () => {
    const urls = Array.from({ length: 30 }, (_, i) => `s${i}:1`);
    const orders = Array.from({ length: 5 }, () => {
      const servers = pool("a", { noRandomize: false });
      servers.update(info(urls), current(servers));
      return listens(servers).slice(0, -1).join();
    });
    assert.ok(orders.some((order) => order !== urls.join()));
  });

  test("an address that can't be read is left out", () => {
    const servers = pool("a");
    const { added } = servers.update(info(["b:x", "", "c:1", "http://d"]), current(servers));
    assert.deepEqual(added, ["c:1"]);
  });

  test("IPv6 comes in brackets", () => {
    const servers = pool("a");
    servers.update(info(["[::1]:4222"]), current(servers));
    assert.deepEqual([first(servers).hostname, first(servers).port], ["::1", 4222]);
  });

  for (const scheme of ["nats", "tls", "ws", "wss"] as const) {
    test(`trap 25: C-WS-12: C-TLS-5: on a ${scheme} link the new ones are ${scheme} too`, () => {
      const servers = pool(`${scheme}://a:1`);
      servers.update(info(["b:2"]), current(servers));
      assert.equal(first(servers).address.scheme, scheme);
    });
  }

  test("C-CONN-7: the new ones are given the credentials of the address that the current one has, and keep their own", () => {
    for (const [login, credentials] of [
      ["me:s3cr3t@", { user: "me", pass: "s3cr3t" }],
      ["t0ken@", { token: "t0ken" }],
      ["", {}],
    ] as const) {
      const servers = pool(`ws://${login}a:1/path,ws://other:pass@z:1`);
      servers.update(info(["b:2"]), current(servers));
      const b = servers.servers.find(({ hostname }) => hostname === "b") as PoolServer;
      assert.deepEqual(b.address, { scheme: "ws", hostname: "b", port: 2, path: "", ...credentials });
      assert.equal(b.src, "b:2");
    }
  });

  test("a list of mixed schemes: gossip of one transport leaves the servers of the other alone", () => {
    const servers = pool("nats://a:1,ws://b:2");
    const a = current(servers);
    servers.update(info(["c:3"]), a);
    const b = servers.servers.find(({ hostname }) => hostname === "b") as PoolServer;
    servers.rotate(b);
    assert.deepEqual(servers.update(info(["d:4"]), b), { added: ["d:4"], deleted: [] });
    assert.deepEqual(listens(servers).toSorted(), ["a:1", "b:2", "c:3", "d:4"]);
  });
});

describe("C-TLS-5: trap 28: the name to verify a gossiped IP against", () => {
  const tlsNameOf = (current_: PoolServer, servers: Pool, url: string): string => {
    servers.update(info([url]), current_);
    return servers.servers.find(({ gossiped }) => gossiped)?.tlsName ?? "not there";
  };

  test("is the host name that the user gave", () => {
    for (const [url, name] of [
      ["10.0.0.1:4222", "nats.example"],
      ["[2001:db8::1]:4222", "nats.example"],
      ["other.example:4222", ""],
    ] as const) {
      const servers = pool("tls://nats.example");
      assert.equal(tlsNameOf(current(servers), servers, url), name, url);
    }
  });

  test("is handed on by a gossiped server that itself has one", () => {
    const servers = pool("tls://nats.example");
    servers.update(info(["10.0.0.1:4222"]), current(servers));
    const gossiped = first(servers);
    servers.rotate(gossiped);
    servers.update(info(["10.0.0.1:4222", "10.0.0.2:4222"]), gossiped);
    assert.equal(servers.servers.find(({ hostname }) => hostname === "10.0.0.2")?.tlsName, "nats.example");
  });

  test("is none where the user gave an IP", () => {
    for (const url of ["tls://127.0.0.1", "tls://[::1]"]) {
      const servers = pool(url);
      assert.equal(tlsNameOf(current(servers), servers, "10.0.0.1:4222"), "", url);
    }
  });
});
