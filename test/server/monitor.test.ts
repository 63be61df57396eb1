// Monitor: the system account hears of connections and asks of them as on a nats-server 2.15.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect, type NatsConnection } from "../../src/index.node.ts";
import { within } from "../fixtures/cleanup.ts";
import { PATIENT } from "../suites/tools.ts";
import { pair } from "./pair.ts";

const users = (name: string) => ({ users: [{ user: name, password: name }] });
const accounts = { $SYS: users("sys"), A: users("a") };
const config = (name: string) => `{ users: [{ user: ${name}, password: ${name} }] }`;
const both = await pair({ after }, `server_name: T\naccounts { $SYS ${config("sys")}, A ${config("a")} }`, {
  name: "T",
  accounts,
});

const login = (port: number, user: string): Promise<NatsConnection> =>
  connect({ servers: `127.0.0.1:${port}`, user, pass: user, name: `N-${user}`, reconnect: false });

/** Values that differ between two servers, or from one time to the next. */
const DIFFERS =
  /^(id|timestamp|time|start|stop|now|seq|rtt|cid|port|server_id|last_activity|uptime|idle|mem|cores|cpu|gomaxprocs|num_subscriptions|subscriptions|msgs|bytes|(in|out)_(msgs|bytes)|total_connections|connections_total|version|ver)$/;

/** The shape of an answer: its fields in their order, with the values that must be the same. */
function shape(value: unknown, name = ""): unknown {
  if (DIFFERS.test(name)) return "…";
  if (Array.isArray(value)) return value.map((one) => shape(one));
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .filter(([key]) => key !== "gomaxprocs")
    .map(([key, inner]) => [key, shape(inner, key)]);
}

async function heard(port: number): Promise<[string, unknown][]> {
  const sys = await login(port, "sys");
  const id = sys.info?.server_id as string;
  const events: [string, unknown][] = [];
  let more = (): void => {};
  sys.subscribe(["$SYS.ACCOUNT.>", "$SYS.SERVER.>"][0] as string, {
    callback: (_, msg) => {
      events.push([msg.subject, shape(msg.json())]);
      more();
    },
  });
  sys.subscribe("$SYS.SERVER.*.CLIENT.AUTH.ERR", {
    callback: (_, msg) => {
      events.push([msg.subject.replace(id, "<id>"), shape(msg.json())]);
      more();
    },
  });
  await sys.flush();
  const until = (subject: string, count: number): Promise<void> =>
    within(
      new Promise((resolve) => {
        more = () => {
          if (events.filter(([of]) => of === subject).length >= count) resolve();
        };
        more();
      }),
      () => `waits for ${subject}, has ${events.map(([of]) => of).join(" ")}`,
    );
  const a = await login(port, "a");
  await until("$SYS.ACCOUNT.A.CONNECT", 1);
  await a.close();
  await until("$SYS.ACCOUNT.A.DISCONNECT", 1);
  await assert.rejects(login(port, "nobody"), { code: "AUTHORIZATION" });
  await until("$SYS.SERVER.<id>.CLIENT.AUTH.ERR", 1);
  await until("$SYS.ACCOUNT.$G.DISCONNECT", 1);
  const again = await login(port, "a");
  await until("$SYS.ACCOUNT.A.CONNECT", 2);
  const cid = again.info?.client_id;
  await sys.request(`$SYS.REQ.SERVER.${id}.KICK`, JSON.stringify({ cid }), PATIENT);
  await again.closed();
  await until("$SYS.ACCOUNT.A.DISCONNECT", 2);
  await sys.close();
  return events.sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0));
}

test("it hears of logins, ends, refusals and who was kicked", async () => {
  const theirs = await heard(both.real);
  assert.ok(theirs.length >= 8);
  assert.deepEqual(await heard(both.embedded), theirs);
});

test("it asks for what the server has", async (t) => {
  const answers = async (port: number): Promise<Record<string, unknown>> => {
    const sys = await login(port, "sys");
    const a = await login(port, "a");
    t.after(() => Promise.all([sys.close(), a.close()]));
    const id = sys.info?.server_id;
    const result: Record<string, unknown> = {};
    for (const kind of ["PING", "PING.STATSZ", "PING.IDZ", "PING.HEALTHZ", "PING.CONNZ"]) {
      result[kind] = shape((await sys.request(`$SYS.REQ.SERVER.${kind}`, "", PATIENT)).json());
    }
    for (const kind of ["STATSZ", "HEALTHZ"]) {
      result[`id ${kind}`] = shape((await sys.request(`$SYS.REQ.SERVER.${id}.${kind}`, "", PATIENT)).json());
    }
    for (const kind of ["CONNZ", "STATZ"]) {
      result[`account ${kind}`] = shape(
        (await a.request(`$SYS.REQ.ACCOUNT.PING.${kind}`, "", PATIENT)).json(),
      );
    }
    return result;
  };
  const theirs = await answers(both.real);
  assert.deepEqual(await answers(both.embedded), theirs);
});

test("one client is told to go elsewhere", async (t) => {
  for (const port of [both.real, both.embedded]) {
    const sys = await login(port, "sys");
    const a = await login(port, "a");
    t.after(() => Promise.all([sys.close(), a.close()]));
    const ldm = (async () => {
      for await (const event of a.status()) if (event.type === "ldm") return;
    })();
    await sys.request(
      `$SYS.REQ.SERVER.${sys.info?.server_id}.LDM`,
      JSON.stringify({ cid: a.info?.client_id }),
      PATIENT,
    );
    await within(ldm, () => "is not told");
  }
});
