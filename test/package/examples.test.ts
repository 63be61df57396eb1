// Examples that stand on the build: the pages, served as their README says and driven in Chromium, and the programs of Bun.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "../../src/index.node.ts";
import { atEnd, within } from "../fixtures/cleanup.ts";
import { startServer } from "../fixtures/real-server.ts";
import { startChromium, type Tab } from "../fixtures/devtools.ts";
import { whyNoChromium } from "./chromium.ts";
import { root, run } from "./support.ts";

interface Served {
  /** address of the page, with that of its nats-server where it has one */
  readonly url: string;
  readonly nats: string;
}

/** Serve a page; everything ends with the test. */
async function serve(t: TestContext, page: string): Promise<Served> {
  const child = spawn(process.execPath, ["examples/browser/serve.mjs", page], {
    cwd: root,
    env: { ...process.env, PORT: "0", NODE_TEST_CONTEXT: undefined },
    stdio: ["ignore", "pipe", "pipe"],
  });
  atEnd(t, () => void child.kill());
  let output = "";
  const ready = new Promise<Served>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const [, url, nats = ""] = /(http:[^\s?]+(?:\?server=(ws:\S+))?)\n/.exec(output) ?? [];
        if (url !== undefined) resolve({ url, nats });
      });
    }
    child.once("close", () => reject(new Error(`it ended:\n${output}`)));
  });
  return within(ready, () => `it does not say where it is:\n${output}`, 60_000);
}

/** Resolves once an expression in the page is true. Until the page is there, it has no value. */
function shows(tab: Tab, expression: string): Promise<void> {
  let over = false;
  const look = async (): Promise<void> => {
    while (!over) {
      if ((await tab.evaluate(expression).catch(() => false)) === true) return;
      await delay(20);
    }
  };
  return within(look(), `it never shows ${expression}`, 30_000).finally(() => {
    over = true;
  });
}

const texts = (selector: string): string =>
  `[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => element.textContent).sort().join()`;

async function doubleClick(tab: Tab, x: number, y: number): Promise<void> {
  for (const clickCount of [1, 2]) {
    for (const type of ["mousePressed", "mouseReleased"]) {
      await tab.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount });
    }
  }
}

const skip = whyNoChromium;

test("the board: two tabs share notes, people and cursors, and who comes late sees it all", {
  skip,
}, async (t) => {
  const { url } = await serve(t, "board");
  const open = await startChromium(t);
  const otter = await open(`${url}&name=Otter`);
  await shows(otter, "document.querySelector('#people li') !== null");
  await doubleClick(otter, 300, 200);
  await shows(otter, "document.activeElement.closest('article') !== null");
  await otter.send("Input.insertText", { text: "Ship the table of runtimes" });

  const heron = await open(`${url}&name=Heron`);
  await shows(heron, `${texts("article p")} === "Ship the table of runtimes"`);
  await shows(heron, `${texts("#people li")} === "Heron (you),Otter"`);
  await shows(otter, `${texts("#people li")} === "Heron,Otter (you)"`);

  // a tab that nobody sees draws no frames, and so tells of no pointer
  await otter.send("Page.bringToFront");
  await otter.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: 500, y: 300 });
  await shows(heron, `${texts(".cursor")} === "Otter"`);

  // the other tab takes the note by its edge and moves it
  await heron.send("Page.bringToFront");
  const left = "parseFloat(document.querySelector('article').style.left)";
  const before = (await heron.evaluate(left)) as number;
  const edge = (await heron.evaluate(
    "(({ x, y }) => ({ x: x + 8, y: y + 8 }))(document.querySelector('article').getBoundingClientRect())",
  )) as { x: number; y: number };
  const mouse = (type: string, x: number, y: number) =>
    heron.send("Input.dispatchMouseEvent", { type, x, y, button: "left", buttons: 1, clickCount: 1 });
  await mouse("mousePressed", edge.x, edge.y);
  await mouse("mouseMoved", edge.x + 120, edge.y + 40);
  await mouse("mouseReleased", edge.x + 120, edge.y + 40);
  await shows(otter, `${left} > ${before + 5}`);

  await doubleClick(heron, 420, 420);
  await heron.send("Input.insertText", { text: "And cake" });
  await shows(otter, `${texts("article p")} === "And cake,Ship the table of runtimes"`);
  const { data } = (await otter.send("Page.captureScreenshot")) as { data: string };
  await mkdir(join(root, ".reports"), { recursive: true });
  await writeFile(join(root, ".reports/board.png"), Buffer.from(data, "base64"));

  await heron.evaluate("document.querySelector('article button').click()");
  await shows(otter, "document.querySelectorAll('article').length === 1");
  await heron.send("Page.close");
  await shows(otter, `${texts("#people li")} === "Otter (you)"`);
});

test("the page without a bundler: what one tab says, both show", { skip }, async (t) => {
  const { url } = await serve(t, "plain");
  const open = await startChromium(t);
  const [a, b] = [await open(url), await open(url)];
  for (const tab of [a, b]) await shows(tab, "document.body.dataset.state === 'connected'");
  await a.evaluate(
    `document.querySelector("input").value = "hello"; document.querySelector("form").requestSubmit()`,
  );
  for (const tab of [a, b]) await shows(tab, `${texts("#said li")} === "hello"`);
});

test("the worker: the page shows what its worker made of the messages", { skip }, async (t) => {
  const { url, nats } = await serve(t, "worker");
  const open = await startChromium(t);
  const tab = await open(url);
  await shows(tab, "document.querySelector('#link')?.textContent.startsWith('connected') === true");
  const nc = await connect({ servers: nats });
  atEnd(t, () => nc.close());
  for (const price of ["4.00", "2.50", "3.25"]) nc.publish("price.lamp", price);
  await nc.flush();
  await shows(tab, `${texts("td")} === "2.50 to 4.00,3.25,lamp"`);
  assert.equal(await tab.evaluate("document.querySelector('#link').textContent"), "connected, 3 messages");
});

test("the kitchen: server, stream, cooks, prices and clock are in one tab, without a network", {
  skip,
}, async (t) => {
  const { url } = await serve(t, "kitchen");
  const open = await startChromium(t);
  const tab = await open(url);
  await shows(tab, "document.body.dataset.ready === 'yes'");
  await tab.send("Network.enable");
  await tab.send("Network.emulateNetworkConditions", {
    offline: true,
    latency: 0,
    downloadThroughput: 0,
    uploadThroughput: 0,
  });
  const lines = (of: string): string => texts(`${of} li`);
  const press = (button: string): Promise<unknown> =>
    tab.evaluate(`document.querySelector(${JSON.stringify(button)}).click()`);

  // both forget: what they leave undone is given out again when the clock says so
  for (const cook of ["#anna", "#ben"]) await press(`${cook} input`);
  await press("#orders button");
  await shows(tab, `${lines(".cooks")} === "#1 pizza: left undone"`);
  await shows(tab, "document.querySelector('#consumer').textContent.includes('1 being cooked')");
  for (const cook of ["#anna", "#ben"]) await press(`${cook} input`);
  await press("[data-ms='30000']");
  await shows(tab, `${lines(".cooks")} === "#1 pizza, for the 2. time,#1 pizza: left undone"`);
  await shows(tab, "document.querySelector('#stream output').textContent.startsWith('0 messages')");

  await tab.evaluate(`{
    const input = document.querySelector("#price-soup input");
    input.value = "5.50";
    input.dispatchEvent(new Event("change"));
  }`);
  await shows(tab, `${lines("#prices")} === "4: soup is 5.50 now"`);
});

const bun = join(root, "node_modules/bun/bin/bun.exe");
const noBun = existsSync(bun) ? false : "npm has no Bun for this machine, or its install script did not run";

test("Bun: the gateway hands requests of HTTP on, and says who is not there", { skip: noBun }, async (t) => {
  const server = await startServer(t);
  const { code, output } = await run(bun, ["examples/bun/gateway.ts", server.url], root);
  assert.equal(code, 0, output);
  assert.match(output, /\/shout 200 HELLO FROM BUN\n\/whisper 404 NO_RESPONDERS\n/);
  await server.waitForConnections(0);
});
