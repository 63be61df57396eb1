// Pair: a nats-server 2.15 and the embedded one, and what is said to both.
import assert from "node:assert/strict";
import { NatsServer, type ServerOptions } from "../../src/server/index.node.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { startServer } from "../fixtures/real-server.ts";
import { RawClient } from "./raw-client.ts";

const HELLO = { verbose: false, pedantic: false, protocol: 1, headers: true, no_responders: true };
/** A CONNECT. */
export const hello = (more: object = {}): string => `CONNECT ${JSON.stringify({ ...HELLO, ...more })}\r\n`;

/** What is said, in order, by the clients of a scenario: `[client, text]`. Each text is followed by a PING, unless it ends the client. */
export type Script = readonly (readonly [client: number, text: string])[];

export interface Pair {
  readonly real: number;
  readonly embedded: number;
}

const portOf = (url: string): number => Number(url.slice(url.lastIndexOf(":") + 1));

/** Both servers, by a configuration and by the options that mean the same. */
export async function pair(
  t: Scope,
  config: string | Record<string, unknown>,
  options: ServerOptions,
): Promise<Pair> {
  const real = await startServer(t, {
    version: "2.15",
    config,
    ...(options.jetstream && { jetstream: true }),
  });
  const embedded = await NatsServer.start({ port: 0, ...options });
  atEnd(t, () => embedded.stop());
  return { real: portOf(real.url), embedded: portOf(embedded.url as string) };
}

/** Play a script to one server; the transcripts of all its clients. */
export async function play(port: number, script: Script): Promise<string[][]> {
  const clients: RawClient[] = [];
  const pings: number[] = [];
  try {
    for (const [who, text] of script) {
      while (clients.length <= who) {
        clients.push(await RawClient.to(port));
        pings.push(0);
      }
      const client = clients[who] as RawClient;
      client.say(`${text}PING\r\n`);
      pings[who] = (pings[who] as number) + 1;
      await client.settled(pings[who] as number);
      // what it caused at the others has come to them when a PING behind it is answered
      for (const [index, other] of clients.entries()) {
        if (other === client || other.over) continue;
        other.say("PING\r\n");
        pings[index] = (pings[index] as number) + 1;
        await other.settled(pings[index] as number);
      }
    }
    return clients.map((client) => client.transcript);
  } finally {
    for (const client of clients) client.end();
  }
}

/** A script is answered alike. */
export async function compare({ real, embedded }: Pair, script: Script): Promise<void> {
  const [theirs, ours] = [await play(real, script), await play(embedded, script)];
  assert.deepEqual(ours, theirs, JSON.stringify(script));
}
