// P7: no module-level mutable state. Connections, transports and copies of the package don't affect each other.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import * as original from "../../src/index.node.ts";
import { Watch } from "../client/conversation.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { trackLeaks } from "../fixtures/leaks.ts";
import { startProxy } from "../fixtures/proxy.ts";
import { certPath, startServer } from "../fixtures/real-server.ts";
import { PATIENT } from "../suites/tools.ts";

type Copy = typeof original;

const root = fileURLToPath(new URL("../../", import.meta.url));
// inside the project, where its dependencies are found
const folder = join(root, "node_modules", ".cache", `isonats-p7-${process.pid}`);
const bundle = join(folder, "copy.mjs");
const copies: Copy[] = [];

before(async () => {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(root, "src/index.node.ts")],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
  });
  for (const n of [1, 2]) copies.push((await import(`${pathToFileURL(bundle).href}?copy=${n}`)) as Copy);
});

after(() => rmSync(folder, { recursive: true, force: true }));

async function opened(t: Scope, of: Copy, servers: string, options: original.ConnectionOptions = {}) {
  const nc = await of.connect({ servers, reconnectTimeWait: 2, reconnectJitter: 0, ...options });
  atEnd(t, () => nc.close());
  return nc;
}

describe("P7 copies of the package", () => {
  test("P7 are copies: no class and no function is shared", () => {
    const [a, b] = copies as [Copy, Copy];
    for (const name of ["NatsError", "connect", "headers", "Nuid", "nuid", "MsgHdrsImpl"] as const) {
      assert.notEqual(a[name], b[name], name);
      assert.notEqual(a[name], original[name], name);
    }
  });

  test("P7 recognise each other's errors, by isNatsError and by instanceof NatsError", async () => {
    const [a, b] = copies as [Copy, Copy];
    for (const [mine, theirs] of [
      [a, b],
      [b, a],
      [original, a],
      [b, original],
    ] as [Copy, Copy][]) {
      const error = (await theirs
        .connect({ servers: "http://x" })
        .catch((reason: unknown) => reason)) as original.NatsError;
      assert.ok(error instanceof theirs.InvalidArgumentError);
      assert.ok(mine.isNatsError(error));
      assert.ok(error instanceof mine.NatsError);
      assert.ok(error instanceof mine.errors.NatsError);
      assert.equal(error.code, "INVALID_ARGUMENT");
      // a subclass is that of its own copy: match by code
      assert.equal(error instanceof mine.InvalidArgumentError, false);
    }
    assert.equal(a.isNatsError(new Error("x")), false);
    assert.equal({} instanceof a.NatsError, false);
    assert.equal(({ code: "CLOSED" } as unknown) instanceof a.NatsError, false);
  });

  test("P7 take each other's headers and messages", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const [a, b] = copies as [Copy, Copy];
    const one = await opened(t, a, server.url);
    const two = await opened(t, b, server.url);
    const sub = two.subscribe("a", { max: 2 });
    await two.flush();
    const h = b.headers();
    h.append("A", "1");
    h.append("A", "2");
    one.publish("a", "x", { headers: h });
    const seen: unknown[] = [];
    for await (const m of sub) {
      seen.push([m.string(), m.headers?.values("A")]);
      if (seen.length === 1) one.publishMessage(m);
    }
    assert.deepEqual(seen, [
      ["x", ["1", "2"]],
      ["x", ["1", "2"]],
    ]);
  });

  test("P7 talk over the same server, over different transports, and what befalls one leaves the other alone", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { websocket: true, tls: "available" });
    const proxy = await startProxy(t, server);
    const ws = await startProxy(t, { host: server.host, port: server.wsPort });
    const [a, b] = copies as [Copy, Copy];
    const one = await opened(t, a, proxy.url, { tls: null });
    const two = await opened(t, b, `ws://${ws.address}`);
    const three = await opened(t, original, server.tlsUrl, { tls: { caFile: certPath("ca.crt") } });
    const all = [one, two, three];
    const watches = all.map((nc) => new Watch(nc));
    for (const [i, nc] of all.entries()) {
      nc.subscribe(`echo.${i}`, { callback: (_, m) => void m.respond(`${i} ${m.string()}`) });
      await nc.flush();
    }
    const everybodyAsksEverybody = async () => {
      for (const nc of all) {
        for (const i of all.keys()) {
          assert.equal((await nc.request(`echo.${i}`, "x", PATIENT)).string(), `${i} x`);
        }
      }
    };
    await everybodyAsksEverybody();
    proxy.cut();
    await watches[0]?.until("reconnect");
    await one.flush();
    await everybodyAsksEverybody();
    ws.cut();
    await watches[1]?.until("reconnect");
    await two.flush();
    await everybodyAsksEverybody();
    assert.deepEqual(
      watches.map((watch) => watch.of("disconnect").length),
      [1, 1, 0],
    );
    // all of them lose the server, and all come back
    await server.restart();
    await Promise.all(watches.map((watch, i) => watch.until("reconnect", i === 2 ? 1 : 2)));
    await Promise.all(all.map((nc) => nc.flush()));
    await everybodyAsksEverybody();
    await one.close();
    assert.equal((await two.request("echo.2", "x", PATIENT)).string(), "2 x");
    assert.deepEqual(
      all.map((nc) => nc.state),
      ["closed", "connected", "connected"],
    );
  });

  test("P7 a failing copy, and one that waits for its server, hold up no other", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const [a, b] = copies as [Copy, Copy];
    const controller = new AbortController();
    const waiting = a.connect({
      servers: "127.0.0.1:1",
      waitOnFirstConnect: true,
      signal: controller.signal,
    });
    const failed = assert.rejects(
      waiting,
      (error) => original.isNatsError(error) && error.code === "ABORTED",
    );
    await assert.rejects(a.connect({ servers: "ws://127.0.0.1:1" }), original.isNatsError);
    const nc = await opened(t, b, server.url);
    await nc.flush();
    controller.abort();
    await failed;
  });
});

describe("P7 connections of one copy", () => {
  test("P7 share no option, no inbox, no counter and no server", async (t) => {
    trackLeaks(t);
    const server = await startServer(t, { websocket: true });
    const one = await opened(t, original, server.url, { inboxPrefix: "one", noEcho: true });
    const two = await opened(t, original, server.wsUrl, { inboxPrefix: "two" });
    one.subscribe("q", { callback: (_, m) => void m.respond(m.reply ?? "") });
    await one.flush();
    assert.match((await two.request("q", "", PATIENT)).string(), /^two\./);
    assert.equal(one.stats().inMsgs, 1);
    assert.equal(one.stats().outMsgs, 1);
    assert.equal(two.stats().outMsgs, 1);
    one.setServers(["elsewhere:1"]);
    assert.equal(two.getServers()[0]?.port, server.wsPort);
    const sids = [one.subscribe("a").getID(), two.subscribe("a").getID()];
    assert.deepEqual(sids, [3, 2]);
    await one.close();
    await two.flush();
    assert.equal(two.state, "connected");
  });

  test("P7 made by functions of different dialers dial with their own", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const { dialTcp } = await import("../../src/transport/tcp.node.ts");
    const dialled: string[] = [];
    const by =
      (name: string): original.Dialer =>
      (target) => {
        dialled.push(name);
        return dialTcp(target);
      };
    const [first, second] = [
      original.createConnect({ nats: by("first") }),
      original.createConnect({ nats: by("second") }),
    ];
    const one = await first({ servers: server.url });
    const two = await second({ servers: server.url });
    const three = await original.connect({ servers: server.url, dialer: by("third") });
    atEnd(t, () => Promise.all([one, two, three].map((nc) => nc.close())));
    const events = new Watch(one);
    await one.reconnect();
    await events.until("reconnect");
    assert.deepEqual(dialled, ["first", "second", "third", "first"]);
    await assert.rejects(
      first({ servers: "ws://127.0.0.1:1" }),
      (error) => original.isNatsError(error) && error.code === "UNSUPPORTED",
    );
  });

  test("P7 options are taken when connect is called: changing the object, or its lists, changes nothing", async (t) => {
    trackLeaks(t);
    const server = await startServer(t);
    const proxy = await startProxy(t, server);
    const servers = [proxy.url];
    const options: original.ConnectionOptions = { servers, inboxPrefix: "mine", reconnectTimeWait: 2 };
    const nc = await original.connect(options);
    atEnd(t, () => nc.close());
    const events = new Watch(nc);
    servers[0] = "nats://127.0.0.1:1";
    options.inboxPrefix = "other";
    options.reconnect = false;
    proxy.cut();
    await events.until("reconnect");
    nc.subscribe("q", { callback: (_, m) => void m.respond(m.reply ?? "") });
    assert.match((await nc.request("q", "", PATIENT)).string(), /^mine\./);
  });
});

test("P7 importing the package does nothing: no global appears, no timer, no socket, and nothing is printed", async () => {
  const code = `
    const keys = () => Reflect.ownKeys(globalThis).map(String);
    const before = keys();
    const names = Object.keys(await import(${JSON.stringify(pathToFileURL(bundle).href)}));
    const globals = keys().filter((key) => !before.includes(key));
    const resources = process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|UDP|Timeout|Immediate|GetAddrInfo/.test(kind));
    process.send({ exports: names.length > 30, globals, resources });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (printed += text));
  const report = await new Promise((resolve, reject) => {
    let message: unknown;
    child.once("message", (sent) => (message = sent));
    child.once("error", reject);
    child.once("close", () => resolve(message));
  });
  assert.equal(printed, "");
  assert.deepEqual(report, { exports: true, globals: [], resources: [] });
});

describe("P7 the sources", () => {
  const src = join(root, "src");
  const files = readdirSync(src, { recursive: true, encoding: "utf8" })
    // nothing imports the program isonats-server
    .filter((file) => file.endsWith(".ts") && file !== join("server", "main.node.ts"))
    .map((file) => [file.replaceAll("\\", "/"), readFileSync(join(src, file), "utf8")] as const);

  /** The lines at the top level: the formatter puts these, and only these, at the margin. */
  const topLevel = (text: string) => text.split("\n").filter((line) => /^\S/.test(line));

  test("P7 have no let and no var at the top level", () => {
    const found = files.flatMap(([file, text]) =>
      topLevel(text)
        .filter((line) => /^(export )?(declare )?(let|var)\b/.test(line))
        .map((line) => `${file}: ${line}`),
    );
    assert.deepEqual(found, []);
  });

  test("P7 have nothing but declarations at the top level", () => {
    const declaration =
      /^(import|export|const|function|async function|class|abstract class|type|interface|declare|\/\/|\/\*|\*\/|[})\]>]|#!)/;
    const found = files.flatMap(([file, text]) =>
      topLevel(text.replace(/\/\*[\s\S]*?\*\//g, ""))
        .filter((line) => !declaration.test(line))
        .map((line) => `${file}: ${line}`),
    );
    assert.deepEqual(found, []);
  });

  test("P7 change no constant of the top level, and keep no container there that is made to be changed", () => {
    const found: string[] = [];
    for (const [file, text] of files) {
      for (const [, name = "", value = ""] of text.matchAll(
        /^(?:export )?const (\w+)(?::[^=]+?)? =\s*([^;]{0,60})/gm,
      )) {
        if (
          /^(\/\* @__PURE__ \*\/ )?new (Map|Set|WeakMap|WeakSet|Queue|Listeners|Nuid|AbortController)\b/.test(
            value,
          )
        ) {
          found.push(`${file}: ${name} is a container`);
        }
        if (/^\/.*\/\w*[gy]\w*\s*$/.test(value.trim()))
          found.push(`${file}: ${name} is a regular expression with a position`);
        const assigned = `(^|[;({]|=>|return)\\s*${name}(\\.\\w+|\\[[^\\]]+\\])* (=|\\+=|-=|\\?\\?=|\\|\\|=) `;
        const called = `\\b${name}\\.(push|pop|shift|unshift|splice|sort|reverse|fill|set|add|delete|clear|copyWithin)\\(`;
        const changed = new RegExp(`${assigned}|${called}|\\b${name}(\\+\\+|--)|delete ${name}\\b`);
        for (const line of text.split("\n")) {
          if (/^(export )?(const|type) /.test(line) || /^\s*(\/\/|\*|\/\*)/.test(line)) continue;
          if (changed.test(line)) found.push(`${file}: ${line.trim()}`);
        }
      }
    }
    assert.deepEqual(found, []);
  });

  test("P7 have no static fields but constants", () => {
    const found = files.flatMap(([file, text]) =>
      text
        .split("\n")
        .filter((line) => /^\s+(override )?static (?!readonly )[#\w]+(: [^=(]+)?( =|;)/.test(line))
        .map((line) => `${file}: ${line.trim()}`),
    );
    assert.deepEqual(found, []);
  });
});
