// Bench: times one thing in a plain loop, and prints nanoseconds for each of its `count` steps: the fastest of several
// rounds, which is what the code costs when nobody disturbs it.

const WARM_UP = 100;
const ROUND = 60;
const ROUNDS = 7;

export function bench(name, count, run) {
  if (bench.filter !== undefined && !name.includes(bench.filter)) return;
  const until = performance.now() + WARM_UP;
  let runs = 0;
  for (; performance.now() < until; runs++) run();
  const times = Math.max(1, Math.round((runs * ROUND) / WARM_UP));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < times; i++) run();
    best = Math.min(best, (performance.now() - start) / times);
  }
  console.log(`${name.padEnd(56)} ${((best * 1e6) / count).toFixed(1).padStart(9)} ns`);
}
