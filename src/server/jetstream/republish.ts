// Republish: what was stored goes out again, under another subject. Owned by stream.
import { Empty } from "../../lib/bytes.ts";
import type { Republish } from "../../protocol/jetstream/stream.ts";
import { goTime } from "../go-text.ts";
import { Message } from "../message.ts";
import { withHeaders } from "../header-block.ts";
import type { Stored } from "./stored.ts";
import { subjectTransform } from "../subject-transform.ts";

/** The message to publish; undefined where the rule is not for this subject. `before`: the sequence of the last one of the same subject. */
export type Republisher = (stored: Stored, before: number) => Message | undefined;

export function republisher(stream: string, { src = "", dest, headers_only }: Republish): Republisher {
  const transform = subjectTransform(src, dest);
  return ({ subject, seq, header, data, time }, before) => {
    const to = transform(subject);
    if (to === undefined) return undefined;
    const block = withHeaders(header, [
      ["Nats-Stream", stream],
      ["Nats-Subject", subject],
      ["Nats-Sequence", seq],
      ["Nats-Time-Stamp", goTime(time)],
      ["Nats-Last-Sequence", before],
      ...(headers_only === true ? [["Nats-Msg-Size", data.length] as const] : []),
    ]);
    return Message.of(to, headers_only === true ? Empty : data, block);
  };
}
