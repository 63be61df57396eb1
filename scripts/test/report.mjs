// Report: what ran, what did not and why; each failure when it happens, the tables at the end.

/** One line of the first table, or one cell of the matrix of suites: how much passed, or why it did not run. */
class Entry {
  passed = 0;
  failed = 0;
  skipped = 0;
  ms = 0;
  why;
  /** `row` and `column` place it in the matrix */
  constructor(name, row, column) {
    this.name = name;
    this.row = row;
    this.column = column;
  }

  get ran() {
    return this.passed + this.failed + this.skipped;
  }
}

export class Report {
  #entries = [];
  #failures = [];
  #unsteady = [];
  #skips = new Map();

  /** A line of the first table. */
  line(name) {
    return this.#add(new Entry(name));
  }

  /** A cell of the matrix. */
  cell(row, column) {
    return this.#add(new Entry(`${row} ${column}`, row, column));
  }

  #add(entry) {
    this.#entries.push(entry);
    return entry;
  }

  pass(entry, text) {
    entry.passed++;
    console.log(`✔ ${text}`);
  }

  /** A failure, counted; `text`, when there is one, is shown now. */
  fail(entry, where, text) {
    entry.failed++;
    this.#failures.push(where);
    if (text !== undefined) this.show([{ where, text }]);
  }

  /** Failures as they happen, before it is known whether they count. */
  show(failures) {
    for (const { where, text } of failures) console.log(`✖ ${where}\n${indent(text)}\n`);
  }

  /** What failed among others and passed alone. */
  unsteady(where) {
    this.#unsteady.push(where);
  }

  skip(entry, where, why) {
    entry.skipped++;
    this.#skips.set(where, why === "true" ? "" : why);
  }

  total(field) {
    return this.#entries.reduce((total, { [field]: count }) => total + count, 0);
  }

  print() {
    printList(
      "skipped",
      [...this.#skips].map(([where, why]) => `${where}${why && `: ${why}`}`),
    );
    printList("unsteady: failed in one of two runs", this.#unsteady);
    printList("failed", this.#failures);
    printList("not run", reasons(this.#entries.filter(({ why }) => why !== undefined)));
    this.#printMatrix();
    this.#printLines();
  }

  #printLines() {
    const lines = this.#entries.filter(({ row, why }) => row === undefined && why === undefined);
    const suites = new Entry("suites");
    for (const { row, passed, failed, skipped, ms } of this.#entries) {
      if (row === undefined) continue;
      suites.passed += passed;
      suites.failed += failed;
      suites.skipped += skipped;
      suites.ms += ms;
    }
    if (suites.ran > 0) lines.push(suites);
    printTable(
      ["", "passed", "failed", "skipped", "process time"],
      lines.map(({ name, passed, failed, skipped, ms }) => [name, passed, failed, skipped, seconds(ms)]),
    );
  }

  /** A row for each runtime, a column for each server and transport; those in which nothing ran are left out. */
  #printMatrix() {
    const cells = this.#entries.filter(({ row, ran }) => row !== undefined && ran > 0);
    if (cells.length === 0) return;
    const columns = [...new Set(cells.map(({ column }) => column))];
    const rows = [...groupBy(cells, ({ row }) => row)].map(([row, mine]) => [
      row,
      ...columns.map((column) => describe(mine.find((cell) => cell.column === column))),
    ]);
    console.log(
      "\nthe suites, cases that passed (and those left out): the sources in this Node, the build in each runtime",
    );
    printTable(["", ...columns], rows);
  }
}

function describe(cell) {
  if (!cell) return "-";
  const { passed, failed, skipped } = cell;
  return failed > 0 ? `${failed} FAILED` : skipped > 0 ? `${passed} (${skipped})` : `${passed}`;
}

/** For each reason, what did not run; rows of the matrix that miss the same columns are named together. */
function reasons(left) {
  return [...groupBy(left, ({ why }) => why)].map(([why, entries]) => {
    const lines = entries.filter(({ row }) => row === undefined).map(({ name }) => name);
    const rows = groupBy(
      entries.filter(({ row }) => row !== undefined),
      ({ row }) => row,
    );
    const together = groupBy([...rows.keys()], (row) =>
      rows
        .get(row)
        .map(({ column }) => column)
        .join(", "),
    );
    const cells = [...together].map(([columns, names]) => `${names.join(", ")} on ${columns}`);
    return `${[...(lines.length > 0 ? [lines.join(", ")] : []), ...cells].join("; ")}: ${why}`;
  });
}

function groupBy(list, keyOf) {
  const groups = new Map();
  for (const item of list) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

function printList(title, lines) {
  if (lines.length > 0) console.log(`\n${title}:\n${lines.map((text) => `  ${text}`).join("\n")}`);
}

/** The first column to the left, all others to the right. */
function printTable(head, rows) {
  const all = [head, ...rows].map((cells) => cells.map(String));
  const widths = head.map((_, index) => Math.max(...all.map((cells) => cells[index].length)));
  const lines = all.map((cells) =>
    cells
      .map((text, index) => (index === 0 ? text.padEnd(widths[0]) : text.padStart(widths[index])))
      .join("  "),
  );
  console.log(`\n${lines.join("\n")}`);
}

export function indent(text) {
  return text.trimEnd().replace(/^/gm, "    ");
}

export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
