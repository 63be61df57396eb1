// Suite: services: they answer, count, can be found, and end as one.
import type { NatsConnection } from "../../src/names.ts";
import {
  controlSubject,
  type Service,
  type ServiceClient,
  type ServiceConfig,
  ServiceError,
  ServiceErrorCodeHeader,
  ServiceErrorHeader,
  type ServiceMsg,
  Svcm,
} from "../../src/services/index.ts";
import type { Harness, Suite } from "./harness.ts";
import {
  check,
  equal,
  Events,
  gate,
  inbox,
  numbers,
  ok,
  PATIENT,
  rejects,
  texts,
  throws,
  tick,
  within,
} from "./tools.ts";

/** Two connections, and a service on the first whose name and subjects are the case's own. */
async function greeter(
  { connect, prefix }: Harness,
  config: Partial<ServiceConfig> = {},
): Promise<{ nc: NatsConnection; other: NatsConnection; service: Service; name: string }> {
  const [nc, other] = [await connect(), await connect()];
  const service = await new Svcm(nc).add({ name: prefix, version: "1.2.3", ...config });
  return { nc, other, service, name: prefix };
}

/** Who finds services; patient, since the first answer comes when the server and whoever answers have come to it. */
function finder(nc: NatsConnection, prefix?: string): ServiceClient {
  return new Svcm(nc).client({ maxWait: 20_000 }, prefix);
}

/** All that discovery finds. */
async function all<T>(answers: Promise<AsyncIterable<T>>): Promise<T[]> {
  const found: T[] = [];
  for await (const answer of await answers) found.push(answer);
  return found;
}

const echo = (_: unknown, msg: ServiceMsg) => void msg.respond(msg.data);

export const services: Suite = {
  name: "services",
  cases: {
    "an endpoint answers at its name, at its subject, and in its groups (C-ADR32-7, C-ADR32-8)": async (
      harness,
    ) => {
      const { nc, other, service, name } = await greeter(harness);
      service.addEndpoint(`${name}-a`, echo);
      service.addEndpoint("b", {
        subject: `${name}.b.*`,
        handler: (_, msg) => void msg.respond(msg.subject),
      });
      const group = service.addGroup(name).addGroup("").addGroup("inner");
      group.addEndpoint("c", echo);
      await nc.flush();
      const ask = async (subject: string) => (await other.request(subject, "x", PATIENT)).string();
      equal(await ask(`${name}-a`), "x");
      equal(await ask(`${name}.b.any`), `${name}.b.any`);
      equal(await ask(`${name}.inner.c`), "x");
      equal(
        service.info().endpoints.map((endpoint) => [endpoint.name, endpoint.subject]),
        [
          [`${name}-a`, `${name}-a`],
          ["b", `${name}.b.*`],
          ["c", `${name}.inner.c`],
        ],
      );
    },

    "names, versions and groups that can't be are refused by value (C-ADR32-1, C-ADR32-8)": async (
      harness,
    ) => {
      const { nc, service } = await greeter(harness);
      const svcm = new Svcm(nc);
      for (const name of ["", "a b", "a.b", "a*", "ä"]) {
        check(await rejects(svcm.add({ name, version: "1.0.0" }), "INVALID_ARGUMENT"), "INVALID_ARGUMENT");
        throws(() => service.addEndpoint(name, echo), "INVALID_ARGUMENT");
      }
      for (const version of ["", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+"]) {
        const { message } = await rejects(svcm.add({ name: "a", version }), "INVALID_ARGUMENT");
        ok(message.includes(`'${version}'`), message);
      }
      for (const version of ["0.0.0", "1.0.0-alpha.1", "1.0.0-0a", "1.0.0+build.5", "10.20.30-rc.1+sha-5"]) {
        await (await svcm.add({ name: "a", version })).stop();
      }
      for (const subject of ["a b", "a..b", ">", "a.>"]) {
        throws(() => service.addGroup(subject), ["INVALID_SUBJECT", "INVALID_ARGUMENT"]);
      }
      throws(() => service.addEndpoint("a", { subject: "a b" }), "INVALID_SUBJECT");
      equal(service.info().endpoints, []);
    },

    "ping, info and stats are answered to all, by name, and by id (C-ADR32-2, C-ADR32-3, C-ADR32-4, C-ADR32-5, C-ADR32-6)":
      async (harness) => {
        const metadata = { team: "red" };
        const { nc, other, service, name } = await greeter(harness, { metadata, description: "says hello" });
        const second = await new Svcm(other).add({ name, version: "1.2.4" });
        service.addEndpoint("hello", {
          subject: `${name}.hello`,
          handler: echo,
          metadata: { schema: "text" },
        });
        await nc.flush();
        const client = finder(other);
        const { id } = service.ping();
        ok(id !== second.ping().id && /^\w{22}$/.test(id), id);

        const mine = { name, id, version: "1.2.3", metadata: { team: "red" } };
        const ping = { type: "io.nats.micro.v1.ping_response", ...mine };
        equal(await all(client.ping(name, id)), [ping]);
        equal((await all(client.ping(name))).map(({ version }) => version).sort(), ["1.2.3", "1.2.4"]);
        ok((await all(client.ping())).some((one) => one.id === id));
        const endpoints = [
          { name: "hello", subject: `${name}.hello`, queue_group: "q", metadata: { schema: "text" } },
        ];
        const info = {
          type: "io.nats.micro.v1.info_response",
          ...mine,
          description: "says hello",
          endpoints,
        };
        equal(await all(client.info(name, id)), [info]);
        equal(service.info() as object, info);
        const [stats] = await all(client.stats(name, id));
        ok(/^\d{4}-\d\d-\d\dT.*Z$/.test(stats?.started ?? ""), stats?.started);
        equal(stats as object, {
          type: "io.nats.micro.v1.stats_response",
          ...mine,
          started: stats?.started,
          endpoints: [
            {
              name: "hello",
              subject: `${name}.hello`,
              queue_group: "q",
              num_requests: 0,
              num_errors: 0,
              processing_time: 0,
              average_processing_time: 0,
            },
          ],
        });
        equal(second.ping().metadata, {}, "metadata is never absent");
        // on the wire too, whatever the request says
        const raw = await other.request(controlSubject("PING", undefined, name, id), "ignored", PATIENT);
        equal(raw.json<object>(), ping);
      },

    "nobody is an empty answer, and an id needs a name (C-ADR32-17)": async ({ connect, prefix }) => {
      const client = finder(await connect());
      equal(await all(client.ping(prefix)), []);
      equal(await all(client.stats(prefix, "nobody")), []);
      await rejects(client.info("", "some"), "INVALID_ARGUMENT");
    },

    "services can be found under another prefix (C-ADR32-3)": async (harness) => {
      const { other, service, name } = await greeter(harness, { prefix: "$OTHER" });
      const { id } = service.ping();
      equal(
        (await all(finder(other, "$OTHER").ping(name))).map((one) => one.id),
        [id],
      );
      equal(await all(finder(other).ping(name)), []);
    },

    "what was configured is copied and frozen, and the caller's stays as it was (C-ADR32-1, trap 106)":
      async (harness) => {
        const metadata = { a: "1" };
        const { service } = await greeter(harness, { metadata });
        metadata.a = "2";
        equal(service.ping().metadata, { a: "1" });
        ok(Object.isFrozen(service.ping().metadata) && !Object.isFrozen(metadata));
      },

    "instances share requests, unless the queue group is disabled (C-ADR32-9)": async (harness) => {
      const { connect, prefix } = harness;
      const [a, b] = [await connect(), await connect()];
      const seen: string[] = [];
      for (const nc of [a, b]) {
        const service = await new Svcm(nc).add({ name: prefix, version: "1.0.0" });
        service.addEndpoint("shared", {
          subject: `${prefix}.shared`,
          handler: () => void seen.push("shared"),
        });
        const everyone = service.addGroup(`${prefix}.all`, "");
        everyone.addEndpoint("each", () => void seen.push("each"));
        everyone.addGroup("deep").addEndpoint("each", () => void seen.push("deep"));
        everyone.addEndpoint("one", { queue: "x", handler: () => void seen.push("one") });
        equal(
          service.info().endpoints.map(({ queue_group }) => queue_group),
          ["q", "", "", "x"],
        );
        await nc.flush();
      }
      for (const what of ["shared", "all.each", "all.deep.each", "all.one"]) a.publish(`${prefix}.${what}`);
      await Promise.all([a.flush(), b.flush()]);
      await Promise.all([a.flush(), b.flush()]);
      equal(seen.sort(), ["deep", "deep", "each", "each", "one", "shared"]);
    },

    "a service without a queue group has endpoints without one (C-ADR32-9)": async (harness) => {
      const { service } = await greeter(harness, { queue: "" });
      service.addEndpoint("a", echo);
      service.addEndpoint("b", { handler: echo, queue: "own" });
      equal(
        service.info().endpoints.map(({ queue_group }) => queue_group),
        ["", "own"],
      );
    },

    "a handler that throws or rejects answers with an error, is counted, and goes on (C-ADR32-10, trap 105)":
      async (harness) => {
        const { nc, other, service, name } = await greeter(harness);
        const events = new Events(nc);
        service.addEndpoint("fails", {
          subject: `${name}.fails`,
          handler: (_, msg) => {
            if (msg.string() === "throw") throw new Error("first\r\nline");
            if (msg.string() === "reject") return Promise.reject(new Error("later"));
            if (msg.string() === "no text") throw new Error("half \ud800");
            if (msg.string() === "all of it") throw new Error("x".repeat(2_000_000));
            if (msg.string() === "mean it") throw new ServiceError(404, "no such order");
            msg.respond("fine");
            return undefined;
          },
        });
        await nc.flush();
        const ask = (what: string) => other.request(`${name}.fails`, what, PATIENT);
        const error = async (what: string) => {
          const failure = ServiceError.toServiceError(await ask(what));
          check(failure, "SERVICE");
          return [failure?.serviceCode, failure?.description];
        };
        equal(await error("throw"), [500, "first line"]);
        equal(await error("reject"), [500, "later"]);
        // what can't be sent as it is would be no answer
        equal(await error("no text"), [500, "half \ufffd"]);
        equal(await error("all of it"), [500, "x".repeat(4096)]);
        equal(await error("mean it"), [404, "no such order"]);
        const fine = await ask("x");
        equal(
          [fine.string(), ServiceError.isServiceError(fine), ServiceError.toServiceError(fine)],
          ["fine", false, null],
        );
        const [stats] = (await service.stats()).endpoints;
        equal([stats?.num_requests, stats?.num_errors, stats?.last_error], [6, 5, "404:no such order"]);
        // those that nobody meant are reported
        await events.until("handlerError", 4);
        equal(
          events.of("handlerError").map(({ subject }) => subject),
          new Array(4).fill(`${name}.fails`),
        );
      },

    "respondError sets both headers, keeps the caller's, and counts (C-ADR32-11, C-ADR32-12)": async (
      harness,
    ) => {
      const { nc, other, service, name } = await greeter(harness);
      service.addEndpoint("odd", {
        subject: `${name}.odd`,
        handler: (_, msg) => void msg.respondError(400, "not\nlike this", "why"),
      });
      await nc.flush();
      const reply = await other.request(`${name}.odd`, "", PATIENT);
      equal(
        [reply.headers?.get(ServiceErrorCodeHeader), reply.headers?.get(ServiceErrorHeader), reply.string()],
        ["400", "not like this", "why"],
      );
      equal((await service.stats()).endpoints[0]?.last_error, "400:not like this");
    },

    "an iterator takes the requests of an endpoint without a handler, each with its time (C-ADR32-13, trap 105)":
      async (harness) => {
        const { nc, other, service, name } = await greeter(harness);
        const requests = service.addEndpoint("queue", { subject: `${name}.queue` });
        await nc.flush();
        const asked = numbers(3).map((n) => other.request(`${name}.queue`, n, PATIENT));
        const seen: string[] = [];
        for await (const msg of requests) {
          seen.push(msg.string());
          await tick();
          msg.respond(`done ${msg.string()}`);
          if (seen.length === 3) break;
        }
        equal(
          (await Promise.all(asked)).map((reply) => reply.string()),
          ["done 0", "done 1", "done 2"],
        );
        equal(await within(service.stopped, "the service goes on without its endpoint"), null);
        const [stats] = (await service.stats()).endpoints;
        equal([requests.getProcessed(), stats?.num_requests], [3, 3]);
        ok(Number.isInteger(stats?.processing_time) && (stats?.processing_time ?? 0) > 0);
        equal(stats?.average_processing_time, Math.round((stats?.processing_time ?? 0) / 3));
      },

    "an async handler is waited for: in its time, in the bound on how many run, and by stop() (C-ADR32-13, C-ADR32-14)":
      async (harness) => {
        const { nc, other, service, name } = await greeter(harness);
        const [begun, go] = [gate(), gate()];
        let [running, most] = [0, 0];
        service.addEndpoint("slow", {
          subject: `${name}.slow`,
          concurrency: 2,
          handler: async (_, msg) => {
            most = Math.max(most, ++running);
            if (running === 2) begun.open();
            await go.promise;
            running--;
            msg.respond("done");
          },
        });
        await nc.flush();
        const asked = numbers(5).map(() => other.request(`${name}.slow`, "", PATIENT));
        await within(begun.promise, "two do not run at once");
        await tick();
        const stopped = service.stop();
        equal(service.isStopped, false, "it has stopped while handlers run");
        go.open();
        equal(
          (await Promise.all(asked)).map((reply) => reply.string()),
          Array(5).fill("done"),
        );
        equal([await stopped, service.isStopped, most], [null, true, 2]);
        const [stats] = (await service.stats()).endpoints;
        equal(stats?.num_requests, 5);
        ok((stats?.processing_time ?? 0) > 0);
      },

    "stop ends all that the service owns, once, and the connection stays (C-ADR32-14, trap 105)": async (
      harness,
    ) => {
      const { nc, other, service, name } = await greeter(harness);
      service.addEndpoint("a", { subject: `${name}.a`, handler: echo });
      const loop = service.addEndpoint("b", { subject: `${name}.b` });
      const ended = (async () => {
        for await (const _ of loop);
      })();
      await nc.flush();
      const reason = new Error("enough");
      const [first, second] = [service.stop(reason), service.stop()];
      equal([await first, await second, await service.stopped], [reason, reason, reason]);
      await within(ended, "the loop over the endpoint goes on");
      await rejects(other.request(`${name}.a`, "", PATIENT), "NO_RESPONDERS");
      await rejects(other.request(controlSubject("PING", undefined, name), "", PATIENT), "NO_RESPONDERS");
      throws(() => service.addEndpoint("c", echo), "INVALID_OPERATION");
      equal(nc.state, "connected");
      // several share a connection
      const next = await new Svcm(nc).add({ name, version: "1.0.0" });
      equal((await all(finder(other).ping(name))).length, 1);
      await next[Symbol.asyncDispose]();
      equal(next.isStopped, true);
    },

    "stop waits for a handler that does not end no longer than its timeout or its signal says (P2)": async (
      harness,
    ) => {
      const never = new Promise<never>(() => {});
      for (const wait of [{ timeout: 1 }, { signal: AbortSignal.abort() }]) {
        const { nc, other, service, name } = await greeter(harness);
        const begun = gate();
        const handler = (): Promise<never> => (begun.open(), never);
        service.addEndpoint("stuck", { subject: `${name}.stuck`, handler });
        await nc.flush();
        other.publish(`${name}.stuck`);
        await within(begun.promise, "the request does not come");
        equal(await within(service.stop(undefined, wait), "it does not stop"), null);
        equal(service.isStopped, true);
      }
    },

    "the end of the connection is the end of its services (C-ADR32-14, P2)": async (harness) => {
      const { nc, service } = await greeter(harness);
      service.addEndpoint("a", echo);
      const drained = await greeter({ ...harness, prefix: `${harness.prefix}-drained` });
      await nc.close();
      equal(await within(service.stopped, "the service outlives its connection"), null);
      await drained.nc.drain();
      equal(await within(drained.service.stopped, "the service outlives its drained connection"), null);
    },

    "a thousand endpoints are in one INFO, and each answers": async (harness) => {
      const { nc, other, service, name } = await greeter(harness);
      for (const n of numbers(1000)) {
        service.addEndpoint(`e${n}`, { subject: `${name}.${n}`, handler: (_, msg) => void msg.respond(n) });
      }
      await nc.flush();
      const [info] = await all(finder(other).info(name));
      equal(info?.endpoints.length, 1000);
      const replies = numbers(1000).map((n) => other.request(`${name}.${n}`, "", PATIENT));
      equal(texts(await Promise.all(replies)), numbers(1000));
      await service.stop();
      await rejects(other.request(`${name}.999`, "", PATIENT), "NO_RESPONDERS");
    },

    "reset zeroes the figures (C-ADR32-15)": async (harness) => {
      const { nc, other, service, name } = await greeter(harness);
      service.addEndpoint("bad", {
        subject: `${name}.bad`,
        handler: () => {
          throw new ServiceError(400, "no");
        },
      });
      await nc.flush();
      await other.request(`${name}.bad`, "", PATIENT);
      const before = await service.stats();
      equal(before.endpoints[0]?.num_errors, 1);
      service.reset();
      const after = await service.stats();
      const { last_error, ...rest } = after.endpoints[0] ?? {};
      equal(last_error, undefined);
      equal(Object.values(rest).slice(3), [0, 0, 0, 0]);
      ok(after.started >= before.started);
    },

    "a stats handler adds its data, and one that fails costs nothing but them (C-ADR32-16)": async (
      harness,
    ) => {
      const { nc, other, service, name } = await greeter(harness, {
        statsHandler: async (endpoint) => {
          await Promise.resolve();
          if (endpoint.name === "bad") throw new Error("no figures");
          // JSON has none of these
          return endpoint.name === "odd" ? 1n : { depth: 7 };
        },
      });
      const events = new Events(nc);
      for (const endpoint of ["good", "bad", "odd"]) service.addEndpoint(endpoint, echo);
      const [stats] = await all(finder(other).stats(name));
      equal(
        stats?.endpoints.map(({ name: of, data }) => [of, data]),
        [
          ["good", { depth: 7 }],
          ["bad", undefined],
          ["odd", undefined],
        ],
      );
      const failed = await events.until("handlerError");
      ok(failed.error instanceof Error);
    },
  },
};

export const servicesElsewhere: Suite = {
  name: "services and their server",
  needs: ["own-server", "restart"],
  cases: {
    "a service outlives a restart of the server, with its id and its figures (C-ADR32-18)": async ({
      connect,
      serve,
    }) => {
      const server = await serve();
      const nc = await connect({ servers: server.url, reconnectTimeWait: 10, maxReconnectTimeWait: 50 });
      const events = new Events(nc);
      const service = await new Svcm(nc).add({ name: "steady", version: "1.0.0" });
      service.addEndpoint("echo", echo);
      await nc.request("echo", "before", PATIENT);
      const { id } = service.ping();
      await server.stop();
      await server.start();
      await events.until("reconnect");
      equal((await nc.request("echo", "after", PATIENT)).string(), "after");
      equal(
        (await all(finder(nc).ping("steady"))).map((one) => one.id),
        [id],
      );
      equal((await service.stats()).endpoints[0]?.num_requests, 2);
      equal(service.isStopped, false);
    },

    "an endpoint that is refused stops the service, a control subject that is refused does not (C-ADR32-14, C-ADR32-19)":
      async ({ connect, serve }) => {
        const server = await serve({
          users: [{ user: "a", pass: "a", subscribe: { deny: ["$SRV.PING", "secret"] } }],
        });
        const nc = await connect({ servers: server.url, user: "a", pass: "a" });
        const events = new Events(nc);
        const service = await new Svcm(nc).add({ name: "careful", version: "1.0.0" });
        service.addEndpoint("open", echo);
        await nc.flush();
        check((await events.until("error")).error, "PERMISSION_VIOLATION");
        equal(service.isStopped, false);
        const heard = await inbox(nc, "heard");
        equal((await all(finder(nc).ping("careful"))).length, 1);
        service.addEndpoint("secret", echo);
        check(await within(service.stopped, "the service goes on"), "PERMISSION_VIOLATION");
        equal([nc.state, texts(heard.all)], ["connected", []]);
      },
  },
};
