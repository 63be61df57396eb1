// Gateway: Bun's web server in front of what listens on NATS. POST /time.now becomes a request on the subject time.now.
//
//   bun examples/bun/gateway.ts [address of the NATS server]
import { connect, isNatsError } from "isonats";

const nc = await connect({ servers: Bun.argv[2] ?? "127.0.0.1:4222" });
nc.subscribe("shout", { callback: (_error, msg) => void msg.respond(msg.string().toUpperCase()) });

const STATUS: Record<string, number> = { NO_RESPONDERS: 404, INVALID_SUBJECT: 400, TIMEOUT: 504 };

const http = Bun.serve({
  port: 0,
  async fetch(request) {
    const subject = new URL(request.url).pathname.slice(1);
    try {
      const reply = await nc.request(subject, await request.bytes(), {
        timeout: 2000,
        signal: request.signal,
      });
      return new Response(reply.data);
    } catch (error) {
      if (!isNatsError(error)) throw error;
      return new Response(`${error.code}\n`, { status: STATUS[error.code] ?? 502 });
    }
  },
});

const post = async (path: string, body: string) => {
  const response = await fetch(new URL(path, http.url), { method: "POST", body });
  console.log(`${path} ${response.status} ${(await response.text()).trim()}`);
};
await post("/shout", "hello from Bun"); // /shout 200 HELLO FROM BUN
await post("/whisper", "hello?"); // /whisper 404 NO_RESPONDERS

await http.stop();
await nc.drain();
