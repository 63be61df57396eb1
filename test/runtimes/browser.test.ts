// Starter for browsers: opens a page that runs the suites, itself or, for `<browser> worker`, in a module worker.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { BrowserName } from "../../scripts/browsers.mjs";
import { openBrowser } from "../fixtures/browser.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import { bundle } from "./bundle.ts";
import { testCell } from "./cell.ts";
import { type RuntimeRow, runtimeOf } from "./cells.mjs";

await testCell(runtimeOf("browser.test.ts", process.env["ISONATS_RUNTIME"]), start);

async function start(t: Scope, control: string, { name }: RuntimeRow): Promise<void> {
  const [browser, where] = name.split(" ") as [BrowserName, "worker"?];
  const site = await servePage(t);
  const query = new URLSearchParams({ control, ...(where && { [where]: "" }) });
  const { ended } = await openBrowser(t, browser, `${site.url}/?${query}`);
  await Promise.race([site.over, ended]);
}

/** The page and its script; `over` settles with what the page says of its end. */
async function servePage(t: Scope): Promise<{ url: string; over: Promise<void> }> {
  const folder = await mkdtemp(join(process.env["ISONATS_TEMP"] ?? tmpdir(), "isonats-page-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  await bundle("test/runtimes/page.ts", join(folder, "page.js"), "bundled");
  const files: Record<string, { type: string; body: string }> = {
    "/": { type: "text/html", body: '<!doctype html><script type="module" src="/page.js"></script>' },
    "/page.js": { type: "text/javascript", body: await readFile(join(folder, "page.js"), "utf8") },
  };
  let tell: (failure: string) => void = () => {};
  const over = new Promise<void>((resolve, reject) => {
    tell = (failure) => (failure === "" ? resolve() : reject(new Error(failure)));
  });
  const http = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    if (pathname === "/over") void text(request).then(tell);
    const { type, body } = files[pathname] ?? { type: "text/plain", body: "" };
    response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(body);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, over };
}
