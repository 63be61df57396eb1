// What of WebSocket is Deno's: what its own WebSocket can't do is told. Run inside Deno, by deno.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TlsOptions } from "../../src/transport/tls.ts";
import { dialWebSocket } from "../../src/transport/websocket.deno.ts";
import { failure, pem, target } from "./support.ts";

test("tls options that the WebSocket of Deno does not know are UNSUPPORTED, with the cure", async () => {
  const dial = (tls: TlsOptions) => dialWebSocket(target(9, { scheme: "wss", tls }));
  for (const option of ["servername", "caFile", "pfx"]) {
    await assert.rejects(dial({ [option]: "x" }), failure("UNSUPPORTED", `tls.${option}`, "tls.ca"));
  }
  await assert.rejects(
    dial({ rejectUnauthorized: false }),
    failure("UNSUPPORTED", "tls.rejectUnauthorized", "--unsafely-ignore-certificate-errors"),
  );
});

test("a key that does not belong to its certificate is INVALID_ARGUMENT", async () => {
  const tls = { cert: pem("client.crt"), key: pem("server.key") };
  const dial = dialWebSocket(target(9, { scheme: "wss", tls }));
  await assert.rejects(dial, failure("INVALID_ARGUMENT", "key belongs to cert"));
});
