// TLS and a credentials file: who the server is, and who we are.
import { readFile } from "node:fs/promises";
import { connect, credsAuthenticator } from "isonats";

const { NATS_URL = "tls://127.0.0.1:4222", NATS_CREDS = "user.creds", NATS_CA } = process.env;

const nc = await connect({
  // tls:// sends nothing at all to a server that does not offer TLS
  servers: NATS_URL,
  // without it, the authorities that the system trusts
  ...(NATS_CA ? { tls: { caFile: NATS_CA } } : {}),
  // read for every dial, so a file that is replaced counts from the next reconnect on
  authenticator: credsAuthenticator(() => readFile(NATS_CREDS)),
});

const { data } = await nc.context();
console.log(`logged in to account ${data.account.slice(0, 1)}… over TLS`);
await nc.drain();
