// Reporter: writes the events of node:test, one line of JSON each, to the file ISONATS_REPORT, for scripts/test.mjs.
import { openSync, writeSync } from "node:fs";
import { inspect } from "node:util";

// at once rather than through a stream: what a process did before it crashed or hung is what one wants to know
const report = openSync(process.env.ISONATS_REPORT, "a");

function write(value) {
  writeSync(report, `${JSON.stringify(value)}\n`);
}

// oxlint-disable-next-line require-yield -- node:test asks for a generator; this one prints nothing
export default async function* reporter(source) {
  // the names of the tests around the current one, by nesting
  const names = [];
  for await (const { type, data } of source) {
    if (type === "test:dequeue") {
      write({ type: "begin", name: data.name, nesting: data.nesting });
    } else if (type === "test:start") {
      names.splice(data.nesting, Infinity, data.name);
    } else if (type === "test:pass" || type === "test:fail") {
      write({ type: "end", name: data.name, nesting: data.nesting });
      if (data.details?.type === "suite" && type === "test:pass") continue;
      const error = data.details?.error;
      // a group is reported through those of its tests that failed
      if (type === "test:fail" && error?.failureType === "subtestsFailed" && data.details?.type === "suite")
        continue;
      const left = data.skip ?? data.todo;
      write({
        type: left !== undefined ? "skip" : type === "test:pass" ? "pass" : "fail",
        name: [...names.slice(0, data.nesting), data.name].join(" > "),
        ...(left !== undefined && { why: data.todo !== undefined ? `todo ${data.todo}` : String(left) }),
        ...(type === "test:fail" && { error: explain(error) }),
      });
    } else if (
      type === "test:diagnostic" &&
      /asynchronous activity after the test ended/.test(data.message)
    ) {
      write({ type: "fail", name: "after the end of a test", error: data.message });
    }
  }
  write({ type: "done" });
}

function explain(error) {
  const cause = error?.code === "ERR_TEST_FAILURE" && error.cause ? error.cause : error;
  return typeof cause === "string" ? cause : inspect(cause, { depth: 6 });
}
