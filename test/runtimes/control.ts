// Control: servers and results for a runtime that cannot start processes. HTTP on loopback, in the process of the test.
//
//   GET  /plan                       what to run: Plan
//   POST /serve   ServerWishes       { id, url } of a server for the case
//   POST /stop    { id }             it is down
//   POST /start   { id }             it is up again, at the same address
//   POST /settle                     the case has closed its connections: its servers go, the shared one must have none
//   POST /result  { name, error? }   a case is over
//   POST /log     { text }           something for whoever reads about a failure
//
// A call that fails is answered by 500 and a sentence. Any origin may call: pages do.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { deferred } from "../../src/lib/deferred.ts";
import { atEnd, type Scope } from "../fixtures/cleanup.ts";
import type { TransportName } from "../fixtures/real-server.ts";
import type { Certificates, ServerWishes, SuiteServer } from "../suites/harness.ts";
import { certificates, startShared, startWished } from "../suites/servers.ts";

/** What a runtime is told to do. */
export interface Plan {
  /** address of the shared server */
  readonly url: string;
  readonly version: string;
  readonly transport: TransportName;
  readonly certificates: Certificates;
  /** names of the cases to run, in order */
  readonly cases: readonly string[];
}

/** How a case ended; without an error it passed. */
export interface Result {
  readonly name: string;
  readonly error?: string;
}

/** A server of a case, as the runtime names it. */
export interface Served {
  readonly id: number;
  readonly url: string;
}

/** The test's side. */
export interface Control {
  /** all that the runtime has to know */
  readonly url: string;
  /** settles as the case does */
  outcome(name: string): Promise<void>;
  /** what the runtime has logged */
  log(): string;
}

/** Start it, with a shared server. Both and all servers of cases are gone at the end of the scope. */
export async function startControl(
  t: Scope,
  transport: TransportName,
  cases: readonly string[],
): Promise<Control> {
  const shared = await startShared(t, transport);
  const plan: Plan = {
    url: shared.urlFor(transport),
    version: shared.version,
    transport,
    certificates: certificates(),
    cases,
  };
  const outcomes = new Map(cases.map((name) => [name, deferred<void>()]));
  // a case may fail before anybody asks
  for (const outcome of outcomes.values()) outcome.catch(() => {});
  const servers: SuiteServer[] = [];
  let ends: (() => unknown)[] = [];
  let log = "";

  const endServers = async (): Promise<void> => {
    const now = ends;
    ends = [];
    for (const end of now) await end();
  };
  atEnd(t, endServers);

  const calls: Record<string, (body: string) => unknown> = {
    plan: () => plan,
    serve: async (body): Promise<Served> => {
      const scope: Scope = { after: (end) => ends.push(end) };
      const server = await startWished(scope, transport, JSON.parse(body) as ServerWishes);
      return { id: servers.push(server) - 1, url: server.url };
    },
    stop: (body) => servers[(JSON.parse(body) as Served).id]?.stop(),
    start: (body) => servers[(JSON.parse(body) as Served).id]?.start(),
    settle: async () => {
      await endServers();
      await shared.waitForConnections(0);
    },
    result: (body) => {
      const { name, error } = JSON.parse(body) as Result;
      const outcome = outcomes.get(name);
      if (!outcome) throw new Error(`the plan has no case '${name}'`);
      if (error === undefined) outcome.resolve();
      else outcome.reject(new Error(error));
    },
    log: (body) => {
      log += `${(JSON.parse(body) as { text: string }).text}\n`;
    },
  };
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const call = calls[request.url?.slice(1) ?? ""];
    if (!call) throw new Error(`there is no ${request.url}`);
    return call(await text(request));
  };

  const http = createServer((request, response) => {
    // no connection is kept: the runtime looks for sockets that a case left open
    const headers = { "access-control-allow-origin": "*", connection: "close" };
    answer(request).then(
      (value) => response.writeHead(200, headers).end(JSON.stringify(value ?? null)),
      (error: Error) => response.writeHead(500, headers).end(error.message),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => {
    http.closeAllConnections();
    return new Promise((resolve) => http.close(resolve));
  });

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    outcome: (name) => outcomes.get(name) ?? Promise.reject(new Error(`the plan has no case '${name}'`)),
    log: () => log,
  };
}
