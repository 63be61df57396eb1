// Suite: a connection from its beginning to its end, without anything going wrong.
import { InvalidArgumentError } from "../../src/names.ts";
import type { Suite } from "./harness.ts";
import { atLeast, Events, equal, inbox, ok, rejects, throws } from "./tools.ts";

export const connection: Suite = {
  name: "connection",
  cases: {
    "connect resolves when the server has answered, and says who it is (C-CONN-1)": async ({
      connect,
      version,
    }) => {
      const nc = await connect({ name: "me" });
      equal(nc.state, "connected");
      equal(nc.isClosed(), false);
      equal(nc.isDraining(), false);
      const { info } = nc;
      ok(info, "there is no info");
      equal(info.version, version);
      equal(info.proto, 1);
      equal(info.headers, true);
      ok(info.max_payload > 0);
      ok(info.client_id > 0);
      ok(info.server_id.length > 0);
      const [major, minor, micro] = version.split(".").map((part) => Number.parseInt(part, 10));
      equal({ ...nc.getServerVersion() }, { major, minor, micro });
    },

    "INFO has the fields that the version has, and the one after the first PONG is taken in (C-INFO-2, C-INFO-3)":
      async ({ connect, version }) => {
        const nc = await connect();
        await nc.flush();
        const { info } = nc;
        ok(info);
        equal(info.xkey !== undefined, atLeast(version, "2.10"), "xkey");
        equal(info.api_lvl !== undefined, atLeast(version, "2.12"), "api_lvl");
        equal(info.connect_info === true, atLeast(version, "2.12"), "connect_info");
        equal(info.remote_account, atLeast(version, "2.12") ? "$G" : undefined, "remote_account");
      },

    "getServer and getServers name the server, without credentials": async ({ connect, url }) => {
      const nc = await connect();
      const address = url.replace(/^.*\/\//, "");
      equal(nc.getServer(), address);
      const [server, ...others] = nc.getServers();
      ok(server);
      equal(others.length, 0);
      equal(server.listen, address);
      equal(server.didConnect, true);
      equal(server.gossiped, false);
      equal(server.reconnects, 0);
      ok(Date.now() - server.lastConnect < 60_000);
    },

    "flush is a round trip, rtt measures one, and any number may be under way (C-PING-3)": async ({
      connect,
    }) => {
      const nc = await connect();
      await nc.flush();
      const rtt = await nc.rtt();
      // some clocks tick once a millisecond
      ok(rtt >= 0 && rtt < 5000, `rtt is ${rtt}`);
      const order: number[] = [];
      await Promise.all([1, 2, 3].map((n) => nc.flush().then(() => order.push(n))));
      equal(order, [1, 2, 3]);
    },

    "close ends it: closed() resolves to nothing, every call says CLOSED (C-ADR40-19)": async ({
      connect,
    }) => {
      const nc = await connect();
      const sub = nc.subscribe("x");
      const closed = nc.closed();
      await Promise.all([nc.close(), nc.close()]);
      await nc.close();
      equal(await closed, undefined);
      equal(await nc.closed(), undefined);
      equal(nc.state, "closed");
      equal(nc.isClosed(), true);
      equal(nc.info, undefined);
      equal(nc.getServer(), "");
      equal(sub.isClosed(), true);
      equal(await sub.closed, undefined);
      throws(() => nc.publish("x"), "CLOSED");
      throws(() => nc.subscribe("x"), "CLOSED");
      await rejects(nc.request("x"), "CLOSED");
      await rejects(nc.requestMany("x"), "CLOSED");
      await rejects(nc.flush(), "CLOSED");
      await rejects(nc.rtt(), "CLOSED");
      await rejects(nc.drain(), "CLOSED");
      await rejects(nc.writable(), "CLOSED");
      await rejects(nc.reconnect(), "CLOSED");
    },

    "what was published right before close still goes out": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      const got = await inbox(b, prefix);
      for (let i = 0; i < 100; i++) a.publish(prefix, String(i));
      await a.close();
      equal((await got.first(100)).at(-1)?.string(), "99");
      equal(a.stats().droppedOutbound, 0);
    },

    "status iterators end with the connection, each of them, and after break (trap 38, trap 39)": async ({
      connect,
    }) => {
      const nc = await connect();
      const [first, second] = [new Events(nc), new Events(nc)];
      const left = (async () => {
        for await (const { type } of nc.status()) if (type === "forceReconnect") break;
      })();
      await nc.reconnect();
      await left;
      await first.until("reconnect");
      await nc.close();
      await Promise.all([first.ended, second.ended]);
      for (const events of [first, second]) {
        equal(events.types.at(-1), "close");
        equal(events.of("close"), [{ type: "close", unsent: 0 }]);
      }
      // who comes late is at the end at once
      await new Events(nc).ended;
    },

    "stats count messages and bytes in both directions (C-ADR40-22)": async ({ connect, prefix }) => {
      const nc = await connect();
      const got = await inbox(nc, prefix);
      nc.publish(prefix, "12345");
      nc.publish(prefix, new Uint8Array(10));
      await got.first(2);
      const stats = nc.stats();
      equal(
        [stats.outMsgs, stats.outBytes, stats.inMsgs, stats.inBytes, stats.reconnects],
        [2, 15, 2, 15, 0],
      );
      equal([stats.droppedInbound, stats.droppedOutbound], [0, 0]);
    },

    "two connections of one process know nothing of each other (P7)": async ({ connect, prefix }) => {
      const [a, b] = await Promise.all([connect(), connect()]);
      ok(a.info?.client_id !== b.info?.client_id);
      const got = await inbox(b, prefix);
      await a.close();
      b.publish(prefix, "still here");
      equal((await got.first(1))[0]?.string(), "still here");
      equal(a.stats().outMsgs, 0);
    },

    "verbose and pedantic change nothing for the user (C-OK-1, C-CONN-2)": async ({ connect, prefix }) => {
      const nc = await connect({ verbose: true, pedantic: true });
      const got = await inbox(nc, prefix);
      for (let i = 0; i < 10; i++) nc.publish(prefix, String(i));
      equal((await got.first(10)).length, 10);
      got.sub.unsubscribe();
      await nc.flush();
    },

    "a signal that is aborted ends connect with its reason": async ({ connect }) => {
      const error = await rejects(connect({ signal: AbortSignal.abort("enough") }), "ABORTED");
      equal(error.cause, "enough");
    },

    "options that can't be used are refused at once, by name": async ({ connect }) => {
      const error = await rejects(connect({ pingInterval: -1 }), "INVALID_ARGUMENT");
      ok(error instanceof InvalidArgumentError);
      ok(error.message.includes("pingInterval is -1"), error.message);
      await rejects(connect({ servers: "http://127.0.0.1" }), "INVALID_ARGUMENT");
      await rejects(connect({ inboxPrefix: "a.*" }), "INVALID_SUBJECT");
    },

    "the runtime disposes of a connection by draining it": async ({ connect, prefix }) => {
      const nc = await connect();
      const got: string[] = [];
      nc.subscribe(prefix, { callback: (_, msg) => void got.push(msg.string()) });
      nc.publish(prefix, "last");
      await nc[Symbol.asyncDispose]();
      equal(nc.state, "closed");
      equal(got, ["last"]);
    },

    "context asks the server who we are; 2.9 does not know (C-ADR26-6)": async ({ connect, version }) => {
      const nc = await connect();
      if (!atLeast(version, "2.10")) {
        await rejects(nc.context(), "NO_RESPONDERS");
        return;
      }
      const { server, data } = await nc.context();
      equal(data.account, "$G");
      equal(server.id, nc.info?.server_id);
      equal(server["feature_flags"] !== undefined, atLeast(version, "2.14"));
    },
  },
};

/** What happens when there is nobody to connect to; needs servers that stop. */
export const dialing: Suite = {
  name: "dialing",
  needs: ["own-server", "restart"],
  cases: {
    "connect rejects when nothing listens, and nothing is left behind (C-ADR40-7)": async ({
      connect,
      serve,
    }) => {
      const server = await serve();
      await server.stop();
      // a browser does not tell the difference
      const error = await rejects(connect({ servers: server.url }), ["CONNECTION_REFUSED", "CONNECTION"]);
      equal(error.server, server.url.replace(/^.*\/\//, ""));
    },

    "connect tries each server once, until one answers (C-ADR40-1, C-ADR40-7)": async ({
      connect,
      serve,
      url,
    }) => {
      const server = await serve();
      await server.stop();
      const nc = await connect({ servers: [server.url, url], noRandomize: true });
      equal(nc.getServer(), url.replace(/^.*\/\//, ""));
      equal(
        nc.getServers().map(({ didConnect, reconnects }) => [didConnect, reconnects]),
        [
          [false, 1],
          [true, 0],
        ],
      );
    },

    "waitOnFirstConnect goes on until there is a server": async ({ connect, serve }) => {
      const server = await serve();
      await server.stop();
      const attempt = connect({
        servers: server.url,
        waitOnFirstConnect: true,
        reconnectTimeWait: 10,
        maxReconnectTimeWait: 20,
      });
      await server.start();
      equal((await attempt).state, "connected");
    },

    "a signal ends the waiting of waitOnFirstConnect": async ({ connect, serve }) => {
      const server = await serve();
      await server.stop();
      const controller = new AbortController();
      const attempts: number[] = [];
      const attempt = connect({
        servers: server.url,
        waitOnFirstConnect: true,
        signal: controller.signal,
        reconnectDelayHandler: (n) => {
          attempts.push(n);
          if (n === 3) controller.abort("enough");
          return 1;
        },
      });
      equal((await rejects(attempt, "ABORTED")).cause, "enough");
      equal(attempts, [1, 2, 3]);
    },
  },
};
