// Tests of the way from a case in a runtime to a result here: whatever goes wrong in a case is told, and under its name.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { connect } from "../../src/index.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { type Control, startControl } from "./control.ts";
import { type Runtime, run } from "./run.ts";

const [first, second, refused] = [
  "connection: flush is a round trip, rtt measures one, and any number may be under way (C-PING-3)",
  "connection: what was published right before close still goes out",
  "dialing: connect rejects when nothing listens, and nothing is left behind (C-ADR40-7)",
] as const;

/** Run these cases in this process. */
async function ran(
  t: TestContext,
  cases: readonly string[],
  runtime: Partial<Runtime> = {},
): Promise<Control> {
  const control = await startControl(t, "tcp", cases);
  await run({ control: control.url, connect, ...runtime });
  return control;
}

test("cases pass, also one that stops a server of its own", async (t) => {
  const control = await ran(t, [first, second, refused]);
  await Promise.all([control.outcome(first), control.outcome(second), control.outcome(refused)]);
});

test("a case that throws fails with its error and the cause of it, and the next one runs", async (t) => {
  let calls = 0;
  const control = await ran(t, [first, second], {
    connect: async (options) => {
      if (++calls === 1) throw new Error("boom", { cause: new Error("spark") });
      return connect(options);
    },
  });
  await assert.rejects(control.outcome(first), /Error: boom\n[^]*caused by Error: spark/);
  await control.outcome(second);
});

test("a connection that a case leaves open at the server fails it", async (t) => {
  const control = await ran(t, [first], {
    connect: async (options) => {
      const forgotten = await connect(options);
      atEnd(t, () => forgotten.close());
      return connect(options);
    },
  });
  await assert.rejects(control.outcome(first), /the server has 1 connections, not 0/);
});

test("what the runtime sees a case leave open fails it", async (t) => {
  let cases = 0;
  const control = await ran(t, [first, second], {
    watch: () => async () => {
      if (++cases === 2) throw new Error("left open: 1 x Timeout");
    },
  });
  await control.outcome(first);
  await assert.rejects(control.outcome(second), /left open: 1 x Timeout/);
});

test("an error that nobody catches fails the case in which it came", async (t) => {
  let report: (error: unknown) => void = () => {};
  let cases = 0;
  const control = await ran(t, [first, second], {
    watchStrays: (given) => {
      report = given;
    },
    watch: () => {
      if (++cases === 2) report(new Error("stray"));
      return async () => {};
    },
  });
  await control.outcome(first);
  await assert.rejects(control.outcome(second), /nobody catches this error[^]*caused by Error: stray/);
});

test("a case that the runtime's suites don't have fails", async (t) => {
  const control = await ran(t, ["no such suite: nothing"]);
  await assert.rejects(control.outcome("no such suite: nothing"), /does not know this case/);
});

test("a call that fails is answered with its reason, from any origin", async (t) => {
  const control = await startControl(t, "tcp", []);
  for (const [call, body, reason] of [
    ["result", { name: "x" }, "the plan has no case 'x'"],
    ["nothing", {}, "there is no /nothing"],
  ] as const) {
    const response = await fetch(`${control.url}/${call}`, { method: "POST", body: JSON.stringify(body) });
    assert.equal(response.status, 500);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.equal(await response.text(), reason);
  }
});
