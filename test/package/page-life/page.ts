// Page of page-life.test.ts: one connection that would wait for hours before it dials again, and what it tells.
import { connect, type NatsConnection, type Status } from "../../../src/index.ts";

const seen: Status["type"][] = [];
const waiting = new Set<() => void>();
let nc: NatsConnection | undefined;

async function listen(status: AsyncIterable<Status>): Promise<void> {
  for await (const { type } of status) {
    seen.push(type);
    for (const look of waiting) look();
  }
}

const life = {
  /** Resolves when it is connected. */
  async open(servers: string): Promise<void> {
    nc = await connect({
      servers,
      pingInterval: 2500,
      maxPingOut: 1000,
      reconnectDelayHandler: () => 3_600_000,
    });
    void listen(nc.status());
  },
  /** Resolves when so many events of a type have come since the beginning. */
  until(type: Status["type"], count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (seen.filter((one) => one === type).length < count) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  },
  seen,
  flush: () => nc?.flush(),
};

Object.assign(globalThis, { life });
addEventListener("pageshow", () => void fetch("/ready", { method: "POST" }));
