// Page: the program that a browser loads. With `worker` in its address it runs in a module worker of the page.
import { connect } from "../../src/index.ts";
import type { ConnectionOptions } from "../../src/names.ts";
import { run } from "./run.ts";

const told = new URLSearchParams(location.search);

/** Tell the starter that it is over; with a text, that it did not end well. */
function over(text = ""): Promise<Response> {
  return fetch("/over", { method: "POST", body: text });
}

/** Whom a WebSocket trusts is the browser's business: the options about it are left out. */
function connectHere({ tls: _, ...options }: ConnectionOptions = {}): ReturnType<typeof connect> {
  return connect(options);
}

if (told.has("worker")) {
  told.delete("worker");
  // its errors while it loads; those of the suites it handles itself
  new Worker(`/page.js?${told}`, { type: "module" }).addEventListener("error", ({ message }) => {
    void over(`the worker failed: ${message ?? "it can't be loaded"}`);
  });
} else {
  run({ control: told.get("control") ?? "", connect: connectHere }).then(
    () => over(),
    (error: unknown) => over(String(error)),
  );
}
