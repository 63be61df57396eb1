// Run: the micro benches of our own parts, without any socket.
//
//   node bench/micro/run.mjs                  all of them
//   node bench/micro/run.mjs decoder          those whose name contains this
//   node bench/micro/run.mjs "" <folder>      another build than dist/
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bench } from "./bench.mjs";
import { decoder } from "./decoder.mjs";
import { headers } from "./headers.mjs";
import { outbox } from "./outbox.mjs";
import { parts } from "./parts.mjs";
import { store } from "./store.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [filter = "", folder = resolve(root, "dist")] = process.argv.slice(2);
const dist = pathToFileURL(resolve(folder)).href;
if (filter !== "") bench.filter = filter;
for (const run of [decoder, outbox, headers, parts, store]) await run(dist);
