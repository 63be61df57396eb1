// Wire: just enough of the protocol for a bare socket. Used by bare.mjs and far-end.mjs.
import net from "node:net";
import { headerFields } from "./cases.mjs";

const CONNECT =
  'CONNECT {"verbose":false,"pedantic":false,"lang":"bench","version":"0","protocol":1,"headers":true,"no_responders":true}\r\nPING\r\n';

/** One message as it is published, and as a subscriber receives it. */
export function frame(op, size, withHeaders = false) {
  const payload = "x".repeat(size);
  if (!withHeaders) return Buffer.from(`${op} ${size}\r\n${payload}\r\n`);
  const block = `NATS/1.0\r\n${headerFields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return Buffer.from(`H${op} ${block.length} ${block.length + size}\r\n${block}${payload}\r\n`);
}

/** `count` times the same bytes. */
export function repeated(bytes, count) {
  return Buffer.concat(Array.from({ length: count }, () => bytes));
}

/** A connection that has had its first PONG. */
export function dial(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    let text = "";
    const onData = (chunk) => {
      text += chunk.toString("latin1");
      if (text.startsWith("INFO") && text.endsWith("\r\n") && socket.greeted === undefined) {
        socket.greeted = true;
        socket.write(CONNECT);
      }
      if (!text.includes("PONG\r\n")) return;
      socket.off("data", onData).off("error", reject);
      socket.on("error", (error) => {
        throw error;
      });
      resolve(socket);
    };
    socket.on("data", onData).on("error", reject);
  });
}

/** Write; resolves when the socket takes more. */
export function write(socket, bytes) {
  return socket.write(bytes) ? undefined : new Promise((resolve) => socket.once("drain", resolve));
}

/** A round trip: everything written before has been processed. For sockets that receive nothing else meanwhile. */
export function flush(socket) {
  return new Promise((resolve) => {
    let text = "";
    const onData = (chunk) => {
      text += chunk.toString("latin1");
      if (!text.includes("PONG\r\n")) return;
      socket.off("data", onData);
      resolve();
    };
    socket.on("data", onData);
    socket.write("PING\r\n");
  });
}
