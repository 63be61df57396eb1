// WebSocket: connections over it end with the codes and words of a nats-server 2.15.
import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket } from "ws";
import { NatsServer } from "../../src/server/index.node.ts";
import { atEnd, type Scope, within } from "../fixtures/cleanup.ts";
import { startServer } from "../fixtures/real-server.ts";

const HELLO = 'CONNECT {"verbose":false,"pedantic":false,"protocol":1}\r\nPING\r\n';

interface End {
  readonly code: number;
  readonly reason: string;
}

/** Say something, and see how it ends. */
function endOf(url: string, text: string, act?: () => void): Promise<End> {
  const socket = new WebSocket(url);
  socket.on("open", () => socket.send(text));
  socket.on("message", (data) => {
    if (act !== undefined && String(data).includes("PONG")) act();
  });
  const end = new Promise<End>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  return within(end, () => `${text} ended nothing`, 10_000);
}

interface Pair {
  readonly real: string;
  readonly embedded: string;
}

async function pair(t: Scope): Promise<Pair> {
  const authorization = { user: "u", password: "p" };
  const real = await startServer(t, {
    version: "2.15",
    websocket: true,
    config: { max_payload: 100, authorization },
  });
  const embedded = await NatsServer.start({
    websocket: true,
    maxPayload: 100,
    users: [{ user: "u", password: "p" }],
  });
  atEnd(t, () => embedded.stop());
  return { real: real.wsUrl as string, embedded: embedded.websocketUrl as string };
}

const LOGIN = 'CONNECT {"verbose":false,"pedantic":false,"protocol":1,"user":"u","pass":"p"}\r\nPING\r\n';

for (const [what, text] of [
  ["a wrong password", HELLO],
  ["too large a payload", `${LOGIN}PUB a 101\r\n`],
  ["too long a line", `${LOGIN}PUB ${"a".repeat(5000)} 1\r\n`],
  ["an unknown operation", `${LOGIN}NONSENSE\r\n`],
  ["a wrong number of arguments", `${LOGIN}SUB a\r\n`],
] as const) {
  test(`${what} ends a WebSocket with the same code`, async (t) => {
    const { real, embedded } = await pair(t);
    assert.deepEqual(await endOf(embedded, text), await endOf(real, text));
  });
}

test("a shutdown ends a WebSocket with 1001", async (t) => {
  const real = await startServer(t, { version: "2.15", websocket: true });
  const embedded = await NatsServer.start({ websocket: true });
  const [ours, theirs] = await Promise.all([
    endOf(embedded.websocketUrl as string, HELLO, () => void embedded.stop()),
    endOf(real.wsUrl as string, HELLO, () => void real.stop()),
  ]);
  assert.deepEqual(ours, { code: 1001, reason: "Server Shutdown" });
  assert.deepEqual(ours, theirs);
});
