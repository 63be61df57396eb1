// The table in docs/architecture.md says what each call does in each state; here every cell is tried.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect, type Msg, type NatsConnection, type Subscription } from "../../src/index.node.ts";
import { atEnd } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";
import { root } from "./support.ts";

const STATES = ["connected", "reconnecting", "draining", "closed"] as const;
type State = (typeof STATES)[number];

const CALLS: Record<string, (nc: NatsConnection, sub: Subscription, url: string) => unknown> = {
  publish: (nc) => nc.publish("subject"),
  subscribe: (nc) => nc.subscribe("subject"),
  // what is answered has time; what can't be need not wait for it
  request: (nc) => nc.request("service", "", { timeout: nc.state === "connected" ? 20_000 : 50 }),
  requestMany: async (nc) => {
    const replies: Msg[] = [];
    for await (const msg of await nc.requestMany("service", "", { maxWait: 50 })) replies.push(msg);
  },
  flush: (nc) => nc.flush(),
  rtt: (nc) => nc.rtt(),
  writable: (nc) => nc.writable(),
  "sub.unsubscribe": (_nc, sub) => sub.unsubscribe(),
  "sub.drain": (_nc, sub) => sub.drain(),
  reconnect: (nc) => nc.reconnect(),
  setServers: (nc, _sub, url) => nc.setServers([url]),
  drain: (nc) => nc.drain(),
  close: (nc) => nc.close(),
  status: (nc) => nc.status(),
  stats: (nc) => nc.stats(),
};

/** The cells of the row about a call. */
function rowOf(call: string): string[] {
  const table = readFileSync(join(root, "docs/architecture.md"), "utf8").split("| call |")[1] ?? "";
  const row = table.split("\n").find((line) => line.split("|")[1]?.includes(`\`${call}\``));
  assert.ok(row, `the table has no row for ${call}`);
  return row.split("|").slice(2, -1);
}

/** The codes that a cell names. */
function codesIn(cell: string): string[] {
  return [...cell.matchAll(/`([A-Z_]{5,})`/g)].map(([, code]) => code as string);
}

/** Bring a connection into a state; the function given back lets a drain go on. */
async function bring(nc: NatsConnection, state: State, server: RealServer): Promise<() => void> {
  if (state === "closed") await nc.close();
  if (state === "reconnecting") {
    const events = nc.status();
    await server.kill();
    for await (const { type } of events) if (type === "disconnect") break;
  }
  let release = (): void => {};
  if (state === "draining") {
    nc.subscribe("held", { callback: () => new Promise<void>((resolve) => (release = resolve)) });
    nc.publish("held");
    await nc.flush();
    nc.drain().catch(() => undefined);
  }
  assert.equal(nc.state, state);
  return () => release();
}

async function outcomeOf(call: string, state: State, server: RealServer, t: TestContext): Promise<string> {
  if (server.pid === undefined) await server.start();
  const nc = await connect({ servers: server.url });
  atEnd(t, () => nc.close());
  nc.subscribe("service", { callback: (_err, msg) => void msg.respond() });
  const sub = nc.subscribe("subject");
  const release = await bring(nc, state, server);
  try {
    await CALLS[call]?.(nc, sub, server.url);
    return "ok";
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    release();
    await nc.close();
  }
}

for (const state of STATES) {
  test(`each call does what the table says while ${state}`, async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    for (const call of Object.keys(CALLS)) {
      const codes = codesIn(rowOf(call)[STATES.indexOf(state)] ?? "");
      const outcome = await outcomeOf(call, state, server, t);
      if (call === "publish" && state === "draining") {
        // the code is what comes after the last flush, a moment that can't be caught from outside
        assert.deepEqual([outcome, codes], ["ok", ["DRAINING"]]);
      } else {
        assert.equal(outcome, codes[0] ?? "ok", `${call} while ${state}`);
      }
    }
  });
}

test("every row of the table is tried", () => {
  const page = readFileSync(join(root, "docs/architecture.md"), "utf8");
  const [rows = ""] = (page.split("|---|---|---|---|---|\n")[1] ?? "").split("\n\n");
  const named = rows.split("\n").flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([\w.]+)`/g)]);
  assert.deepEqual(new Set(named.map(([, call]) => call)), new Set(Object.keys(CALLS)));
});
