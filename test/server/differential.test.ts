// Differential: what is said to a nats-server 2.15 and to the embedded one is answered alike, byte for byte.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import type { PermissionOptions } from "../../src/server/permissions.ts";
import { draws } from "../fixtures/draws.ts";
import { compare, hello, pair, play, type Script } from "./pair.ts";
import { RawClient } from "./raw-client.ts";

const plain = await pair({ after }, {}, {});

const SCENARIOS: Record<string, Script> = {
  "the handshake, with the second INFO after the first PONG": [
    [0, hello()],
    [0, ""],
  ],
  "an old protocol gets one INFO": [
    [0, hello({ protocol: 0 })],
    [0, ""],
  ],
  "PING before CONNECT": [
    [0, ""],
    [0, hello()],
    [0, ""],
  ],
  "no CONNECT at all: verbose, pedantic, no headers": [
    [0, "SUB a 1\r\n"],
    [0, "PUB a 2\r\nhi\r\n"],
    [0, "PUB a..b 0\r\n\r\n"],
  ],
  "CONNECT {} keeps the defaults": [
    [0, "CONNECT {}\r\n"],
    [0, "SUB a 1\r\nUNSUB 9\r\nPUB a 0\r\n\r\n"],
  ],
  "a second CONNECT drops the subscriptions": [
    [0, `${hello()}SUB a 1\r\n`],
    [0, `${hello()}PUB a 0\r\n\r\n`],
  ],
  "CONNECT that is no JSON": [[0, "CONNECT {x}\r\n"]],
  "CONNECT without an argument": [[0, "CONNECT\r\n"]],
  "CONNECT with a wrong type": [[0, 'CONNECT {"verbose":"yes"}\r\n']],
  "CONNECT with an unknown field": [[0, 'CONNECT {"verbose":false,"what":1}\r\n']],
  "CONNECT with protocol 2": [[0, hello({ protocol: 2 })]],
  "CONNECT with protocol -1": [[0, hello({ protocol: -1 })]],
  "no_responders without headers": [[0, hello({ headers: false })]],
  "an account that is asked for": [[0, hello({ account: "A" })]],
  "unknown operations": [[0, `${hello()}HELLO\r\n`]],
  "operations of servers": [[0, `${hello()}MSG a 1 0\r\n\r\n`]],
  "INFO of a client is ignored": [[0, `${hello()}INFO {"a":1}\r\n+OK\r\n`]],
  "INFO that is no JSON": [[0, `${hello()}INFO x\r\n`]],
  "-ERR of a client": [[0, `${hello()}-ERR 'x'\r\n`]],
  "wrong numbers of arguments": [
    [0, `${hello()}SUB a\r\n`],
    [1, `${hello()}PUB a\r\n`],
    [2, `${hello()}UNSUB 1 2 3\r\n`],
    [3, `${hello()}HPUB a 1\r\n`],
  ],
  "operations without arguments": [
    [0, `${hello()}SUB\r\n`],
    [1, `${hello()}PUB\r\n`],
    [2, `${hello()}UNSUB\r\n`],
    [3, `${hello()}INFO\r\n`],
  ],
  "sizes that are none": [
    [0, `${hello()}PUB a x\r\n`],
    [1, `${hello()}PUB a -1\r\n`],
    [2, `${hello()}HPUB a 5 3\r\nxxx\r\n`],
  ],
  "a payload that is longer than said": [[0, `${hello()}PUB a 2\r\nxxxx\r\n`]],
  "names in any case, blanks in a row, LF alone": [
    [0, `${hello()}sub  a \t 1\nPuB a\t2\r\nhi\r\npingxyz\r\n`],
  ],
  "sizes are passed on as they were written": [
    [0, `${hello()}SUB a 1\r\nPUB a 0002\r\nhi\r\nHPUB a 0012 0014\r\nNATS/1.0\r\n\r\nhi\r\n`],
  ],
  "headers: a block of none, and one that is none": [
    [0, `${hello()}SUB a 1\r\nHPUB a 0 2\r\nhi\r\nHPUB a 4 6\r\nABCDhi\r\n`],
  ],
  "headers are taken off for who takes none": [
    [0, `${hello({ headers: false, no_responders: false })}SUB a 1\r\n`],
    [1, `${hello()}HPUB a r 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`],
  ],
  "HPUB of a client without headers": [
    [0, `${hello({ headers: false, no_responders: false })}HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`],
  ],
  "a control line of 4096 bytes, and of 4097": [
    [0, `${hello()}SUB ${"a".repeat(4094)} 1\r\n`],
    [1, `${hello()}SUB ${"a".repeat(4095)} 1\r\n`],
  ],
  "a payload of more than max_payload": [[0, `${hello()}PUB a 1048577\r\n`]],
  "subjects that can't be subscribed to": [
    [0, hello()],
    ...["a..b", ".a", "a.", ".", "a.>.b", ">.a"].map((subject) => [0, `SUB ${subject} 1\r\n`] as const),
  ],
  "subjects that can": [
    [0, hello()],
    ...["foo*", "f*o", "foo>", "**", "a.*.b", "*.>", ">"].map(
      (subject, i) => [0, `SUB ${subject} ${i}\r\n`] as const,
    ),
  ],
  "publishing to what is no subject": [[0, `${hello()}SUB > 1\r\nPUB a..b 0\r\n\r\nPUB a. r 0\r\n\r\n`]],
  "pedantic complains and goes on": [
    [0, `${hello({ pedantic: true })}SUB foo.* 1\r\n`],
    [0, "PUB foo.* 0\r\n\r\n"],
    [0, "PUB a..b 0\r\n\r\n"],
    [0, "PUB foo.> 1\r\nx\r\n"],
  ],
  "wildcards in a published subject are characters": [
    [0, `${hello()}SUB foo.* 1\r\nPUB foo.* 1\r\nx\r\n`],
    [0, "SUB foo.bar 2\r\nUNSUB 1\r\nPUB foo.* 1\r\nx\r\n"],
  ],
  verbose: [[0, `${hello({ verbose: true })}SUB a 1\r\nPUB a 0\r\n\r\nUNSUB 1\r\nUNSUB 1\r\nSUB a..b 2\r\n`]],
  "a sid that is taken": [
    [0, `${hello({ verbose: true })}SUB a 1\r\nSUB b 1\r\nPUB a 0\r\n\r\nPUB b 0\r\n\r\n`],
  ],
  "UNSUB with a maximum": [
    [0, `${hello()}SUB a 1\r\nPUB a 0\r\n\r\nUNSUB 1 2\r\nPUB a 1\r\n1\r\nPUB a 1\r\n2\r\n`],
  ],
  "UNSUB with a maximum that was passed": [
    [0, `${hello()}SUB a 1\r\nPUB a 0\r\n\r\nPUB a 0\r\n\r\nUNSUB 1 2\r\nPUB a 1\r\n1\r\n`],
  ],
  "UNSUB with another maximum, with 0, with none": [
    [0, `${hello()}SUB a 1\r\nUNSUB 1 5\r\nUNSUB 1 1\r\nPUB a 1\r\n1\r\nPUB a 1\r\n2\r\n`],
    [0, "SUB a 2\r\nUNSUB 2 0\r\nPUB a 1\r\n3\r\n"],
    [0, "SUB a 3\r\nUNSUB 3 x\r\nPUB a 1\r\n4\r\n"],
  ],
  "no echo": [
    [0, `${hello({ echo: false })}SUB a 1\r\nPUB a 0\r\n\r\n`],
    [1, `${hello()}PUB a 1\r\nx\r\n`],
  ],
  "no echo, and another member of the group": [
    [0, `${hello({ echo: false })}SUB a q 1\r\n`],
    [1, `${hello()}SUB a q 1\r\n`],
    ...Array.from({ length: 8 }, () => [0, "PUB a 1\r\nx\r\n"] as const),
  ],
  "no responders": [
    [0, `${hello()}SUB in.* 1\r\nPUB nobody in.1 0\r\n\r\n`],
    [0, "PUB nobody elsewhere 0\r\n\r\n"],
  ],
  "no responders: a group does not hear it": [[0, `${hello()}SUB in.* q 1\r\nPUB nobody in.1 0\r\n\r\n`]],
  "no responders: not echoed is not delivered": [
    [0, `${hello({ echo: false })}SUB a 1\r\nSUB in.* 2\r\nPUB a in.1 0\r\n\r\n`],
  ],
  "no responders is not counted": [
    [0, `${hello()}SUB in.* 1\r\nUNSUB 1 1\r\nPUB nobody in.1 0\r\n\r\nPUB nobody in.2 0\r\n\r\n`],
  ],
  "no responders: who does not want it": [
    [0, `${hello({ no_responders: false })}SUB in.* 1\r\nPUB nobody in.1 0\r\n\r\n`],
  ],
  "subjects and replies that are the server's": [
    [
      0,
      `${hello()}PUB _GR_.a 0\r\n\r\nPUB $NRG.a 0\r\n\r\nPUB a _R_.x 0\r\n\r\nPUB a $JS.ACK.x 0\r\n\r\nPUB a _GR_.x 0\r\n\r\nPUB a _R_. 0\r\n\r\n`,
    ],
  ],
  "a queue group that is the server's": [[0, `${hello()}SUB a _sys_ 1\r\n`]],
  "a subject with quotes in an error": [[0, `${hello()}SUB a"b\\c\u0001 _sys_ 1\r\n`]],
};

for (const [title, script] of Object.entries(SCENARIOS)) {
  test(title, () => compare(plain, script));
}

const login = (user: string, more: object = {}): string => hello({ user, pass: user, ...more });

const users: Record<string, PermissionOptions> = {
  all: {},
  some: {
    publish: { allow: ["a.>", "in.>"], deny: ["a.x", "a.y.*"] },
    subscribe: { allow: ["b.>", "in.>"] },
  },
  not: { publish: { deny: ["a.>"] }, subscribe: { deny: ["b.x", "b.y.>"] } },
  groups: { subscribe: { allow: ["bar q1", "baz q.*", "baz", "foo.>"] } },
  answers: { subscribe: { allow: ["req"] }, responses: true },
  twice: {
    publish: { allow: ["own"] },
    subscribe: { allow: ["req"] },
    responses: { max: 2, expires: 60_000 },
  },
};

const guarded = await pair(
  { after },
  {
    authorization: {
      users: Object.entries(users).map(([user, { publish, subscribe, responses }]) => ({
        user,
        password: user,
        permissions: {
          ...(publish && { publish }),
          ...(subscribe && { subscribe }),
          ...(responses === true && { allow_responses: true }),
          ...(typeof responses === "object" && { allow_responses: { max: responses.max, expires: "1m" } }),
        },
      })),
    },
  },
  { users: Object.entries(users).map(([user, permissions]) => ({ user, password: user, permissions })) },
);

const GUARDED: Record<string, Script> = {
  "who does not log in": [[0, hello()]],
  "who says anything else first": [
    [0, "SUB a 1\r\n"],
    [1, "PUB a 0\r\n\r\n"],
    [2, ""],
  ],
  "a wrong password, a wrong name": [
    [0, hello({ user: "all", pass: "x" })],
    [1, hello({ user: "nobody", pass: "x" })],
  ],
  "a token where there are users": [[0, hello({ auth_token: "t" })]],
  "a good login": [
    [0, login("all")],
    [0, "SUB a 1\r\nPUB a 0\r\n\r\n"],
  ],
  "what may be published": [
    [0, `${login("all")}SUB > 1\r\n`],
    ...["a", "a.b", "a.x", "a.y.z", "a.y", "in.1", "b"].map(
      (to, i) => [1, `${i === 0 ? login("some") : ""}PUB ${to} 0\r\n\r\n`] as const,
    ),
  ],
  "a denied publish with a reply is no 503": [
    [0, `${login("some")}SUB in.1 1\r\nPUB nobody in.1 0\r\n\r\nPUB a.nobody in.1 0\r\n\r\n`],
  ],
  "what may be subscribed to": [
    [0, login("some")],
    ...["b", "b.a", "b.*", "b.>", ">", "*.a", "in.*", "a.b"].map(
      (to, i) => [0, `SUB ${to} ${i}\r\nSUB ${to} q 1${i}\r\n`] as const,
    ),
  ],
  "a wildcard over what is denied": [
    [0, `${login("not")}SUB b.* 1\r\nSUB b.> 2\r\nSUB b.x 3\r\nSUB b.y.> 4\r\nSUB > 5\r\n`],
    [1, `${login("all")}PUB b.x 0\r\n\r\nPUB b.z 0\r\n\r\nPUB b.y.1 0\r\n\r\n`],
  ],
  "queue groups that may be joined": [
    [0, login("groups")],
    ...["bar", "bar q1", "bar q2", "baz", "baz q.1", "baz x", "foo.a", "foo.a any"].map(
      (to, i) => [0, `SUB ${to} ${i}\r\n`] as const,
    ),
  ],
  "answers to what was asked": [
    [0, `${login("answers")}SUB req 1\r\n`],
    [1, `${login("all")}SUB in.* 1\r\nPUB req in.1 0\r\n\r\n`],
    [0, "PUB in.1 1\r\n1\r\n"],
    [0, "PUB in.1 1\r\n2\r\nPUB in.2 1\r\n3\r\nPUB own 1\r\n4\r\n"],
  ],
  "two answers, and what may be published anyway": [
    [0, `${login("twice")}SUB req 1\r\n`],
    [1, `${login("all")}SUB in.* 1\r\nPUB req in.1 0\r\n\r\n`],
    [0, "PUB in.1 1\r\n1\r\nPUB in.1 1\r\n2\r\nPUB in.1 1\r\n3\r\nPUB own 1\r\n4\r\nPUB else 0\r\n\r\n"],
  ],
};

for (const [title, script] of Object.entries(GUARDED)) {
  test(`with users: ${title}`, () => compare(guarded, script));
}

const tight = await pair(
  { after },
  { max_payload: 10, max_subscriptions: 2, max_control_line: 100, max_connections: 2 },
  { maxPayload: 10, maxSubscriptions: 2, maxControlLine: 100, maxConnections: 2 },
);

const TIGHT: Record<string, Script> = {
  "a payload at the limit, and above it": [
    [0, `${hello()}SUB a 1\r\nPUB a 10\r\n0123456789\r\n`],
    [0, "PUB a 11\r\n0123456789X\r\n"],
  ],
  "one subscription too many": [
    [0, `${hello()}SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n`],
    [0, "UNSUB 1\r\nSUB c 3\r\nPUB c 0\r\n\r\n"],
  ],
  "a control line at the limit, and above it": [
    [0, `${hello()}SUB ${"a".repeat(98)} 1\r\n`],
    [0, `SUB ${"a".repeat(99)} 1\r\n`],
  ],
  "one connection too many": [
    [0, hello()],
    [1, hello()],
    [2, hello()],
  ],
};

for (const [title, script] of Object.entries(TIGHT)) {
  test(`with limits: ${title}`, () => compare(tight, script));
}

const accounts = await pair(
  { after },
  {
    accounts: {
      A: { users: [{ user: "a", password: "a" }] },
      B: { users: [{ user: "b", password: "b" }] },
    },
    no_auth_user: "a",
  },
  {
    accounts: { A: { users: [{ user: "a", password: "a" }] }, B: { users: [{ user: "b", password: "b" }] } },
    noAuthUser: "a",
  },
);

const ACCOUNTS: Record<string, Script> = {
  "each is a space of its own": [
    [0, `${login("a")}SUB > 1\r\n`],
    [1, `${login("b")}SUB > 1\r\n`],
    [0, "PUB x 1\r\na\r\n"],
    [1, "PUB x 1\r\nb\r\n"],
  ],
  "who gives no credentials is somebody": [
    [0, hello()],
    [0, ""],
  ],
  "without CONNECT too": [[0, "SUB a 1\r\nPUB a 0\r\n\r\n"]],
  "a wrong login is nobody": [[0, hello({ user: "a", pass: "x" })]],
};

for (const [title, script] of Object.entries(ACCOUNTS)) {
  test(`with accounts: ${title}`, () => compare(accounts, script));
}

/** What the server answers to the question who one is: not in order with anything else. */
async function whoIs(port: number, greeting: string): Promise<string[]> {
  const client = await RawClient.to(port);
  try {
    client.say(`${greeting}SUB in.1 1\r\nPUB $SYS.REQ.USER.INFO in.1 0\r\n\r\n`);
    await client.heard("MSG in.1 1");
    // the server gives what is denied in any order
    const sorted = (list: string): string => list.split(",").sort().join(",");
    return client.transcript
      .filter((frame) => frame.startsWith("MSG"))
      .map((frame) => frame.replace(/(?<="deny":\[)[^\]]*/g, sorted));
  } finally {
    client.end();
  }
}

test("the server says alike who one is", async () => {
  for (const [of, greeting] of [
    [plain, hello()],
    [guarded, login("not")],
    [guarded, login("all")],
    [accounts, hello()],
    [accounts, login("b")],
  ] as const) {
    assert.deepEqual(await whoIs(of.embedded, greeting), await whoIs(of.real, greeting), greeting);
  }
});

test("a group with members on two subjects is one group", async () => {
  const script: Script = [
    [0, `${hello()}SUB foo q 1\r\n`],
    [0, "SUB * q 2\r\n"],
    [1, `${hello()}PUB foo 1\r\nx\r\n`],
  ];
  for (const port of [plain.real, plain.embedded]) {
    const [frames = []] = await play(port, script);
    assert.equal(frames.filter((frame) => frame.startsWith("MSG foo")).length, 1);
  }
});

// -- anything ---------------------------------------------------------------------------------------------------------

const subject = fc.constantFrom("a", "a.b", "a.b.c", "b", "in.1", "$SYS.x", "a..b");
const filter = fc.constantFrom("a", "a.*", "a.>", ">", "*.b", "in.*", "a.b.", "*");
const sid = fc.constantFrom("1", "2", "3");
// no pedantic clients: the server complains twice where a payload comes in two reads
const operation = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(filter, sid).map(([to, id]) => `SUB ${to} ${id}\r\n`) },
  { weight: 1, arbitrary: fc.tuple(filter, sid).map(([to, id]) => `SUB ${to} own${id} ${id}\r\n`) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(sid, fc.constantFrom("", " 1", " 2", " 5"))
      .map(([id, max]) => `UNSUB ${id}${max}\r\n`),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(subject, fc.constantFrom("", " in.1", " in.2"))
      .map(([to, reply]) => `PUB ${to}${reply} 2\r\nhi\r\n`),
  },
  { weight: 2, arbitrary: subject.map((to) => `HPUB ${to} 12 14\r\nNATS/1.0\r\n\r\nhi\r\n`) },
  {
    weight: 1,
    arbitrary: fc.record({ verbose: fc.boolean(), echo: fc.boolean() }).map(hello),
  },
);

test("any conversation of two clients is answered alike", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(1), fc.array(operation, { minLength: 1, maxLength: 4 })), {
        minLength: 1,
        maxLength: 8,
      }),
      async (steps) => {
        const greetings: Script = [
          [0, hello()],
          [1, hello({ headers: false, no_responders: false })],
        ];
        // of a queue group with two members chance chooses one: each has its own
        const script = steps.map(([who, ops]) => [who, ops.join("").replaceAll(" own", ` q${who}`)] as const);
        await compare(plain, [...greetings, ...script]);
      },
    ),
    draws(2000),
  );
});
