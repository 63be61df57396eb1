// Far end: a process of its own that feeds subscribers and answers requests, over bare sockets. Forked by run.mjs, which
// passes on what the client asks for.
import { service, subject } from "./cases.mjs";
import { dial, flush, frame, repeated, write } from "./wire.mjs";

const port = Number(process.argv[2]);
const socket = await dial(port);

/** Publish `count` messages as fast as the server takes them. */
async function feed({ count, size, headers }) {
  const one = frame(`PUB ${subject}`, size, headers);
  const many = Math.max(1, Math.floor(65536 / one.length));
  const block = repeated(one, many);
  let left = count;
  for (; left >= many; left -= many) await write(socket, block);
  if (left > 0) await write(socket, block.subarray(0, left * one.length));
}

/** Answer each request with 16 bytes; the answers to one chunk go out in one write. */
async function respond() {
  const answering = await dial(port);
  let rest = "";
  answering.on("data", (chunk) => {
    // requests of the benchmark hold no line ends: a frame is a line `MSG subject sid reply size`, then the payload
    const lines = (rest + chunk.toString("latin1")).split("\r\n");
    rest = lines.pop();
    let answers = "";
    for (const line of lines) {
      if (line.startsWith("MSG ")) answers += `PUB ${line.split(" ")[3]} 16\r\nyyyyyyyyyyyyyyyy\r\n`;
      else if (line === "PING") answers += "PONG\r\n";
    }
    if (answers !== "") answering.write(answers);
  });
  answering.write(`SUB ${service} 1\r\n`);
}

await respond();
await flush(socket);
process.on("message", (message) => {
  if (message.feed !== undefined) void feed(message.feed);
});
process.on("disconnect", () => process.exit());
process.send({ ready: true });
