// Support of the tests of TCP: a peer, a resolver that knows what the test says, free ports.
import dns from "node:dns";
import net from "node:net";
import type { TestContext } from "node:test";
import type { DialTarget, Transport } from "../../src/transport/transport.ts";
import type { Peer } from "./contract.ts";
import { dialTcp } from "./dialers.ts";
import { Collector, cleanup, listen, serverTls, target } from "./support.ts";

export function peerOf(socket: net.Socket): Peer {
  const received = new Collector();
  socket.on("data", (chunk) => received.add(chunk));
  return {
    received,
    send: (data) => void socket.write(data),
    end: () => void socket.end(),
    gone: new Promise((resolve) => socket.on("close", resolve)),
  };
}

/** Answers lookups of names ending in `.test` from a table; the others go to the system. */
export function resolver(t: TestContext, table: Record<string, string[]>): string[] {
  const asked: string[] = [];
  const real = dns.lookup;
  const fake = (name: string, options: object, callback: (...args: unknown[]) => void): void => {
    asked.push(name);
    const found = table[name]?.map((address) => ({ address, family: net.isIP(address) }));
    if (found) process.nextTick(callback, null, found);
    else real(name, options as dns.LookupAllOptions, callback as never);
  };
  t.mock.method(dns, "lookup", fake as never);
  return asked;
}

/** A port at which nothing listens. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A transport of this runtime and its peer, on both ends of one socket. */
export async function joinTcp(
  t: TestContext,
  more: Partial<DialTarget> & { secure?: boolean } = {},
): Promise<{
  transport: Transport;
  socket: net.Socket;
  peer: Peer;
  later: (undo: () => unknown) => void;
  server: { port: number };
}> {
  const later = cleanup(t);
  const { secure, ...fields } = more;
  let accept!: (socket: net.Socket) => void;
  const accepted = new Promise<net.Socket>((resolve) => {
    accept = resolve;
  });
  const server = await listen(later, (socket) => accept(socket), secure ? { secure: serverTls } : {});
  const transport = await dialTcp(target(server.port, fields));
  later(() => transport.destroy());
  const socket = await accepted;
  return { transport, socket, peer: peerOf(socket), later, server };
}
