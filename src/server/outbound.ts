// Outbound: what is to be written to one connection, encoded back to back until it is taken. Owned by server/peer.
//
// MSG <subject> <sid> [reply] <size>                 payload
// HMSG <subject> <sid> [reply] <header> <size>       header and payload
import { Empty, utf8Encoder } from "../lib/bytes.ts";
import type { Message } from "./message.ts";

const SMALLEST = 1024;
const LARGEST = 65536;

export class Outbound {
  #bytes: Uint8Array = Empty;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  line(text: string): void {
    this.#reserve(3 * text.length);
    this.#ascii(text);
  }

  /** A message for the subscription `sid`; without its header where the connection takes none. */
  message(message: Message, sid: string, withHeader: boolean): void {
    const { subject, reply, header, data, sizes } = message;
    const hasHeader = withHeader && header.length > 0;
    this.#reserve(32 + 3 * (subject.length + reply.length + sid.length) + header.length + data.length);
    this.#ascii(hasHeader ? "HMSG " : "MSG ");
    this.#ascii(subject);
    this.#ascii(` ${sid} `);
    if (reply !== "") this.#ascii(`${reply} `);
    // one size: the payload's, which is the only one where there are no headers, unless they were taken off
    const alone = hasHeader || header.length > 0 ? `${data.length}` : sizes.slice(sizes.indexOf(" ") + 1);
    this.#ascii(hasHeader ? sizes : alone);
    this.#ascii("\r\n");
    if (hasHeader) this.#copy(header);
    this.#copy(data);
    this.#ascii("\r\n");
  }

  /** All of it. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    // what was written is the transport's from now on
    this.#bytes = this.#length === 0 ? this.#bytes : Empty;
    this.#length = 0;
    return taken;
  }

  #reserve(size: number): void {
    const need = this.#length + size;
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(need, SMALLEST, Math.min(LARGEST, 2 * need), 1.5 * this.#length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  #ascii(text: string): void {
    const bytes = this.#bytes;
    const begin = this.#length;
    for (let i = 0; i < text.length; i++) {
      const char = text.charCodeAt(i);
      if (char > 127) {
        this.#length = begin + utf8Encoder.encodeInto(text, bytes.subarray(begin)).written;
        return;
      }
      bytes[begin + i] = char;
    }
    this.#length = begin + text.length;
  }

  #copy(part: Uint8Array): void {
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  }
}
