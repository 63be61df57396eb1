// LinkWatch: tells what is under way (flows, direct gets) when the connection loses its link, when it has one again, and what the
// server refuses. One per API.
import type { NatsConnection, Status } from "../client/connection.ts";
import { PermissionViolationError } from "../errors.ts";

/** Who wants to know. */
export interface LinkListener {
  onDisconnect?(): void;
  onReconnect?(): void;
  /** the server does not allow a publish; maybe one of this listener */
  onRefused?(error: PermissionViolationError): void;
}

/** Listens to the connection while somebody listens to it. */
export class LinkWatch {
  readonly #nc: NatsConnection;
  readonly #listeners = new Set<LinkListener>();
  #events: AsyncIterator<Status> | undefined;

  constructor(nc: NatsConnection) {
    this.#nc = nc;
  }

  add(listener: LinkListener): void {
    this.#listeners.add(listener);
    if (this.#events === undefined) void this.#listen();
  }

  remove(listener: LinkListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    void this.#events?.return?.();
    this.#events = undefined;
  }

  async #listen(): Promise<void> {
    const events = (this.#events = this.#nc.status()[Symbol.asyncIterator]());
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      const status = next.value;
      const listeners = [...this.#listeners];
      if (status.type === "disconnect") for (const one of listeners) one.onDisconnect?.();
      else if (status.type === "reconnect") for (const one of listeners) one.onReconnect?.();
      else if (status.type === "error" && status.error instanceof PermissionViolationError) {
        for (const one of listeners) if (status.error.operation === "publish") one.onRefused?.(status.error);
      }
    }
  }
}
