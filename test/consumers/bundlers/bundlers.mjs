// Bundlers: each makes one ES module for a browser of a module of a project, by the settings that its users begin with.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import commonjs from "@rollup/plugin-commonjs";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import * as esbuild from "esbuild";
import { rollup } from "rollup";
import { build } from "vite";
import webpack from "webpack";

export const bundlers = {
  async esbuild(project, file, minify = false) {
    const { outputFiles, warnings } = await esbuild.build({
      entryPoints: [join(project, file)],
      bundle: true,
      format: "esm",
      platform: "browser",
      minify,
      write: false,
      logLevel: "silent",
    });
    return { code: outputFiles[0].text, warnings: warnings.map(({ text }) => text) };
  },

  async Rollup(project, file) {
    const warnings = [];
    const bundle = await rollup({
      input: join(project, file),
      plugins: [nodeResolve({ browser: true }), commonjs()],
      onLog: (level, { message }) => level === "warn" && warnings.push(message),
    });
    const { output } = await bundle.generate({ format: "es" });
    await bundle.close();
    return { code: output[0].code, warnings };
  },

  async Vite(project, file, minify = false) {
    const warnings = [];
    const warn = (message) => warnings.push(message);
    const { output } = await build({
      root: project,
      configFile: false,
      customLogger: {
        info() {},
        warn,
        warnOnce: warn,
        error: warn,
        clearScreen() {},
        hasErrorLogged: () => false,
        hasWarned: false,
      },
      build: {
        write: false,
        minify,
        rollupOptions: { input: join(project, file), preserveEntrySignatures: "strict" },
      },
    });
    return { code: output[0].code, warnings };
  },

  async webpack(project, file, minify = false) {
    const path = join(project, "webpack");
    const stats = await new Promise((resolve, reject) =>
      webpack(
        {
          mode: "production",
          context: project,
          entry: join(project, file),
          optimization: { minimize: minify },
          output: { path, filename: file, module: true, library: { type: "module" } },
          experiments: { outputModule: true },
          // says that a bundle is large; scripts/size.mjs knows how large
          performance: { hints: false },
        },
        (error, done) => (error ? reject(error) : resolve(done)),
      ),
    );
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
    return {
      code: await readFile(join(path, file), "utf8"),
      warnings: warnings.map(({ message }) => message),
    };
  },
};
