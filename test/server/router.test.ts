// Router: against a plain scan of all subscriptions, with any subjects, in any order of coming and going.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { subjectMatches } from "../../src/protocol/subject.ts";
import { type Interest, Router } from "../../src/server/router.ts";
import { isSubscribeSubject } from "../../src/server/subjects.ts";
import { draws } from "../fixtures/draws.ts";

const token = fc.constantFrom("a", "b", "c", "*", ">", "a*", "$x");
const filters = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join("."));
const filter = filters.filter(isSubscribeSubject);
const subject = fc
  .array(fc.constantFrom("a", "b", "c", "$x", "a*"), { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join("."));
// acknowledgements have ways of their own
const acks = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 2, arbitrary: of },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom("$JS.ACK.a.b.", "$JS.ACK.a.c.", "$JS.ACK."), of)
        .map((parts) => parts.join("")),
    },
  );
const interest = fc.record({ subject: acks(filter), queue: fc.constantFrom("", "", "q", "r") });

/** All that a scan finds: plain ones, and how many members each group has. */
function scan(subs: readonly Interest[], to: string): string[] {
  const groups = new Map<string, number>();
  const found: string[] = [];
  for (const sub of subs) {
    if (!subjectMatches(sub.subject, to)) continue;
    if (sub.queue === "") found.push(`plain ${sub.subject}`);
    else {
      groups.set(sub.queue, (groups.get(sub.queue) ?? 0) + 1);
    }
  }
  for (const [key, members] of groups) found.push(`${key} ${members}`);
  return found.sort();
}

function routed(router: Router<Interest>, to: string): string[] {
  const { plain, groups } = router.match(to);
  return [
    ...plain.map((sub) => `plain ${sub.subject}`),
    ...groups.map((group) => `${group[0]?.queue} ${group.length}`),
  ].sort();
}

test("it finds what a scan finds, while subscriptions come and go", () => {
  fc.assert(
    fc.property(
      fc.array(interest, { maxLength: 30 }),
      fc.array(fc.tuple(fc.nat(29), acks(subject)), { maxLength: 30 }),
      (all, steps) => {
        const router = new Router<Interest>();
        const live = all.map((sub) => ({ ...sub }));
        for (const sub of live) router.add(sub);
        for (const [index, to] of steps) {
          assert.deepEqual(routed(router, to), scan(live, to));
          const [gone] = live.splice(index % Math.max(1, live.length), 1);
          if (gone !== undefined) router.remove(gone);
          assert.equal(router.size, live.length);
          assert.deepEqual(routed(router, to), scan(live, to));
        }
        for (const sub of live) router.remove(sub);
        assert.deepEqual([router.size, routed(router, "a.b")], [0, []]);
      },
    ),
    draws(600),
  );
});

test("a result in hand stays as it was while members leave", () => {
  const router = new Router<Interest>();
  const members = [1, 2, 3].map(() => ({ subject: "jobs", queue: "q" }));
  for (const member of members) router.add(member);
  const [group = []] = router.match("jobs").groups;
  router.remove(members[1] as Interest);
  assert.deepEqual([group.length, router.match("jobs").groups[0]?.length], [3, 2]);
});

test("removing what is not there changes nothing", () => {
  const router = new Router<Interest>();
  router.add({ subject: "a.b", queue: "" });
  for (const [subject, queue] of [
    ["a", ""],
    ["a.b.c", ""],
    ["a.b", ""],
    ["a.b", "q"],
    ["a.*", ""],
  ] as const) {
    router.remove({ subject, queue });
  }
  assert.deepEqual([router.size, router.match("a.b").plain.length], [1, 1]);
});

test("an empty token goes nowhere, and wildcards in a published subject are characters", () => {
  const router = new Router<Interest>();
  for (const to of [">", "foo.*", "foo.bar", "foo.>"]) router.add({ subject: to, queue: "" });
  const found = (to: string) =>
    router
      .match(to)
      .plain.map((sub) => sub.subject)
      .sort();
  assert.deepEqual(["", "foo.", ".foo", "foo..bar"].flatMap(found), []);
  assert.deepEqual(found("foo.*"), [">", "foo.*", "foo.>"]);
  assert.deepEqual(found("foo.>"), [">", "foo.*", "foo.>"]);
  assert.deepEqual(found("foo.bar"), [">", "foo.*", "foo.>", "foo.bar"].sort());
});

test("who watches a subject hears of those who begin and end to listen to exactly it", () => {
  const router = new Router<Interest>();
  const heard: string[] = [];
  const unwatch = router.watch("a.b", () => {
    heard.push(
      `${router.hasListener("a.b", "")} ${router.hasListener("a.b", "q")} ${router.hasInterest("a.b")}`,
    );
  });
  const subs = [
    { subject: "a.*", queue: "" },
    { subject: "a.b", queue: "q" },
    { subject: "a.b", queue: "" },
    { subject: "a.c", queue: "" },
  ];
  for (const sub of subs) router.add(sub);
  assert.deepEqual(heard.splice(0), ["false true true", "true true true"]);
  for (const sub of subs) router.remove(sub);
  assert.deepEqual(heard.splice(0), ["true false true", "false false false"]);
  unwatch();
  router.add(subs[2] as Interest);
  assert.deepEqual(heard, []);
});
