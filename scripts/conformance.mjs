// Conformance: which requirements and traps of test/conformance-ids.json the titles of the tests name, and which are missing.
//
//   node scripts/conformance.mjs          prints both lists; exits with 1 when one is missing that is not waived
//
// A title names them in full: `C-PING-3 flush() is …`, `trap 4, trap 5: …`. A trap may also be named by a comment in a
// test file that says why it can't happen: `// trap 9: no dial outlives …`.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);

const STRING = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)/.source;
// the first argument of a call, the `title` or `name` of a row, the key of a case: `"fact": async () =>`, `async "fact"() {`
const FIRST = new RegExp(`(?:([\\w.]+)\\(|\\b(?:title|name):)\\s*${STRING}`, "g");
const KEY = new RegExp(`^\\s*(?:async\\s+)?()${STRING}\\s*(?:\\(|:\\s*(?:async\\b|function\\b|\\())`, "gm");
const ID = /\bC-[A-Z0-9]+-\d+\b/g;
const TRAP = /\btrap (\d+)\b/g;
const TRAP_COMMENT = /^\s*\/\/ trap (\d+): \S/gm;

/** What the text of one test file names: `{ ids, traps }`. */
export function namedIn(text) {
  const ids = [];
  const traps = [...text.matchAll(TRAP_COMMENT)].map(([, number]) => number);
  for (const [, callee, title] of [...text.matchAll(FIRST), ...text.matchAll(KEY)]) {
    if (callee?.startsWith("assert")) continue;
    for (const [id] of title.matchAll(ID)) ids.push(id);
    for (const [, number] of title.matchAll(TRAP)) traps.push(number);
  }
  return { ids, traps };
}

/** Compare what is wanted, `{ requirements, traps, waived }`, with the texts of the test files, by their names. */
export function conformance({ requirements, traps, waived }, texts) {
  const where = new Map();
  for (const [file, text] of Object.entries(texts)) {
    const named = namedIn(text);
    for (const key of [...named.ids, ...named.traps.map((number) => `trap ${number}`)]) {
      where.set(key, (where.get(key) ?? new Set()).add(file));
    }
  }
  const wanted = new Map([
    ...Object.entries(requirements),
    ...Object.entries(traps).map(([number, what]) => [`trap ${number}`, what]),
  ]);
  const keys = [...wanted.keys()];
  const families = new Set(keys.map((key) => key.replace(/\d+$/, "")));
  return {
    wanted,
    covered: new Map(keys.filter((key) => where.has(key)).map((key) => [key, [...where.get(key)]])),
    missing: keys.filter((key) => !where.has(key) && !(key in waived)),
    waived: keys.filter((key) => !where.has(key) && key in waived),
    // a waiver of what is covered or not wanted at all
    idle: Object.keys(waived).filter((key) => where.has(key) || !wanted.has(key)),
    // a number that a family of requirements doesn't have is a slip; traps beyond the list belong to later layers
    unknown: [...where.keys()].filter(
      (key) => key.startsWith("C-") && !wanted.has(key) && families.has(key.replace(/\d+$/, "")),
    ),
  };
}

/** The same for this checkout. */
export function conformanceOfTree() {
  const folder = new URL("test/", root);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    // fixtures serve, and the tests of this script quote titles
    (name) => name.endsWith(".ts") && !name.startsWith("fixtures") && !name.includes("conformance"),
  );
  const texts = Object.fromEntries(
    files.sort().map((name) => [name, readFileSync(new URL(name, folder), "utf8")]),
  );
  return conformance(JSON.parse(readFileSync(new URL("conformance-ids.json", folder), "utf8")), texts);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { wanted, covered, missing, waived, idle, unknown } = conformanceOfTree();
  console.log("covered:");
  for (const [key, files] of covered) console.log(`  ${key.padEnd(11)} ${files.join(", ")}`);
  if (waived.length > 0) console.log(`\nwaived: ${waived.join(", ")}`);
  if (idle.length > 0) console.log(`\nwaived for nothing: ${idle.join(", ")}`);
  if (unknown.length > 0) console.log(`\nnamed by a title, but no requirement: ${unknown.join(", ")}`);
  if (missing.length > 0) {
    console.log("\nmissing:");
    for (const key of missing) console.log(`  ${key.padEnd(11)} ${wanted.get(key)}`);
  }
  console.log(
    `\n${covered.size} covered, ${waived.length} waived, ${missing.length} missing of ${wanted.size}`,
  );
  process.exitCode = missing.length + idle.length + unknown.length > 0 ? 1 : 0;
}
