// Starter for browsers: opens a page that runs the suites, itself or, for `<browser> worker`, in a module worker.
import type { BrowserName } from "../../scripts/browsers.mjs";
import { openBrowser } from "../fixtures/browser.ts";
import type { Scope } from "../fixtures/cleanup.ts";
import { pageWith, startSite } from "../fixtures/site.ts";
import { bundle } from "./bundle.ts";
import { testCell } from "./cell.ts";
import { type RuntimeRow, runtimeOf } from "./cells.mjs";

/** What an app for Safari defines before it loads isonats, if it says `await using`: the names that compilers fall back to. */
const disposal = `for (const name of ["dispose", "asyncDispose"]) {
  if (!(name in Symbol)) Object.defineProperty(Symbol, name, { value: Symbol.for("Symbol." + name) });
}
`;

await testCell(runtimeOf("browser.test.ts", process.env["ISONATS_RUNTIME"]), start);

async function start(t: Scope, control: string, { name }: RuntimeRow): Promise<void> {
  const [browser, where] = name.split(" ") as [BrowserName, "worker"?];
  let tell: (failure: string) => void = () => {};
  const over = new Promise<void>((resolve, reject) => {
    tell = (failure) => (failure === "" ? resolve() : reject(new Error(failure)));
  });
  const script = await bundle("test/runtimes/page.ts", "bundled");
  // the page posts once: how it ended
  const site = await startSite(t, pageWith(disposal + script), (_, failure) => tell(failure));
  const query = new URLSearchParams({ control, ...(where && { [where]: "" }) });
  const { ended } = await openBrowser(t, browser, `${site}/?${query}`, { trusting: browser !== "webkit" });
  await Promise.race([over, ended]);
}
