// Build: writes src/version.ts from package.json and compiles src to dist.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("..", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const versionFile = new URL("src/version.ts", root);
const text = `// Version of the package; written from package.json by the build.\nexport const version = "${version}";\n`;
if (readFileSync(versionFile, "utf8") !== text) writeFileSync(versionFile, text);

rmSync(new URL("dist", root), { recursive: true, force: true });
const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));
const { status } = spawnSync(process.execPath, [tsc, "-p", fileURLToPath(new URL("src", root))], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
