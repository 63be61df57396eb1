import assert from "node:assert/strict";
import { test } from "node:test";
import { consumePlan, fetchPlan, limitsOf } from "../../src/jetstream/pull-plan.ts";
import { Pulls } from "../../src/jetstream/pulls.ts";
import type { ConsumeOptions, ConsumerConfig } from "../../src/jetstream/index.ts";
import { failing } from "../traps/support.ts";

const consume = (options: ConsumeOptions = {}): Pulls =>
  new Pulls(consumePlan(options, undefined), limitsOf(undefined), new Map());

test("the plan of a consume has the defaults of ADR-37; half is left when more is asked for (C-ADR37-3)", () => {
  const plan = consumePlan({}, undefined);
  assert.deepEqual(
    [plan.messages, plan.thresholdMessages, plan.bytes, plan.expires, plan.heartbeat],
    [100, 50, 0, 30_000, 15_000],
  );
  assert.equal(consumePlan({ max_bytes: 1000 }, undefined).messages, 1_000_000);
  assert.equal(consumePlan({ expires: 1000 }, undefined).heartbeat, 500);
  assert.equal(consumePlan({ expires: 600_000 }, undefined).heartbeat, 30_000);
  assert.equal(fetchPlan({}, undefined).heartbeat, 0);
  assert.equal(fetchPlan({ expires: 120_000 }, undefined).heartbeat, 15_000);
});

test("trap 70: with max_messages 1 there is one at a time; what is held counts (C-ADR37-3, C-ADR37-4)", () => {
  const pulls = consume({ max_messages: 1 });
  assert.equal(pulls.next(0, 0, 30_000)?.batch, 1);
  assert.equal(pulls.next(0, 0, 30_000), undefined);
  pulls.took(100);
  assert.equal(pulls.next(1, 0, 30_000), undefined);
  assert.equal(pulls.next(0, 0, 30_000)?.batch, 1);
});

test("a threshold of 0 asks again when nothing is left, and one of max whenever there is room (trap 70)", () => {
  const late = consume({ max_messages: 4, threshold_messages: 0 });
  assert.equal(late.next(0, 0, 30_000)?.batch, 4);
  for (let i = 0; i < 4; i++) late.took(0);
  assert.equal(late.next(1, 0, 30_000), undefined);
  assert.equal(late.next(0, 0, 30_000)?.batch, 4);
  const early = consume({ max_messages: 4, threshold_messages: 4 });
  assert.equal(early.next(0, 0, 30_000)?.batch, 4);
  assert.equal(early.next(0, 0, 30_000), undefined);
  early.took(0);
  assert.equal(early.next(0, 0, 30_000)?.batch, 1);
});

test("what a status says is missing is asked for again, what it says of a pull before a loss is not", () => {
  const pulls = consume({ max_messages: 10 });
  pulls.next(0, 0, 30_000);
  const { id } = pulls;
  pulls.took(0);
  pulls.over(id, 9, 0);
  assert.equal(pulls.messages, 0);
  assert.equal(pulls.next(0, 0, 30_000)?.batch, 10);
  pulls.void();
  assert.equal(pulls.isCurrent(pulls.id), false);
  assert.equal(pulls.next(0, 0, 30_000)?.batch, 10);
  assert.equal(pulls.isCurrent(pulls.id), true);
});

test("a pull that was refused is missing as a whole", () => {
  const pulls = consume({ max_messages: 10, threshold_messages: 8 });
  pulls.next(0, 0, 30_000);
  for (let i = 0; i < 3; i++) pulls.took(0);
  assert.equal(pulls.next(0, 0, 30_000)?.batch, 3);
  pulls.over(pulls.id, undefined, undefined);
  assert.equal(pulls.messages, 7);
});

test("trap 66: after a message that was too large for the rest, the next pull has all the bytes; if it had, there is none", () => {
  const pulls = consume({ max_bytes: 1000 });
  assert.equal(pulls.next(0, 0, 30_000)?.max_bytes, 1000);
  pulls.took(700);
  pulls.over(pulls.id, 999_999, 300);
  assert.equal(pulls.makeRoom(300), true);
  assert.equal(pulls.next(1, 700, 30_000), undefined, "700 bytes are here: it would not fit again");
  assert.equal(pulls.next(0, 0, 30_000)?.max_bytes, 1000);
  assert.equal(pulls.makeRoom(1000), false);
});

test("limits in refusals are kept to: messages, bytes, and durations as Go writes them (trap 65)", () => {
  const pulls = consume({ max_bytes: 1000 });
  assert.equal(pulls.limit("Exceeded MaxRequestBatch of 10"), true);
  assert.equal(pulls.limit("Exceeded MaxRequestMaxBytes of 400"), true);
  assert.equal(pulls.limit("Exceeded MaxRequestExpires of 1m30.5s"), true);
  assert.deepEqual(pulls.next(0, 0, 300_000), {
    batch: 10,
    max_bytes: 400,
    expires: 90_500_000_000,
    idle_heartbeat: 15_000_000_000,
  });
  for (const text of [
    "Exceeded MaxRequestBatch of 10",
    "Exceeded MaxRequestBatch of ten",
    "Exceeded MaxWaiting",
  ]) {
    assert.equal(pulls.limit(text), false, text);
  }
});

test("trap 68: milliseconds become nanoseconds once", () => {
  const request = consume({ expires: 2000, idle_heartbeat: 750 }).next(0, 0, 2000);
  assert.deepEqual(request, { batch: 100, expires: 2_000_000_000, idle_heartbeat: 750_000_000 });
  const once = new Pulls(fetchPlan({ no_wait: true }, undefined), limitsOf(undefined), new Map());
  assert.deepEqual(once.next(0, 0, 0), { batch: 100, no_wait: true });
});

test("what the consumer says of its pulls is kept to from the beginning", () => {
  const config = { max_batch: 7, max_bytes: 500, max_expires: 3_000_000_000 };
  const pulls = new Pulls(consumePlan({ max_bytes: 9000 }, config), limitsOf(config), new Map());
  assert.deepEqual(pulls.next(0, 0, 30_000), {
    batch: 7,
    max_bytes: 500,
    expires: 3_000_000_000,
    idle_heartbeat: 1_500_000_000,
  });
});

test("a group has its pin in all following pulls, until it is lost (C-ADR42-4)", () => {
  const config: ConsumerConfig = { priority_groups: ["g"], priority_policy: "pinned_client" };
  const pins = new Map<string, string>();
  const pulls = new Pulls(consumePlan({ group: "g" }, config), limitsOf(config), pins);
  assert.equal(pulls.next(0, 0, 30_000)?.id, undefined);
  assert.deepEqual([pulls.pinned(""), pulls.pinned("x1"), pulls.pinned("x1")], [false, true, false]);
  const other = new Pulls(fetchPlan({ group: "g" }, config), limitsOf(config), pins);
  assert.deepEqual(other.next(0, 0, 30_000), { batch: 100, expires: 30_000_000_000, group: "g", id: "x1" });
  pulls.unpinned();
  pulls.void();
  assert.equal(pulls.next(0, 0, 30_000)?.id, undefined);
});

test("options that don't fit the policy of the consumer are refused (C-ADR42-2, C-ADR42-8)", () => {
  const overflow: ConsumerConfig = { priority_groups: ["g"], priority_policy: "overflow" };
  assert.deepEqual(fetchPlan({ group: "g", min_pending: 0, min_ack_pending: 5 }, overflow).priority, {
    min_pending: 0,
    min_ack_pending: 5,
  });
  const refused: [object, object | undefined, string][] = [
    [{}, overflow, "group"],
    [{ group: "h" }, overflow, "'h'"],
    [{ group: "g", priority: 3 }, overflow, "prioritized"],
    [{ group: "g" }, {}, "no priority groups"],
    [{ min_pending: 3 }, undefined, "group"],
    [{ group: "g", priority: 10 }, undefined, "10"],
  ];
  for (const [options, config, part] of refused) {
    assert.throws(() => fetchPlan(options, config), failing("INVALID_ARGUMENT", part));
  }
});
