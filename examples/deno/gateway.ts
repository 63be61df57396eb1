// A web server that asks NATS: GET /price/lamp becomes a request on price.lamp.
//
//   deno run --allow-net examples/deno/gateway.ts [address of the NATS server]
import { connect, isNatsError } from "isonats";

const nc = await connect({ servers: Deno.args[0] ?? "127.0.0.1:4222" });

// who answers may be anywhere; here it is the same program
const cents = new Map([
  ["lamp", 400],
  ["chair", 2500],
]);
nc.subscribe("price.*", {
  queue: "prices",
  callback: (_error, msg) => {
    const item = msg.subject.slice("price.".length);
    msg.respond(JSON.stringify({ item, cents: cents.get(item) ?? null }));
  },
});

const server = Deno.serve({ port: 0, onListen: () => {} }, async ({ url }) => {
  const [, service, item] = new URL(url).pathname.split("/");
  try {
    const reply = await nc.request(`${service}.${item}`, "", { timeout: 2000 });
    return new Response(reply.string(), { headers: { "content-type": "application/json" } });
  } catch (error) {
    if (!isNatsError(error)) throw error;
    return new Response(error.message, { status: error.code === "NO_RESPONDERS" ? 404 : 504 });
  }
});

for (const path of ["/price/lamp", "/stock/lamp"]) {
  const response = await fetch(`http://127.0.0.1:${server.addr.port}${path}`);
  console.log(path, response.status, await response.text());
}

await server.shutdown();
await nc.drain();
