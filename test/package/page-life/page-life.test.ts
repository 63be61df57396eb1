// Page life: what a connection in Chromium does when the network goes and comes, and the page freezes or is hidden.
import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { findBrowser } from "../../../scripts/browsers.mjs";
import { atEnd, within } from "../../fixtures/cleanup.ts";
import { startChromium, type Tab } from "../../fixtures/devtools.ts";
import { type Proxy, startProxy } from "../../fixtures/proxy.ts";
import { startServer } from "../../fixtures/real-server.ts";
import { pageWith, startSite } from "../../fixtures/site.ts";
import { bundle } from "../../runtimes/bundle.ts";

/** Why there is nothing to test. */
function absence(): string | undefined {
  try {
    findBrowser("chromium");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const skip = absence();
const scope = { after };
let ready: () => void = () => {};
const script = await bundle("test/package/page-life/page.ts", "bundled");
const away = { type: "text/html", body: "<!doctype html><script>onload = () => history.back()</script>" };
// the page posts when it is loaded, and when it is shown again
const site = await startSite(scope, { ...pageWith(script), "/away": away }, () => ready());
const server = await startServer(scope, { websocket: true });
const openTab = skip === undefined ? await startChromium(scope) : () => Promise.reject<Tab>(new Error(skip));

interface Setup {
  readonly tab: Tab;
  readonly proxy: Proxy;
  /** Resolves when the connection has told so many events of a type. */
  until(type: string, count: number): Promise<unknown>;
}

/** A page that is seen, with a connection through a proxy that pings every few seconds. */
async function connected(t: TestContext): Promise<Setup> {
  const proxy = await startProxy(t, { host: "127.0.0.1", port: server.wsPort });
  const loaded = new Promise<void>((resolve) => (ready = resolve));
  const tab = await openTab(site);
  atEnd(t, () => tab.send("Page.close"));
  await within(loaded, "the page was not loaded");
  await tab.send("Page.bringToFront");
  await tab.evaluate(`life.open("ws://${proxy.address}")`);
  const until: Setup["until"] = (type, count) =>
    within(tab.evaluate(`life.until("${type}", ${count})`), `no event '${type}' number ${count}`);
  return { tab, proxy, until };
}

/** Break the connection: it would wait for an hour now, though the server can be reached again. */
async function broken({ proxy, until }: Setup): Promise<void> {
  proxy.refuse();
  proxy.cut();
  await until("reconnecting", 2);
  await proxy.accept();
}

async function setOnline({ tab }: Setup, online: boolean): Promise<void> {
  const fast = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  await tab.send("Network.emulateNetworkConditions", { offline: !online, ...fast });
}

async function setState({ tab }: Setup, state: "frozen" | "active"): Promise<void> {
  await tab.send("Page.setWebLifecycleState", { state });
}

test("it dials at once when the page is online again, rather than after its wait", { skip }, async (t) => {
  const page = await connected(t);
  await broken(page);
  await setOnline(page, false);
  await setOnline(page, true);
  await page.until("reconnect", 1);
  await page.tab.evaluate("life.flush()");
});

test("a link that the network swallowed is left when the page is told that it is offline", {
  skip,
}, async (t) => {
  const page = await connected(t);
  page.proxy.pause();
  await setOnline(page, false);
  await page.until("staleConnection", 1);
  page.proxy.resume();
  await setOnline(page, true);
  await page.until("reconnect", 1);
  await page.tab.evaluate("life.flush()");
});

test("a link that lives is kept, though the page was told that it is offline", { skip }, async (t) => {
  const page = await connected(t);
  await setOnline(page, false);
  await setOnline(page, true);
  await page.tab.evaluate("life.flush()");
  // the first ping of the timer comes when the time to answer is over
  await page.until("ping", 1);
  assert.equal(await page.tab.evaluate(`life.seen.every((type) => type === "ping")`), true);
  assert.equal(page.proxy.accepted, 1);
});

test("it dials at once when the page is not frozen any more", { skip }, async (t) => {
  const page = await connected(t);
  await broken(page);
  await setState(page, "frozen");
  await setState(page, "active");
  await page.until("reconnect", 1);
});

test("a freeze closes the sockets of a page: it is back when the page is", { skip }, async (t) => {
  const page = await connected(t);
  await setState(page, "frozen");
  await setState(page, "active");
  await page.until("reconnect", 1);
  await page.tab.evaluate("life.flush()");
});

test("it dials at once when the tab is shown", { skip }, async (t) => {
  const page = await connected(t);
  await broken(page);
  await page.tab.evaluate(
    `void (globalThis.hidden = new Promise((resolve) => addEventListener("visibilitychange", resolve, { once: true })))`,
  );
  const other = await openTab("about:blank");
  atEnd(t, () => other.send("Page.close"));
  await other.send("Page.bringToFront");
  await page.tab.evaluate("globalThis.hidden.then(() => {})");
  assert.equal(await page.tab.evaluate("document.visibilityState"), "hidden");
  await page.tab.send("Page.bringToFront");
  await page.until("reconnect", 1);
});

test("it dials at once when the page comes out of the back-forward cache", { skip }, async (t) => {
  const page = await connected(t);
  await broken(page);
  const back = new Promise<void>((resolve) => (ready = resolve));
  // that page goes back
  await page.tab.evaluate(`void (location.href = "/away")`);
  await within(back, "the page was not shown again");
  await page.until("reconnect", 1);
  await page.tab.evaluate("life.flush()");
});
