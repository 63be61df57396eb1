// Accounts: mappings, exports and imports are what they are on a nats-server 2.15.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect } from "../../src/index.node.ts";
import { NatsServer, type ServerOptions } from "../../src/server/index.node.ts";
import { compare, hello, pair, type Script } from "./pair.ts";

const login = (user: string, more: object = {}): string => hello({ user, pass: user, ...more });

const both = await pair(
  { after },
  `accounts {
    A {
      users: [{ user: a, password: a }]
      mappings { m.plain: n.plain, "m.*.x": "n.{{wildcard(1)}}", w: [{ destination: w.two, weight: 100% }], "big.>": "small.>" }
      exports [
        { service: help }, { service: "ask.*", response: Stream }, { stream: "ev.>" }, { stream: priv.x, accounts: [B] }
      ]
    }
    B {
      users: [{ user: b, password: b }]
      imports [
        { service: { account: A, subject: help }, to: support }
        { service: { account: A, subject: "ask.*" } }
        { stream: { account: A, subject: "ev.>" }, prefix: fromA }
        { stream: { account: A, subject: priv.x }, to: got.x }
      ]
    }
    $SYS { users: [{ user: s, password: s }], mappings { sys.a: sys.b } }
  }`,
  {
    accounts: {
      A: {
        users: [{ user: "a", password: "a" }],
        mappings: {
          "m.plain": "n.plain",
          "m.*.x": "n.{{wildcard(1)}}",
          w: [{ destination: "w.two", weight: 100 }],
          "big.>": "small.>",
        },
        exports: [
          { service: "help" },
          { service: "ask.*", response: "stream" },
          { stream: "ev.>" },
          { stream: "priv.x", accounts: ["B"] },
        ],
      },
      B: {
        users: [{ user: "b", password: "b" }],
        imports: [
          { service: { account: "A", subject: "help" }, to: "support" },
          { service: { account: "A", subject: "ask.*" } },
          { stream: { account: "A", subject: "ev.>" }, prefix: "fromA" },
          { stream: { account: "A", subject: "priv.x" }, to: "got.x" },
        ],
      },
      $SYS: { users: [{ user: "s", password: "s" }], mappings: { "sys.a": "sys.b" } },
    },
  },
);

const SCENARIOS: Record<string, Script> = {
  "a mapping renames before anybody sees it": [
    [0, `${login("a")}SUB > 1\r\n`],
    [
      0,
      "PUB m.plain 1\r\nx\r\nPUB m.q.x 1\r\ny\r\nPUB w 1\r\nz\r\nPUB big.a.b 1\r\nq\r\nPUB m.other 1\r\nr\r\n",
    ],
  ],
  "a mapping of the system account renames too": [
    [0, `${login("s")}SUB sys.> 1\r\n`],
    [0, "PUB sys.a 1\r\nx\r\n"],
  ],
  "a request goes to the service of the other account, with who asks": [
    [0, `${login("a")}SUB help 1\r\nSUB ask.* 2\r\n`],
    [1, `${login("b")}SUB in.> 1\r\n`],
    [1, "PUB support in.1 2\r\nhi\r\n"],
    [1, "PUB ask.x in.2 2\r\nhi\r\n"],
    [1, "PUB support 2\r\nno\r\n"],
    [1, "HPUB support in.4 22 24\r\nNATS/1.0\r\nA: 12345\r\n\r\nhi\r\n"],
    [1, "PUB help in.1 2\r\nhi\r\n"],
  ],
  "nobody serves there": [
    [0, `${login("b")}SUB in.> 1\r\n`],
    [0, "PUB support in.1 2\r\nhi\r\n"],
  ],
  "a stream comes under its prefix, or its name": [
    [0, login("a")],
    [1, `${login("b")}SUB > 1\r\nSUB fromA.ev.x 2\r\nSUB got.* 3\r\n`],
    [0, "PUB ev.x 2\r\nhi\r\nPUB ev.y in.1 2\r\nhi\r\nPUB priv.x 1\r\np\r\nPUB other 1\r\np\r\n"],
    [1, "PUB fromA.ev.z 1\r\nq\r\n"],
  ],
};

for (const [title, script] of Object.entries(SCENARIOS)) test(title, () => compare(both, script));

test("mappings of the default account are those of its users too", async (t) => {
  const options = { accounts: { $G: { mappings: { "all.a": "all.b" } } } };
  const servers = await pair(t, "mappings { all.a: all.b }", options);
  await compare(servers, [[0, `${hello()}SUB all.> 1\r\nPUB all.a 1\r\nx\r\n`]]);
});

test("one answer comes back to a request, many where the export says so", async (t) => {
  for (const port of [both.real, both.embedded]) {
    const servers = `127.0.0.1:${port}`;
    const server = await connect({ servers, user: "a", pass: "a" });
    const client = await connect({ servers, user: "b", pass: "b" });
    t.after(() => Promise.all([server.close(), client.close()]));
    for (const subject of ["help", "ask.*"]) {
      server.subscribe(subject, {
        callback: (_, msg) => {
          for (let i = 0; i < 3; i++) msg.respond(`${i}`);
        },
      });
    }
    await server.flush();
    const answers = async (subject: string): Promise<string[]> => {
      const inbox = client.createInbox();
      const got: string[] = [];
      client.subscribe(inbox, { callback: (_, msg) => void got.push(msg.string()) });
      client.publish(subject, "?", { reply: inbox });
      // two round trips of each: all that comes has come
      for (let i = 0; i < 2; i++) {
        await client.flush();
        await server.flush();
      }
      await client.flush();
      return got;
    };
    assert.deepEqual(await answers("support"), ["0"]);
    assert.deepEqual(await answers("ask.me"), ["0", "1", "2"]);
  }
});

const user = [{ user: "u", password: "u" }];
for (const [what, accounts, says] of [
  [
    "an import of what nobody exports",
    { A: {}, B: { users: user, imports: [{ stream: { account: "A", subject: "x" } }] } },
    /account B imports the stream 'x' of account A, which does not export it/,
  ],
  [
    "an import of what others may have",
    {
      A: { exports: [{ service: "x", accounts: ["C"] }] },
      B: { users: user, imports: [{ service: { account: "A", subject: "x" } }] },
    },
    /account B imports the service 'x' of account A/,
  ],
  ["an import of nothing", { B: { users: user, imports: [{}] } }, /has neither service nor stream/],
  [
    "weights of more than everything",
    { B: { users: user, mappings: { a: [{ destination: "b", weight: 120 }] } } },
    /the weights of the mapping of 'a' are 120 %: give 100 at most/,
  ],
  [
    "a mapping that can't be",
    { B: { users: user, mappings: { a: "b.$1" } } },
    /'a' can't be mapped to 'b\.\$1': .*wildcard index out of range/,
  ],
] satisfies [string, NonNullable<ServerOptions["accounts"]>, RegExp][]) {
  test(`${what} is refused`, async () => {
    await assert.rejects(NatsServer.start({ accounts }), { code: "INVALID_ARGUMENT", message: says });
  });
}

test("a mapping with weights shares", async (t) => {
  const server = await NatsServer.start({
    accounts: {
      A: {
        users: user,
        mappings: {
          a: [
            { destination: "b", weight: 30 },
            { destination: "c", weight: 30 },
          ],
        },
      },
    },
  });
  const nc = await connect({ dialer: server.dialer(), user: "u", pass: "u" });
  t.after(() => nc.close().then(() => server.stop()));
  const got: Record<string, number> = {};
  nc.subscribe("*", { callback: (_, { subject }) => void (got[subject] = (got[subject] ?? 0) + 1) });
  for (let i = 0; i < 3000; i++) nc.publish("a");
  await nc.flush();
  assert.deepEqual(Object.keys(got).sort(), ["a", "b", "c"]);
  for (const [subject, share] of Object.entries({ a: 0.4, b: 0.3, c: 0.3 })) {
    assert.ok(Math.abs((got[subject] ?? 0) / 3000 - share) < 0.1, `${subject}: ${got[subject]}`);
  }
});
