// Async credentials: a login that has to be fetched, and is fetched anew for every dial.
import { connect } from "isonats";

// Stands for a call to a vault or an identity provider.
let fetched = 0;
async function fetchToken() {
  await new Promise((resolve) => setTimeout(resolve, 5));
  fetched++;
  return process.env.NATS_TOKEN ?? "s3cret";
}

const nc = await connect({
  servers: process.env.NATS_URL ?? "127.0.0.1:4222",
  authenticator: async () => ({ auth_token: await fetchToken() }),
});
console.log(`connected, ${fetched} token fetched`);

const back = (async () => {
  for await (const event of nc.status()) if (event.type === "reconnect") return;
})();
await nc.reconnect();
await back;
console.log(`reconnected, ${fetched} tokens fetched`);
await nc.drain();
