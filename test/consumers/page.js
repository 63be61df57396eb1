// A consumer in a browser: uses every layer once against a server, and tells the page's own server what it found.
import { connect, isNatsError, nkeys } from "isonats";
import { parseCreds } from "isonats/auth";
import { json, msgpack } from "isonats/codec";
import { RequestError } from "isonats/errors";
import { dialWebSocket } from "isonats/transport";

/** What came back through the server, and of what could only be there in Node. */
async function main(servers) {
  const nc = await connect({ servers, dialer: dialWebSocket });
  nc.subscribe("double", {
    callback: (_error, msg) => void msg.respond(msgpack.encode(2 * msg.decode(json))),
  });
  const reply = await nc.request("double", json.encode(21));
  const failure = await nc.request("nobody").catch((error) => error);
  await nc.drain();
  const key = nkeys.createUser();
  const signed = new TextEncoder().encode("nonce");
  return {
    answer: reply.decode(msgpack),
    failure: failure instanceof RequestError && isNatsError(failure) && failure.code,
    verified: key.verify(signed, key.sign(signed)),
    creds: typeof parseCreds,
    node: ["process", "Buffer", "require", "global"].filter((name) => name in globalThis),
  };
}

main(new URLSearchParams(location.search).get("servers"))
  .catch((error) => ({ error: `${error.stack ?? error}` }))
  .then((found) => fetch("/found", { method: "POST", body: JSON.stringify(found) }));
