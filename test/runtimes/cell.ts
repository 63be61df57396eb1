// Cell: one runtime, over one transport, on one version of the server, as tests of a file: each case is a test.
import { after, test } from "node:test";
import { type Scope, within } from "../fixtures/cleanup.ts";
import { suiteTransport, type TransportName } from "../fixtures/real-server.ts";
import { casesOver, type NamedCase } from "../suites/index.ts";
import type { RuntimeRow } from "./cells.mjs";
import { startControl } from "./control.ts";

/**
 * Runs the runtime with the address of a control server; what it leaves running ends with the scope.
 * Resolves when it has ended by itself, rejects when it ended in another way, with what it said.
 */
export type Start = (t: Scope, control: string, row: RuntimeRow) => Promise<void>;

/** Registers the cases of the cell that the environment names, and what the runtime does after them. */
export async function testCell(row: RuntimeRow, start: Start): Promise<void> {
  const transport = suiteTransport();
  const cases = casesOver(transport).map((one) => ({ ...one, why: lackOf(row, transport, one) }));
  checkNames(row);
  const control = await startControl(
    { after },
    transport,
    cases.filter(({ why }) => why === undefined).map(({ name }) => name),
  );
  const ended = start({ after }, control.url, row).catch((error: Error) => {
    throw new Error(`${row.name} did not end well: ${error.message}\n${control.log()}`.trimEnd());
  });
  // it may be over before a test looks
  ended.catch(() => {});
  // why it ended is told once, by the last test
  const early = (): never => {
    throw new Error(`${row.name} ended before this case`);
  };
  const over = ended.then(early, early);
  over.catch(() => {});

  for (const { name, why } of cases) {
    test(name, { skip: why }, () => Promise.race([control.outcome(name), over]));
  }
  // a timer or a socket that was left open would keep it
  test("after the last case the runtime ends by itself", () =>
    within(ended, `${row.name} goes on after its last case`));
}

function lackOf(row: RuntimeRow, transport: TransportName, one: NamedCase): string | undefined {
  return row.lacks.find(
    (lack) =>
      (lack.transport ?? transport) === transport &&
      (lack.name === undefined ? one.needs.includes(lack.need) : lack.name === one.name),
  )?.why;
}

/** A line for a case that is gone, or has another title by now, is an error. */
function checkNames({ name: runtime, lacks }: RuntimeRow): void {
  const names = new Set(
    (["tcp", "tls", "ws"] as const).flatMap((transport) => casesOver(transport)).map(({ name }) => name),
  );
  for (const { name } of lacks) {
    if (name !== undefined && !names.has(name)) {
      throw new Error(`cells.mjs says what ${runtime} lacks of a case that there is not: '${name}'`);
    }
  }
}
