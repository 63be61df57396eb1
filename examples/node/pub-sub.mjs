// Publish and subscribe: everyone who listens gets a copy.
import { connect, headers } from "isonats";

const nc = await connect({ servers: process.env.NATS_URL ?? "127.0.0.1:4222" });

// An iterator takes messages at its own pace; `>` is everything below, `*` is one token.
const all = nc.subscribe("weather.>", { max: 2 });
const printed = (async () => {
  for await (const msg of all) {
    console.log(`${msg.subject}: ${msg.string()} (${msg.headers?.get("Station") || "unknown station"})`);
  }
})();

// A callback is called for each message as it arrives.
nc.subscribe("weather.*.wind", {
  callback: (_err, msg) => console.log(`wind: ${msg.json().speed} m/s`),
});

const station = headers();
station.set("Station", "52");
nc.publish("weather.oslo", "snow", { headers: station });
nc.publish("weather.bergen.wind", JSON.stringify({ speed: 9 }));

await printed;
// Hands over what arrived, sends what was published, closes.
await nc.drain();
