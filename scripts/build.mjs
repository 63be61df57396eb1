// Build: writes src/version.ts from package.json, compiles src to dist, gives the declarations what they stand on, and
// bundles dist/browser for pages without a bundler.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("..", import.meta.url);
const { version, exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const versionFile = new URL("src/version.ts", root);
const text = `// Version of the package; written from package.json by the build.\nexport const version = "${version}";\n`;
if (readFileSync(versionFile, "utf8") !== text) writeFileSync(versionFile, text);

const dist = fileURLToPath(new URL("dist", root));
rmSync(dist, { recursive: true, force: true });
const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));
const { status } = spawnSync(process.execPath, [tsc, "-p", fileURLToPath(new URL("src", root))], {
  stdio: "inherit",
});
if (status === 0) {
  nameBuiltFiles();
  declareGlobals();
  await bundlePages();
}
process.exitCode = status ?? 1;

/** tsc leaves `./x.ts` in the declarations, and Deno takes it at its word. As long as it was, so that the maps hold. */
function nameBuiltFiles() {
  for (const name of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
    const file = join(dist, name);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/(?<=(?:from |import\()"\.[^"]*\.)ts(?=")/g, "js"));
  }
}

/**
 * The declarations name a few types of the web platform. A program has them from the DOM library or from the types of
 * its runtime; for one that has neither, empty interfaces stand in for them, and merge into nothing where they exist.
 * Done here and not in src: a source that declares globals cannot be published to JSR.
 */
function declareGlobals() {
  const globals = { AbortSignal: "", Blob: "", ReadableStream: "<R = any>", WritableStream: "<W = any>" };
  const lines = Object.entries(globals).map(([name, of]) => `  interface ${name}${of} {}\n`);
  writeFileSync(
    join(dist, "globals.d.ts"),
    `// Globals: for programs compiled without the DOM library and without their runtime's types.\n` +
      `export {};\ndeclare global {\n${lines.join("")}}\n`,
  );
  const named = new RegExp(`\\b(?:${Object.keys(globals).join("|")})\\b`);
  for (const name of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
    const file = join(dist, name);
    const text = readFileSync(file, "utf8");
    if (name === "globals.d.ts" || !named.test(text)) continue;
    const path = relative(dirname(file), dist).replaceAll("\\", "/") || ".";
    // at the end, so that the map of the declarations holds
    const [body, map] = text.split(/(?=\/\/# sourceMappingURL=)/);
    writeFileSync(file, `${body}import type {} from "${path}/globals.d.ts";\n${map}`);
  }
}

/**
 * For `<script type="module">`: a file for each subpath, the root being `isonats.js`, and the chunks that they share. A
 * browser resolves no bare names, and tweetnacl is CommonJS, so that dist itself does not run there.
 */
async function bundlePages() {
  const files = Object.entries(exports).flatMap(([subpath, target]) => {
    const file = target.browser ?? target.default;
    return file ? [{ in: file, out: subpath === "." ? "isonats" : subpath.slice(2) }] : [];
  });
  const { metafile } = await build({
    entryPoints: files,
    metafile: true,
    absWorkingDir: fileURLToPath(root),
    outdir: join(dist, "browser"),
    bundle: true,
    splitting: true,
    minify: true,
    charset: "utf8",
    legalComments: "none",
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  const inside = Object.keys(metafile.inputs).map(
    (path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0],
  );
  const licences = [...new Set(inside)].filter(Boolean).map((folder) => {
    const read = (name) => readFileSync(new URL(`${folder}/${name}`, root), "utf8");
    const { name, version, license } = JSON.parse(read("package.json"));
    const file = readdirSync(new URL(folder, root)).find((name) => /^licen[cs]e/i.test(name));
    return `${name} ${version}: ${license}\n${file ? `\n${read(file)}` : ""}`;
  });
  writeFileSync(join(dist, "browser/LICENSES.txt"), licences.join("\n\n"));
}
