// What a browser loads of the built package, dependencies included: nothing in it asks for Node.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";
import { root, subpaths } from "./support.ts";

/** The bundle of a subpath without comments. */
async function bundled(name: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from "${name}";`, resolveDir: root },
    bundle: true,
    format: "esm",
    platform: "browser",
    minifyWhitespace: true,
    legalComments: "none",
    write: false,
    outdir: "out",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

/** What code mentions of Node, but for what is only said in a text. */
function mentions(code: string): string[] {
  const bare = code.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, (text) =>
    /^.node:/.test(text) ? text : '""',
  );
  // a property may be called so, and a method
  const named = /(?<=[{,]process):|\([\w,]*\)\{/.source;
  return bare.match(new RegExp(`(?<![\\w.$])(?:process|Buffer)\\b(?!${named})|node:\\w+`, "g")) ?? [];
}

test("the look at the code finds process, Buffer and node:, and no property or text", () => {
  const code = `const a=Buffer.from(b),c=typeof process,d=import('node:fs');import{e}from"node:net";x.process();f="Buffer, process"`;
  assert.deepEqual(mentions(code), ["Buffer", "process", "node:fs", "node:net"]);
  assert.deepEqual(mentions(`x.process(ArrayBuffer,"it's a Buffer",{process:1,a,process:2})`), []);
  assert.deepEqual(mentions("class A{process(view,offset){this.process(view)}}"), []);
});

for (const name of subpaths) {
  test(`${name}: no process, no Buffer and no node: in what a browser loads`, async () => {
    const code = await bundled(name);
    assert.ok(code.length > 0);
    assert.deepEqual(mentions(code), []);
  });
}
