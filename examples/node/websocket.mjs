// WebSocket: the same connection over ws:// or wss://. In Node the scheme decides; browsers have nothing else.
import { connect } from "isonats";

const nc = await connect({
  servers: process.env.NATS_WS_URL ?? "ws://127.0.0.1:8080",
  // for a proxy on the way; Node and Bun only, a browser sends none
  wsHeaders: { "X-Tenant": "demo" },
});

const sub = nc.subscribe("chat.room", { max: 1 });
nc.publish("chat.room", "hello over WebSocket");
for await (const msg of sub) console.log(msg.string());
await nc.drain();
