// Chromium: opens pages that a test serves, and hands back what each of them found.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { findBrowser } from "../../scripts/browsers.mjs";
import { temporaryFolder } from "./support.ts";

export interface Page {
  html: string;
  /** by name: the scripts beside it */
  files: Record<string, string>;
}

/** A script that does not load or throws is told too. */
const tellErrors = `<!doctype html><script>addEventListener("error", ({ message, target }) =>
  fetch("/found", { method: "POST", body: JSON.stringify({ error: message ?? target.outerHTML }) }), true);</script>`;

/** Why no page can be opened; false where Chromium is there. */
export const whyNoChromium: string | false = why();

function why(): string | false {
  try {
    findBrowser("chromium");
    return false;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Opens all pages side by side, each with `?servers=`; resolves when each has posted to /found, with what it said. */
export async function visit(
  t: TestContext,
  pages: Record<string, Page>,
  servers: string,
): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  let done!: () => void;
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const names = Object.keys(pages);
  const frames = names.map((name) => `<iframe src="/${name}/?servers=${servers}"></iframe>`);

  const http = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/found") {
      const name = new URL(request.headers.referer ?? "http://localhost").pathname.split("/")[1] ?? "";
      let text = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      request.on("end", () => {
        response.end();
        found[name] = JSON.parse(text);
        if (names.every((of) => of in found)) done();
      });
      return;
    }
    const [, name = "", file = ""] = pathname.split("/");
    const page = pages[name];
    const body = pathname === "/" ? frames.join("") : file === "" ? page?.html : page?.files[file];
    response.statusCode = body === undefined ? 404 : 200;
    response.setHeader("content-type", file === "" ? "text/html" : "text/javascript");
    response.end(body === undefined ? undefined : file === "" ? tellErrors + body : body);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;

  const profile = await mkdtemp(join(temporaryFolder(), "chromium-"));
  const [program] = findBrowser("chromium");
  const child = spawn(
    program,
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      `--user-data-dir=${profile}`,
      `http://127.0.0.1:${port}/`,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  const gone = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`chromium ended with ${code} before its pages did:\n${said}`)),
    );
  });
  gone.catch(() => undefined);
  t.after(async () => {
    child.kill();
    await gone.catch(() => undefined);
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  await Promise.race([all, gone]);
  return found;
}
