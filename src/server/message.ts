// Message: one published message on its way through an account. Views of the bytes it came in; made by peers and by the server.
import { Empty, utf8Encoder } from "../lib/bytes.ts";

/** Whose own a message is: a connection without echo does not get it. */
export type Origin = object | undefined;

export class Message {
  readonly subject: string;
  /** `""` for none */
  readonly reply: string;
  /** the header block; empty where there is none */
  readonly header: Uint8Array;
  readonly data: Uint8Array;
  /** the size fields, as the publisher wrote them: that is how they are passed on */
  readonly sizes: string;
  readonly origin: Origin;

  constructor(
    subject: string,
    reply: string,
    header: Uint8Array,
    data: Uint8Array,
    sizes: string,
    origin: Origin,
  ) {
    this.subject = subject;
    this.reply = reply;
    this.header = header;
    this.data = data;
    this.sizes = sizes;
    this.origin = origin;
  }

  /** The same under another subject. */
  as(subject: string): Message {
    const { reply, header, data, sizes, origin } = this;
    return subject === this.subject ? this : new Message(subject, reply, header, data, sizes, origin);
  }

  /** A message of the server's own. */
  static of(
    subject: string,
    data: Uint8Array | string = Empty,
    header: Uint8Array | string = Empty,
    reply = "",
  ): Message {
    const [body, block] = [bytesOf(data), bytesOf(header)];
    const sizes = block.length === 0 ? `${body.length}` : `${block.length} ${block.length + body.length}`;
    return new Message(subject, reply, block, body, sizes, undefined);
  }
}

function bytesOf(given: Uint8Array | string): Uint8Array {
  return typeof given === "string" ? utf8Encoder.encode(given) : given;
}
