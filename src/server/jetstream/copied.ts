// Copied: how a stream keeps what is not published to it, but comes from another one. Used by origin.
import { asked } from "./arrival.ts";
import { checkRoom, type Draft, rollupOf } from "./draft.ts";
import type { Stored } from "./stored.ts";
import type { Stream } from "./stream.ts";
import { TTL, ttlOf } from "./ttl.ts";

/** Keep a message of the origin of a mirror, under its sequence and with its time. @throws {Refusal} 10077 */
export function keepMirrored(stream: Stream, { seq, time, header, data }: Stored, subject: string): void {
  const { store } = stream;
  const draft = copied(stream, subject, header, data);
  checkRoom(draft, stream);
  // nothing was ever here: what was left out is no gap
  if (store.lastSeq === 0) store.removeUpTo(seq - 1, () => {});
  else if (store.lastSeq < seq - 1) store.skip(time, seq - 1);
  stream.keep(draft, time);
}

/** Keep a message of a source. @throws {Refusal} 10077 */
export function keepSourced(stream: Stream, subject: string, header: Uint8Array, data: Uint8Array): void {
  const draft = copied(stream, subject, header, data);
  if (stream.keeps(subject)) checkRoom(draft, stream);
  const { config } = stream;
  const rollup =
    config.allow_rollup_hdrs === true ? rollupOf(asked(header).get("Nats-Rollup") ?? "", config) : "";
  stream.keep({ ...draft, rollup });
}

function copied(
  { config: { allow_msg_ttl: lives } }: Stream,
  subject: string,
  header: Uint8Array,
  data: Uint8Array,
): Draft {
  const ttl = lives === true ? (ttlOf(asked(header).get(TTL) ?? "") ?? 0) : 0;
  return { subject, header, data, id: "", rollup: "", ttl };
}
