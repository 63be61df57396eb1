// libnats: the C client of Debian, for the tests that a client of another language works with the embedded server.
import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unpackFromDebian } from "./debian.mjs";

const SUITE = "bookworm";
// what it is linked with comes along: a machine may have another version
const PACKAGES = ["libnats-dev", "libnats3.4", "libprotobuf-c1", "libssl3"];

const cache = join(dirname(dirname(fileURLToPath(import.meta.url))), ".cache");

/** Its headers and libraries, `{ include, lib, source }`, from the cache or from Debian. */
export async function provideLibnats() {
  const target = join(cache, "libnats");
  const there = await stat(join(target, "source")).catch(() => undefined);
  if (there === undefined) await fetchLibnats(target);
  const [triplet] = await readdir(join(target, "usr/lib"));
  return {
    include: join(target, "usr/include"),
    lib: join(target, "usr/lib", triplet),
    source: (await readFile(join(target, "source"), "utf8")).trim(),
  };
}

async function fetchLibnats(target) {
  await unpackFromDebian(cache, SUITE, PACKAGES, async (files, source) => {
    await writeFile(join(files, "source"), `${source}\n`);
    // another process may have been first
    await rename(files, target).catch((error) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  });
}
