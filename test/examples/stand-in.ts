// Stand-in: what `isonats` means to the snippets of the guide: the real thing, but every address is that of the test's server.
import {
  type Connect,
  connect as realConnect,
  type Deferred,
  deferred,
  type NatsConnection,
  wsconnect as realWsconnect,
} from "../../src/index.node.ts";

export * from "../../src/index.node.ts";

/** Where the snippets connect to, what they opened, and what failed in their handlers. */
export class Scene {
  url = "";
  wsUrl = "";
  opened: NatsConnection[] = [];
  failures: unknown[] = [];
  /** settles with the first connection */
  first: Deferred<NatsConnection> = deferred();

  /** The next snippet begins, on this server. */
  begin({ url, wsUrl }: { url: string; wsUrl: string }): void {
    this.url = url;
    this.wsUrl = wsUrl;
    this.opened = [];
    this.failures = [];
    this.first = deferred();
  }
}

export const scene: Scene = new Scene();

function standIn(real: Connect): Connect {
  return async (options = {}) => {
    const { port: _port, tls: _tls, servers = "", ...rest } = options;
    const ws = real === realWsconnect || /^wss?:/.test(String(servers));
    const nc = await real({ ...rest, servers: ws ? scene.wsUrl : scene.url });
    scene.opened.push(nc);
    scene.first.resolve(nc);
    void watch(nc);
    return nc;
  };
}

async function watch(nc: NatsConnection): Promise<void> {
  for await (const event of nc.status()) if (event.type === "handlerError") scene.failures.push(event.error);
}

export const connect: Connect = standIn(realConnect);
export const wsconnect: Connect = standIn(realWsconnect);
