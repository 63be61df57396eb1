// WebSocket errors: what the sockets of Node, Bun and Deno say in codes and texts. Browsers say nothing.
import { ConnectionError, InvalidArgumentError, NatsError } from "../errors.ts";
import type { Explain } from "./websocket-transport.ts";

/** The error that a code or a text stands for, where it is a known one. */
export const explain: Explain = (code, text, facts) => {
  const { server, cause } = facts;
  if (code === "ECONNREFUSED") {
    return new ConnectionError(
      `connection refused: nothing listens at ${server}`,
      facts,
      "CONNECTION_REFUSED",
    );
  }
  if (/^ERR_OSSL|^ERR_INVALID/.test(code) || cause instanceof SyntaxError) {
    return new InvalidArgumentError(`cannot dial ${server}: ${text}`, facts);
  }
  // Deno gives no code, but the text of rustls
  if (/CERT|TLS|SSL|SIGNATURE|EPROTO|peer certificate|fatal alert|corrupt message/.test(code + text)) {
    return new NatsError(
      "TLS",
      `TLS with ${server} failed: ${text} (check tls.ca and tls.cert, and that it is a wss:// port)`,
      facts,
    );
  }
  if (!/^HPE|HTTP version/.test(code + text)) return undefined;
  const hint = "what answers is not HTTP: is this the WebSocket port?";
  return new ConnectionError(`the WebSocket to ${server} failed: ${text} (${hint})`, facts);
};
