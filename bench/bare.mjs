// Bare: one case over a bare socket with frames encoded beforehand, in a process of its own: what the machine, Node and the
// server leave room for. It parses nothing, so it is a bound and not a client. Forked by run.mjs.
import { cases, service, subject } from "./cases.mjs";
import { feed, measured, median } from "./measure.mjs";
import { dial, flush, frame, repeated, write } from "./wire.mjs";

const [, , port, name] = process.argv;
const test = cases.find((one) => one.name === name);

const inbox = `_INBOX.${"a".repeat(22)}.1`;
const runs = { publish, receive, request, stored, subscriptions, connect, reconnect };
process.send({ result: await runs[test.kind]?.(test) });
process.disconnect();

async function publish({ size, count, headers }) {
  const socket = await dial(port);
  const one = frame(`PUB ${subject}`, size, headers);
  const many = Math.max(1, Math.floor(262144 / one.length));
  const block = repeated(one, many);
  const run = async (messages) => {
    for (let left = messages; left > 0; left -= many) {
      await write(socket, left >= many ? block : block.subarray(0, left * one.length));
    }
    await flush(socket);
  };
  await run(count / 4);
  const result = await measured(count, () => run(count));
  socket.destroy();
  return result;
}

async function receive(options) {
  const { count, size, headers } = options;
  const socket = await dial(port);
  const one = frame(`MSG ${subject} 1`, size, headers).length;
  socket.write(`SUB ${subject} 1\r\n`);
  await flush(socket);
  let left = 0;
  let done;
  socket.on("data", (chunk) => {
    left -= chunk.length;
    if (left === 0) done();
  });
  const run = (messages) =>
    new Promise((resolve) => {
      done = resolve;
      left = messages * one;
      feed(messages, options);
    });
  await run(count / 4);
  const result = await measured(count, () => run(count));
  socket.destroy();
  return result;
}

async function request({ parallel, count }) {
  const socket = await dial(port);
  const ask = frame(`PUB ${service} ${inbox}`, 16);
  const answer = frame(`MSG ${inbox} 1`, 16).length;
  let bytes = 0;
  const answered = (chunk) => {
    bytes += chunk.length;
    const answers = Math.floor(bytes / answer);
    bytes -= answers * answer;
    return answers;
  };
  return asked(socket, { ask, answered, parallel, count });
}

/** Into a stream in memory. */
async function stored({ size, parallel, count }) {
  if (parallel === 0) return undefined;
  const socket = await dial(port);
  const config = '{"name":"BENCH","subjects":["bench.stored"],"storage":"memory","max_msgs":100000}';
  await api(socket, "STREAM.CREATE.BENCH", config);
  const ask = frame(`PUB bench.stored ${inbox}`, size);
  // an ack is a message whose payload ends so; it may come in two chunks
  let rest = "";
  const answered = (chunk) => {
    const parts = (rest + chunk.toString("latin1")).split("}\r\n");
    rest = parts.pop();
    return parts.length;
  };
  const result = await asked(socket, { ask, answered, parallel, count });
  const after = await dial(port);
  await api(after, "STREAM.DELETE.BENCH", "");
  after.destroy();
  return result;
}

/** A request of the API, and its answer. */
function api(socket, verb, body) {
  socket.write(
    `SUB _INBOX.api 2\r\nUNSUB 2 1\r\nPUB $JS.API.${verb} _INBOX.api ${body.length}\r\n${body}\r\n`,
  );
  return new Promise((resolve) => socket.once("data", resolve));
}

/** `count` times `ask`, `parallel` at a time; `answered` says how many answers a chunk ends. */
async function asked(socket, { ask, answered, parallel, count }) {
  const block = repeated(ask, parallel);
  socket.write(`SUB ${inbox} 1\r\n`);
  await flush(socket);
  const times = [];
  let left = 0;
  let open = 0;
  let start = 0;
  let done;
  const send = (number) => {
    const next = Math.min(number, left - open);
    if (next <= 0) return;
    open += next;
    start = performance.now();
    socket.write(block.subarray(0, next * ask.length));
  };
  socket.on("data", (chunk) => {
    const answers = answered(chunk);
    if (answers > 0) times.push(performance.now() - start);
    left -= answers;
    open -= answers;
    send(answers);
    if (left === 0) done();
  });
  const run = (messages) =>
    new Promise((resolve) => {
      done = resolve;
      left = messages;
      send(parallel);
    });
  await run(count / 3);
  times.length = 0;
  const result = await measured(count, () => run(count));
  socket.destroy();
  return { ...result, p50: median(times) * 1000 };
}

async function subscriptions({ count }) {
  const socket = await dial(port);
  const start = performance.now();
  await tell(socket, count);
  const ms = performance.now() - start;
  socket.destroy();
  return { ms };
}

async function tell(socket, count) {
  let lines = "";
  for (let i = 0; i < count; i++) lines += `SUB bench.subscription.${i} ${i + 1}\r\n`;
  await write(socket, lines);
  await flush(socket);
}

async function connect({ count }) {
  const run = async (times) => {
    for (let i = 0; i < times; i++) {
      const socket = await dial(port);
      // the server has read everything: nothing to wait for
      socket.destroy();
      await new Promise((resolve) => socket.once("close", resolve));
    }
  };
  await run(count / 3);
  return measured(count, () => run(count));
}

async function reconnect({ count }) {
  const times = [];
  let socket = await dial(port);
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    socket.destroy();
    socket = await dial(port);
    await tell(socket, count);
    times.push(performance.now() - start);
  }
  socket.destroy();
  return { ms: median(times) };
}
