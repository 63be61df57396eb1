// What nats-server counts in the moment in which it makes a consumer, made certain: a dialer says more than there is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnect, type Dialer } from "../../src/index.node.ts";
import { Kvm } from "../../src/kv/index.ts";
import { dialTcp } from "../../src/transport/tcp.node.ts";
import { within } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startServer } from "../fixtures/real-server.ts";

const THREE = '"num_pending":3';

/** Where the server says that three messages are to come, it says seven. */
function exaggerating(): { dialer: Dialer; told: () => number } {
  let told = 0;
  const dialer: Dialer = async (target) => {
    const transport = await dialTcp(target);
    const open = transport.open.bind(transport);
    transport.open = (events) =>
      open({
        onData(bytes) {
          const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(THREE);
          if (at >= 0) {
            bytes[at + THREE.length - 1] = "7".charCodeAt(0);
            told++;
          }
          events.onData(bytes);
        },
        onDrain: () => events.onDrain(),
        onClose: (error) => events.onClose(error),
      });
    return transport;
  };
  return { dialer, told: () => told };
}

test("a list ends and a watch is synced when the server counted in what was written meanwhile, and goes on being written (C-ADR8-31)", async (t) => {
  trackLeaks(t);
  const server = await startServer(t, { jetstream: true });
  const { dialer, told } = exaggerating();
  const connect = createConnect({ nats: dialer });
  await using nc = await connect({ servers: server.url });
  const kv = await new Kvm(nc).create("b", { storage: "memory" });
  const keys = ["a", "b", "c"];
  for (const key of keys) await kv.put(key, "1");

  let writing = true;
  const writer = (async () => {
    while (writing) for (const key of keys) await kv.put(key, "2");
  })();
  const found: string[] = [];
  const listed = (async () => {
    for await (const key of await kv.keys()) found.push(key);
  })();
  await within(listed, "the list does not end");
  assert.deepEqual(found.toSorted(), keys);
  const watch = await kv.watch();
  const seen = new Set<string>();
  const read = (async () => {
    for await (const { key } of watch) seen.add(key);
  })();
  await within(watch.synced, "the watch is not synced");
  assert.deepEqual([...seen].toSorted(), keys);
  watch.stop();
  await read;
  writing = false;
  await writer;
  assert.ok(told() >= 2, `${told()} answers were changed`);
});
