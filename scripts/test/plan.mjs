// Plan: which test files run how often and with what, and why the rest does not.
//
//   test/package                 once, on what the build made
//   test/real                    on each server
//   test/suites                  the sources, on each server, over each transport
//   test/runtimes, the starters  the build, in each runtime, on the newest server, over each transport
//   all others                   once, on the newest server
import { relative, sep } from "node:path";
import { runtimes } from "../../test/runtimes/cells.mjs";
import { minors } from "../servers.mjs";

export const transports = ["tcp", "tls", "ws"];

/** How the row of the sources is named, beside those of test/runtimes/cells.mjs. */
const SOURCES = "sources";
export const rows = [SOURCES, ...runtimes.map(({ name }) => name)];

/** `unit`, `package`, `suites`, `real`, or the name of the file for a starter of runtimes. */
function kindOf(folder, file) {
  const [first, second] = relative(folder, file).split(sep);
  if (first === "runtimes" && runtimes.some(({ starter }) => starter === second)) return second;
  return ["package", "suites", "real"].includes(first) ? first : "unit";
}

/** True when one of the files is about what the build made. */
export function needsBuild(folder, files) {
  return files.some((file) => !["unit", "suites", "real"].includes(kindOf(folder, file)));
}

/** True when one of the files starts runtimes. */
export function needsRuntimes(folder, files) {
  return files.some((file) => runtimes.some(({ starter }) => starter === kindOf(folder, file)));
}

/**
 * The work, as entries of the report with a file and an environment. `servers` are those that there are, `built` says
 * whether there is a build; `quick`, `server`, `transport`, `runtime` and `wanted` are those of the command line.
 */
export function plan({ root, folder, files, servers, built, report, options }) {
  const work = [];
  const { quick, server, transport: only, runtime, wanted } = options;
  const newest = server ?? minors[0];
  const inQuick = quick ? "not part of --quick" : undefined;
  const missing = (minor) => (servers.get(minor) ? undefined : `there is no nats-server ${minor}`);
  const unbuilt = built ? undefined : "the build failed";

  /** Every file of a kind; `reasons` not to run it, the first one counts. */
  const add = (entry, kind, env, ...reasons) => {
    const mine = files.filter((file) => kindOf(folder, file) === kind);
    if (mine.length === 0) reasons.unshift(wanted.length > 0 ? "no file matches" : "there are no such files");
    entry.why = reasons.find((reason) => reason !== undefined);
    if (entry.why !== undefined) return;
    for (const file of mine) {
      const path = relative(root, file);
      const label = kind === "unit" || kind === "package" ? path : `${path} [${entry.name}]`;
      work.push({ entry, file, label, env });
    }
  };
  const otherRow = (row) => (runtime !== undefined && row !== runtime ? `--runtime=${runtime}` : undefined);
  const elsewhere = runtime === undefined ? undefined : `--runtime=${runtime}`;

  const env = { ISONATS_SERVER: newest, ISONATS_TRANSPORT: only ?? "tcp" };
  add(report.line("unit"), "unit", env, elsewhere, missing(newest));
  add(report.line("package"), "package", {}, elsewhere, inQuick, unbuilt);
  for (const minor of minors) {
    const other = server !== undefined && minor !== server ? `--server=${server}` : undefined;
    const older = minor === newest ? undefined : inQuick;
    add(
      report.line(`real ${minor}`),
      "real",
      { ISONATS_SERVER: minor },
      elsewhere,
      other,
      older,
      missing(minor),
    );
    for (const transport of transports) {
      const column = `${minor} ${transport}`;
      const env = { ISONATS_SERVER: minor, ISONATS_TRANSPORT: transport };
      const unwanted = only !== undefined && transport !== only ? `--transport=${only}` : undefined;
      const extra = only === undefined && transport !== "tcp" ? inQuick : undefined;
      add(
        report.cell(SOURCES, column),
        "suites",
        env,
        ...[otherRow(SOURCES), other, unwanted, older, extra, missing(minor)],
      );
      for (const row of runtimes) {
        const offered = row.transports[transport];
        add(
          report.cell(row.name, column),
          row.starter,
          { ...env, ISONATS_RUNTIME: row.name },
          ...[otherRow(row.name), offered === true ? undefined : offered, other, unwanted, inQuick],
          minor === newest ? undefined : "the sources cover the older servers",
          ...[missing(minor), absence(row), unbuilt],
        );
      }
    }
  }
  return work;
}

/** Why this machine can't run it. */
function absence({ command }) {
  try {
    command();
    return undefined;
  } catch (error) {
    return error.message;
  }
}
