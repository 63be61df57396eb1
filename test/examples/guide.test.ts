// Every TypeScript block of the guide runs against a real server and prints what its comments `//=> …` say.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import type { NatsConnection } from "../../src/index.node.ts";
import { settle } from "../../src/lib/deferred.ts";
import { type RealServer, startServer } from "../fixtures/real-server.ts";
import { scene } from "./stand-in.ts";
import { missing, root, type Snippet, snippetsOf } from "./support.ts";

const shared = await startServer({ after }, { websocket: true });
const folder = mkdtempSync(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-guide-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const here = new URL(".", import.meta.url);
const src = pathToFileURL(join(root, "src/"));

/** The subpaths whose file is not `<subpath>/index.ts`. */
const SOURCES: Record<string, string> = {
  errors: "errors.ts",
  server: "server/index.node.ts",
  "server/extras": "server/extras.ts",
};

/** The snippet as a module that imports this checkout. */
function asModule(code: string): string {
  return code.replace(/ from "isonats(?:\/([\w/]+))?";/g, (_, subpath?: string) => {
    const target =
      subpath === undefined
        ? new URL("stand-in.ts", here)
        : new URL(SOURCES[subpath] ?? `${subpath}/index.ts`, src);
    return ` from ${JSON.stringify(target.href)};`;
  });
}

/** Give each subject that the snippet listens to one message, so that the bodies of its loops run. */
async function speak(nc: NatsConnection, server: RealServer): Promise<void> {
  await nc.flush();
  const { connections } = await server.connz("subs=1");
  const subjects = new Set(connections.flatMap(({ subscriptions_list = [] }) => subscriptions_list));
  for (const subject of subjects) {
    if (subject.startsWith("_INBOX")) continue;
    nc.publish(subject.replaceAll("*", "x").replace(/>$/, "x"), '{"from":"the test"}');
  }
  await nc.flush();
}

async function play({ where, code, expected }: Snippet, server: RealServer): Promise<void> {
  const file = join(folder, `${where.replace(/\W/g, "-")}.mts`);
  writeFileSync(file, asModule(code));
  scene.begin(server);
  let output = "";
  const { log } = console;
  console.log = (...args: unknown[]) => {
    output += `${format(...args)}\n`;
  };
  const limit = { timeout: 30_000, what: where };
  try {
    const played = import(pathToFileURL(file).href) as Promise<unknown>;
    // what does not end its connection may listen for ever
    await settle(/\.(drain|close)\(/.test(code) ? played : Promise.race([played, scene.first]), limit);
    const [first] = scene.opened;
    if (first?.state === "connected") await speak(first, server);
    for (const nc of scene.opened) {
      if (nc.state === "connected") await nc.drain();
      else await nc.close();
    }
    await settle(played, limit);
  } finally {
    console.log = log;
    // what one snippet leaves is not in the way of the next
    for (const nc of scene.opened) await nc.close();
  }
  assert.equal(missing(expected, output), undefined, `${where} printed:\n${output}`);
  if (!code.includes("handlerError")) assert.deepEqual(scene.failures, []);
}

const pages = readdirSync(join(root, "docs/guide")).map((name) => `docs/guide/${name}`);
for (const page of [...pages, "docs/coming-from-nats-js.md"]) {
  for (const snippet of snippetsOf(page)) {
    test(`${snippet.where} runs`, { skip: snippet.notRun ?? false }, async (t) => {
      // streams of one snippet are not in the way of the next
      const jetstream = /"isonats\/(jetstream|kv|obj)"/.test(snippet.code);
      const server = jetstream ? await startServer(t, { websocket: true, jetstream }) : shared;
      await play(snippet, server);
      await server.waitForConnections(0);
    });
  }
}
