// The demo tells its story to the end, in time, and leaves nothing behind.
import assert from "node:assert/strict";
import { connect as open } from "node:net";
import { test } from "node:test";
import { missing, type Ran, run, staleBuild } from "./support.ts";

const STORY = [
  "Connected in state 'connected'",
  "kitchen: order.pizza for table 7",
  "kitchen: order.soup for table 2",
  "archive: order.pizza is filed",
  "anna did",
  "30 jobs were published, and each was done once.",
  "'hello' was answered with 'HELLO'",
  "not at the timeout: NO_RESPONDERS",
  "status: disconnect",
  "status: reconnecting, attempt 3",
  "The server is started again.",
  "status: reconnect, to",
  "arrived: parcel 1",
  "arrived: parcel 2",
  "arrived: parcel 3",
  "arrived: parcel 4",
  "arrived: parcel 5",
  "stored: pizza, as number 1",
  "duplicate is true",
  "cooked: soup, 1 to go",
  "revision 1: PUT pizza 9.50",
  "revision 2: PUT pizza 9.90",
  "revision 3: DEL pizza",
  "stored: menu.txt, 700000 bytes in 6 pieces",
  "read: 700000 bytes, the same",
  "0 lost, 1 reconnect",
];

/** Resolves when nothing listens at the address. */
function refused(address: string): Promise<void> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = open({ host, port: Number(port) });
    socket.once("error", () => resolve());
    socket.once("connect", () => {
      socket.destroy();
      reject(new Error(`the demo left a server at ${address}`));
    });
  });
}

async function check({ code, output }: Ran): Promise<void> {
  assert.equal(code, 0, output);
  assert.equal(missing(STORY, output), undefined, output);
  const jobs = [...output.matchAll(/(?:anna|ben|cleo) did (\d+) jobs/g)].map(([, count]) => Number(count));
  assert.equal(jobs.length, 3);
  assert.equal(
    jobs.reduce((sum, count) => sum + count, 0),
    30,
  );
  const [, address = ""] = /runs at (\S+)/.exec(output) ?? [];
  await refused(address);
}

test("the demo shows what there is, on the embedded server", async () => {
  const ran = await run("examples/demo/main.mjs");
  assert.match(ran.output, /The embedded server, as a nats-server 2\.15/);
  await check(ran);
});

test("the demo shows the same on a nats-server", async () => {
  const ran = await run("examples/demo/main.mjs", { args: ["--nats-server"] });
  assert.match(ran.output, /nats-server 2\.15\.\d+ runs at/);
  await check(ran);
});

test("the demo runs on the built package, imported by its name", {
  skip: staleBuild() ?? false,
}, async () => {
  await check(await run("examples/demo/main.mjs", { of: "build" }));
});

test("the demo says what to do when no server can be had", async () => {
  const { code, output } = await run("examples/demo/main.mjs", {
    args: ["--nats-server"],
    env: { NATS_SERVER_2_15: "/nowhere/nats-server" },
  });
  assert.notEqual(code, 0);
  assert.match(output, /NATS_SERVER_2_15 must name a nats-server 2\.15/);
});
