// Recorder: a sink for the decoder that writes down what it is told, as plain values.
import { ClientRole } from "../../src/protocol/client-role.ts";
import { Decoder, type Role } from "../../src/protocol/decoder.ts";
import { ServerRole } from "../../src/protocol/server-role.ts";

export type Op = (string | number)[];

const text = (bytes: Uint8Array, start: number, end: number) =>
  Buffer.from(bytes.subarray(start, end)).toString();

interface Recorder {
  decoder: Decoder;
  ops: Op[];
  /** does an operation begin with the next byte? */
  idle(): boolean;
}

/** A decoder and what it found. */
export function recorder(
  of: "client" | "server",
  limits: Partial<Pick<Role, "maxControlLine" | "maxPayload">> = {},
): Recorder {
  const ops: Op[] = [];
  const common = {
    onPing: () => void ops.push(["ping"]),
    onPong: () => void ops.push(["pong"]),
  };
  const role =
    of === "client"
      ? new ClientRole(
          {
            ...common,
            onInfo: (json) => void ops.push(["info", json]),
            onErr: (line) => void ops.push(["err", line]),
          },
          {
            onMsg: (bytes, sid, s0, s1, r0, r1, h, d0, d1) =>
              void ops.push([
                "msg",
                sid,
                text(bytes, s0, s1),
                text(bytes, r0, r1),
                text(bytes, h, d0),
                text(bytes, d0, d1),
              ]),
          },
        )
      : new ServerRole({
          ...common,
          onConnect: (json) => void ops.push(["connect", json]),
          onSub: (subject, queue, sid) => void ops.push(["sub", subject, queue, sid]),
          onUnsub: (sid, max) => void ops.push(["unsub", sid, max]),
          onPub: (bytes, s0, s1, r0, r1, h, d0, d1, sizes) =>
            void ops.push([
              "pub",
              text(bytes, s0, s1),
              text(bytes, r0, r1),
              text(bytes, h, d0),
              text(bytes, d0, d1),
              sizes,
            ]),
        });
  const decoder = new Decoder(Object.assign(role, limits));
  const idle = (): boolean => {
    const before = ops.length;
    decoder.push(Buffer.from("PING\r\n"));
    return ops.splice(before).join() === "ping";
  };
  return { decoder, ops, idle };
}
