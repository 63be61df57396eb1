// Embedded server: the one of isonats/server, for the demo, which stops it and starts it again on the same port.
import { NatsServer } from "isonats/server";

export async function embeddedServer() {
  let server = await NatsServer.start({ port: 0, jetstream: true });
  const port = Number(new URL(server.url).port);
  return {
    name: `The embedded server, as a nats-server ${server.info.version},`,
    source: "in this process; with --nats-server the demo runs on a real one",
    address: `127.0.0.1:${port}`,
    async start() {
      server ??= await NatsServer.start({ port, jetstream: true });
    },
    async kill() {
      await server?.stop();
      server = undefined;
    },
  };
}
