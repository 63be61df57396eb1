// Run: the behaviour suites in whatever runtime loads this, case by case, as a control server says. Web standards only.
import type { ConnectionOptions, NatsConnection } from "../../src/names.ts";
import type { ServerWishes, SuiteServer } from "../suites/harness.ts";
import { casesOver, type NamedCase } from "../suites/index.ts";
import type { Plan, Result, Served } from "./control.ts";

/** What a starter tells of its runtime. */
export interface Runtime {
  /** address of the control server */
  readonly control: string;
  /** that of the package, as it came through the exports map */
  connect(options?: ConnectionOptions): Promise<NatsConnection>;
  /** Have `report` told of errors that nobody catches, where the runtime has no events for that on its global object. */
  watchStrays?(report: (error: unknown) => void): void;
  /** Called before each case; what it returns is called after it, and rejects when something was left open. */
  watch?(): () => Promise<void>;
}

/** Run the plan; resolves when all results are told. A case that fails doesn't end it. */
export async function run(runtime: Runtime): Promise<void> {
  const ask = caller(runtime.control);
  const plan = await ask<Plan>("plan");
  const all = new Map(casesOver(plan.transport).map((one) => [one.name, one]));
  const strays: Error[] = [];
  const report = (error: unknown): void => {
    strays.push(new Error("nobody catches this error", { cause: error }));
  };
  watchStrays(report);
  runtime.watchStrays?.(report);
  for (const [index, name] of plan.cases.entries()) {
    const failures: unknown[] = [];
    const one = all.get(name);
    if (one) await runCase(one, `case${index + 1}`, runtime, plan, ask, failures);
    else failures.push(new Error("the runtime does not know this case: was it bundled from other sources?"));
    failures.push(...strays.splice(0));
    const error = failures.map(explain).join("\n");
    await ask<void>("result", { name, ...(failures.length > 0 && { error }) } satisfies Result);
  }
}

type Ask = <T>(call: string, body?: unknown) => Promise<T>;

function caller(control: string): Ask {
  return async <T>(call: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${control}/${call}`, {
      method: call === "plan" ? "GET" : "POST",
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return JSON.parse(text) as T;
  };
}

async function runCase(
  { run }: NamedCase,
  prefix: string,
  { connect, watch }: Runtime,
  { url, version, transport, certificates }: Plan,
  ask: Ask,
  failures: unknown[],
): Promise<void> {
  const attempt = async (step: () => unknown): Promise<void> => {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  };
  const serve = async (wishes: ServerWishes = {}): Promise<SuiteServer> => {
    const { id, url } = await ask<Served>("serve", wishes);
    return { url, stop: () => ask("stop", { id }), start: () => ask("start", { id }) };
  };
  const tls = transport === "tls" ? { tls: { ca: certificates.ca } } : {};
  const connections: NatsConnection[] = [];
  const unwatch = watch?.();
  await attempt(() =>
    run({
      url,
      version,
      prefix,
      certificates,
      connect: async (options = {}) => {
        const nc = await connect({ servers: url, ...tls, ...options });
        connections.push(nc);
        return nc;
      },
      serve,
    }),
  );
  for (const nc of connections.reverse()) await attempt(() => nc.close());
  await attempt(() => ask("settle"));
  await attempt(() => unwatch?.());
}

/** Errors that nobody catches, as browsers tell of them. */
function watchStrays(report: (error: unknown) => void): void {
  const target = globalThis as { addEventListener?: typeof addEventListener };
  target.addEventListener?.("unhandledrejection", (event) => {
    event.preventDefault();
    report(event.reason);
  });
  target.addEventListener?.("error", (event) => {
    event.preventDefault();
    report(event.error);
  });
}

/** An error with its stack and causes; some stacks begin with the message, others leave it out. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const head = String(error);
  const stack = error.stack ?? "";
  const text = stack.startsWith(head) ? stack : `${head}\n${stack}`;
  return error.cause === undefined ? text : `${text}\ncaused by ${explain(error.cause)}`;
}
