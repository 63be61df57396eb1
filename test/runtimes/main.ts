// Main: the program that a runtime with processes runs: `main.js <address of the control server>`.
import process from "node:process";
import { connect } from "../../src/index.ts";
import { LeakWatch } from "../fixtures/leaks.ts";
import { run } from "./run.ts";

// ends by itself: what is left open keeps the process, and the test sees it
await run({
  control: process.argv[2] ?? "",
  connect,
  watchStrays: (report) => {
    process.on("unhandledRejection", report);
    process.on("uncaughtException", report);
  },
  watch: () => {
    const leaks = new LeakWatch();
    return () => leaks.assertNoLeaks();
  },
});
