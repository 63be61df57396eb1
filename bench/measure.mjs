// Measure: clocks and heap, for the processes that are measured.

const { gc } = globalThis;

/** Run it; `rate` is per second, `cpu` is microseconds of this process (all its threads) for each of `count`. */
export async function measured(count, run) {
  gc();
  const before = process.cpuUsage();
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { rate: (count / ms) * 1000, cpu: (user + system) / count, ms };
}

/** Bytes in use, after what is garbage has gone. */
export async function heap() {
  for (let i = 0; i < 3; i++) {
    gc();
    await turn();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** One turn of the event loop. */
export function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The far end publishes this much. */
export function feed(count, { size, headers }) {
  process.send({ feed: { count, size, headers } });
}
