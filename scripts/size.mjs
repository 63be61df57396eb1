// Size: what each import costs a browser, in bytes, against its budget; and what it must not reach.
//
//   npm run size         builds, prints the table; exits with 1 when something is over budget or reaches what it must not
//
// Measured is the minified ESM bundle that esbuild makes for a browser of the built package, dependencies included,
// after gzip -9. All figures are bytes, 1 kB being 1000. A budget is what the import costs now and some percent: it goes
// down with the code, and up only for a reason. A goal is where it should be. `--files` shows what is in each bundle.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

// patterns of paths; those of dependencies begin at node_modules
const KEYS = ["tweetnacl", "base32-encode"].map((name) => `node_modules/${name}/`);
const MSGPACK = "node_modules/@msgpack/";
const WEBSOCKET = "node_modules/isomorphic-ws/";
const HASHES = "node_modules/@noble/hashes/";
// what a page that reads and writes a bucket can do without
const JETSTREAM_CLIENT =
  "dist/jetstream/(client|manager|consumers?|ordered|publisher|fast-ingest|batch|pulls|pull-plan|js-msg|schedule)\\.js";
const CONNECTION = ["dist/client/", "dist/transport/", WEBSOCKET];
// what a server has no use for, and NKeys, which are handed in
const CLIENT = [
  ...KEYS,
  MSGPACK,
  "dist/client/",
  "dist/codec/",
  "dist/transport/websocket",
  "dist/(jetstream|kv|obj|services)/",
];

/** What is measured: code that a page might have, its budget, and the files that must not be in its bundle. */
export const cases = [
  {
    name: "connect",
    code: 'export { connect } from "isonats";',
    budget: 23_700,
    goal: 16_000,
    never: [
      ...KEYS,
      MSGPACK,
      "dist/codec/",
      "dist/auth/(?!authenticator)",
      "dist/transport/(memory|websocket\\.js|websocket-error)",
    ],
    once: [WEBSOCKET],
  },
  {
    name: "connect + credsAuthenticator, nkeyAuthenticator",
    code: 'export { connect, credsAuthenticator, nkeyAuthenticator } from "isonats";',
    budget: 37_850,
    goal: 33_000,
    never: [MSGPACK, "dist/codec/", "dist/auth/callout", "dist/transport/memory"],
    once: KEYS,
  },
  {
    name: "connect + json, text",
    code: 'export { connect, json, text } from "isonats";',
    budget: 23_950,
    never: [...KEYS, MSGPACK, "dist/codec/(validated|msgpack)"],
    once: [],
  },
  {
    name: "connect + msgpack",
    code: 'export { connect, msgpack } from "isonats";',
    budget: 29_450,
    never: KEYS,
    once: [`${MSGPACK}msgpack/`],
  },
  {
    name: "isonats, all of it",
    code: 'export * from "isonats";',
    budget: 45_850,
    never: ["dist/transport/memory"],
    once: KEYS,
  },
  {
    name: "isonats/auth",
    code: 'export * from "isonats/auth";',
    budget: 17_000,
    never: [...CONNECTION, MSGPACK, "dist/codec/"],
    once: KEYS,
  },
  {
    name: "isonats/codec",
    code: 'export * from "isonats/codec";',
    budget: 7_000,
    never: [...CONNECTION, ...KEYS, "dist/auth/", "dist/protocol/"],
    once: [],
  },
  {
    name: "isonats/codec: json, text",
    code: 'export { json, text } from "isonats/codec";',
    budget: 760,
    never: [...CONNECTION, ...KEYS, MSGPACK, "dist/auth/", "dist/protocol/"],
    once: [],
  },
  {
    name: "connect + jetstreamLite",
    code: 'export { connect } from "isonats"; export { jetstreamLite } from "isonats/jetstream";',
    budget: 36_200,
    goal: 28_000,
    never: [
      ...KEYS,
      MSGPACK,
      "dist/codec/",
      "dist/(kv|obj|server)/",
      "dist/jetstream/(client|manager|stream|direct|publisher|batch|fast-ingest|schedule|process|push)",
    ],
    once: [WEBSOCKET],
  },
  {
    name: "connect + jetstream",
    code: 'export { connect } from "isonats"; export { jetstream } from "isonats/jetstream";',
    budget: 49_350,
    goal: 28_000,
    never: [...KEYS, MSGPACK, "dist/codec/", "dist/(kv|obj|server)/"],
    once: [WEBSOCKET],
  },
  {
    name: "isonats/jetstream",
    code: 'export * from "isonats/jetstream";',
    budget: 33_050,
    never: [...CONNECTION, ...KEYS, MSGPACK, "dist/auth/", "dist/codec/", "dist/(kv|obj|server)/"],
    once: [],
  },
  {
    name: "connect + kv",
    code: 'export { connect } from "isonats"; export { Kvm } from "isonats/kv";',
    budget: 37_550,
    goal: 31_000,
    never: [
      ...KEYS,
      MSGPACK,
      "dist/codec/",
      "dist/(obj|server|services)/",
      "dist/jetstream/(client|manager|consumers?|ordered|pulls|pull-plan|process|publisher|batch|fast-ingest|schedule|snapshot)\\.js",
    ],
    once: [WEBSOCKET],
  },
  {
    name: "isonats/kv",
    code: 'export * from "isonats/kv";',
    budget: 19_850,
    never: [...CONNECTION, ...KEYS, MSGPACK, "dist/auth/", "dist/codec/", "dist/(obj|server|services)/"],
    once: [],
  },
  {
    name: "connect + obj",
    code: 'export { connect } from "isonats"; export { Objm } from "isonats/obj";',
    budget: 42_950,
    goal: 33_000,
    never: [...KEYS, MSGPACK, "dist/codec/", "dist/(kv|services)/", JETSTREAM_CLIENT],
    once: [WEBSOCKET, HASHES],
  },
  {
    name: "isonats/obj",
    code: 'export * from "isonats/obj";',
    budget: 24_550,
    never: [...CONNECTION, ...KEYS, MSGPACK, "dist/(auth|codec|kv|services)/", JETSTREAM_CLIENT],
    once: [HASHES],
  },
  {
    name: "isonats/transport",
    code: 'export * from "isonats/transport";',
    budget: 3_600,
    never: ["dist/client/", ...KEYS, MSGPACK, "dist/auth/", "dist/codec/", "dist/protocol/"],
    once: [WEBSOCKET],
  },
  {
    name: "isonats/transport: memoryPair",
    code: 'export { memoryPair } from "isonats/transport";',
    budget: 1_300,
    never: [...CONNECTION.filter((path) => !path.includes("transport")), "dist/transport/websocket", ...KEYS],
    once: [],
  },
  {
    name: "connect + services",
    code: 'export { connect } from "isonats"; export { Svcm } from "isonats/services";',
    budget: 25_800,
    goal: 25_000,
    never: [...KEYS, MSGPACK, "dist/codec/", "dist/jetstream/", "dist/transport/memory"],
    once: [WEBSOCKET],
  },
  {
    name: "isonats/services",
    code: 'export * from "isonats/services";',
    budget: 5_900,
    never: [...CONNECTION, ...KEYS, MSGPACK, "dist/auth/", "dist/codec/", "dist/jetstream/"],
    once: [],
  },
  {
    name: "isonats/cloudflare",
    code: 'export * from "isonats/cloudflare";',
    budget: 3_400,
    never: [
      "dist/client/",
      "dist/protocol/",
      "dist/transport/(?!tcp.cloudflare|awaited-transport|dial)",
      "node_modules/",
    ],
    once: [],
  },
  {
    name: "isonats/server",
    code: 'export * from "isonats/server";',
    budget: 45_000,
    goal: 45_000,
    never: [
      "dist/server/(exchange|mapping|monitor|archive|verify)",
      "dist/server/jetstream/(atomic|counter|fast|batch|open-batch|schedule|cron|extra|snapshot|restore|archive|origin|copied)",
      ...CLIENT,
    ],
    once: [],
  },
  {
    name: "isonats/server + extras",
    code: 'export * from "isonats/server"; export * from "isonats/server/extras";',
    budget: 57_000,
    never: CLIENT,
    once: [],
  },
  {
    name: "isonats/errors",
    code: 'export * from "isonats/errors";',
    budget: 1_100,
    never: ["dist/(?!errors)", "node_modules/"],
    once: [],
  },
];

/** What a page without a bundler loads, and its budget: a file of dist/browser and the chunks that it imports. */
export const pages = [{ name: "a page without a bundler: isonats.js", file: "isonats.js", budget: 51_700 }];

// no browser bundle has these, whatever it imports
const NEVER = ["^node:", "\\.node\\.js$", "node_modules/ws/"];
// and only who imports the embedded server has it
const SERVER = "dist/server/";

/** Bundle one of the cases: its sizes in bytes, the bytes of each file in it, and what is wrong with it. */
export async function measure({ code, budget, never, once }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    charset: "utf8",
    format: "esm",
    platform: "browser",
    target: "es2022",
    metafile: true,
    write: false,
    outdir: "out",
    absWorkingDir: root,
    logLevel: "silent",
  });
  const [{ contents }] = outputFiles;
  const [{ inputs }] = Object.values(metafile.outputs);
  // what a file is imported for and then not needed is not in the bundle
  const files = Object.entries(inputs)
    .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }))
    .filter(({ path, bytes }) => bytes > 0 && path !== "<stdin>")
    .sort((a, b) => b.bytes - a.bytes);
  const gzip = gzipSync(contents, { level: 9 }).length;
  const faults = [];
  if (gzip > budget) faults.push(`${gzip - budget} bytes over its budget`);
  for (const pattern of [...NEVER, ...never, ...(code.includes("isonats/server") ? [] : [SERVER])]) {
    const found = files.find(({ path }) => new RegExp(pattern).test(path));
    if (found) faults.push(`has ${found.path} in it`);
  }
  for (const folder of once) {
    const at = new Set(
      files.filter(({ path }) => path.includes(folder)).map(({ path }) => path.split(folder)[0]),
    );
    if (at.size !== 1) faults.push(`has ${at.size} copies of ${folder} in it`);
  }
  return { minified: contents.length, gzip, files, faults };
}

/** The sizes in bytes of a file of dist/browser with all that it imports, each compressed by itself as a server would. */
export function measurePage({ file, budget }) {
  const loaded = new Set([file]);
  const files = [];
  let gzip = 0;
  for (const name of loaded) {
    const contents = readFileSync(`${root}dist/browser/${name}`);
    files.push({ path: `dist/browser/${name}`, bytes: contents.length });
    gzip += gzipSync(contents, { level: 9 }).length;
    for (const [, chunk] of contents.toString().matchAll(/(?:from|import)"\.\/([^"]+)"/g)) loaded.add(chunk);
  }
  const minified = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { minified, gzip, files, faults: gzip > budget ? [`${gzip - budget} bytes over its budget`] : [] };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const width = Math.max(...[...cases, ...pages].map(({ name }) => name.length));
  const row = (name, ...cells) =>
    `${name.padEnd(width)}${cells.map((cell) => String(cell).padStart(10)).join("")}`;
  console.log(row(`isonats ${version}, bytes`, "minified", "gzip", "budget", "of it", "goal"));
  let wrong = 0;
  for (const of of [...cases, ...pages]) {
    const { minified, gzip, files, faults } = of.file ? measurePage(of) : await measure(of);
    const share = `${Math.round((100 * gzip) / of.budget)} %`;
    console.log(row(of.name, minified, gzip, of.budget, share, of.goal ?? ""));
    for (const fault of faults) console.log(`  ✖ ${fault}`);
    wrong += faults.length;
    if (process.argv.includes("--files")) {
      for (const { path, bytes } of files) console.log(`  ${String(bytes).padStart(7)} ${path}`);
    }
  }
  process.exitCode = wrong > 0 ? 1 : 0;
}
