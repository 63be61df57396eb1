// Bundle: a starter and the suites in one file for a runtime, in which everything of src is the package that was built.
import { build, type Plugin } from "esbuild";
import { join, relative, sep } from "node:path";
import { packageJson, root } from "../package/support.ts";

/**
 * `imported` leaves `import … from "isonats"` in the file: the runtime resolves it through the exports map.
 * `bundled` resolves it now, as a bundler for browsers does, for where there is nothing to resolve it.
 */
export type PackageIs = "imported" | "bundled";

/** The bundle of `entry`, a path from the root of the repository. */
export async function bundle(entry: string, packageIs: PackageIs = "imported"): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    write: false,
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: packageIs === "bundled" ? "browser" : "neutral",
    external: ["node:*"],
    sourcemap: "inline",
    logLevel: "warning",
    plugins: [published(packageIs)],
  });
  return outputFiles[0]?.text ?? "";
}

/** Imports of src become imports of the package: `src/names.ts` and the entries of `isonats`, others of its subpaths. */
function published(packageIs: PackageIs): Plugin {
  return {
    name: "published",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /\/src\// }, async ({ path, resolveDir, kind }) => {
        const file = relative(join(root, "src"), join(resolveDir, path)).replaceAll(sep, "/");
        const subpath = /^(names|index(\.\w+)?)\.ts$/.test(file)
          ? "."
          : `./${file.replace(/(\/index)?\.ts$/, "")}`;
        const name = `isonats${subpath.slice(1)}`;
        if (!(subpath in packageJson.exports)) {
          return {
            errors: [{ text: `src/${file} is not published: what runs in a runtime is what users import` }],
          };
        }
        return packageIs === "imported"
          ? { path: name, external: true }
          : resolve(name, { resolveDir: root, kind });
      });
    },
  };
}
