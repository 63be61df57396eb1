// Ack subject: the reply subject of a message that a consumer delivered; it says which message of which consumer that is.
//
//   $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time ns>.<pending>                           9 tokens
//   $JS.ACK.<domain or _>.<account hash>.<stream>.<consumer>.<deliveries>. ... .<pending>[.<more>...]       11 tokens and more
import { InvalidOperationError } from "../errors.ts";

/** What the server says of one delivery. */
export interface DeliveryInfo {
  /** `""` where there is none, or the server does not tell */
  readonly domain: string;
  /** of the account; only of servers that send the longer form */
  readonly account_hash?: string;
  readonly stream: string;
  readonly consumer: string;
  /** how often it was delivered, this time included */
  readonly deliveryCount: number;
  /** it was delivered before */
  readonly redelivered: boolean;
  /** its sequence in the stream; rounded above 2^53 - 1, where {@link JsMsg.exactSeq} is not */
  readonly streamSequence: number;
  /** the number of this delivery of the consumer */
  readonly deliverySequence: number;
  /** when it was stored: nanoseconds since 1970 */
  readonly timestampNanos: bigint;
  /** messages for this consumer that were not delivered yet */
  readonly pending: number;
}

/** Where the tokens from the stream on begin; 0 when it is no ack subject (C-ADR15-1). */
function firstToken(tokens: readonly string[]): number {
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK") return 0;
  return tokens.length === 9 ? 2 : tokens.length >= 11 ? 4 : 0;
}

function tokensOf(subject: string): [tokens: string[], first: number] {
  const tokens = subject.split(".");
  const first = firstToken(tokens);
  if (first > 0) return [tokens, first];
  throw new InvalidOperationError(
    `'${subject}' is no ack subject: the message was not delivered by a JetStream consumer`,
    { subject },
  );
}

/** What an ack subject says. @throws {@link InvalidOperationError} INVALID_OPERATION when it is none */
export function parseAckSubject(subject: string): DeliveryInfo {
  const [tokens, first] = tokensOf(subject);
  const [stream = "", consumer = "", count, streamSequence, deliverySequence, time = "", pending] =
    tokens.slice(first);
  const [domain = "_", hash] = first === 4 ? tokens.slice(2) : [];
  const deliveryCount = Number(count);
  return {
    domain: domain === "_" ? "" : domain,
    ...(hash !== undefined && { account_hash: hash }),
    stream,
    consumer,
    deliveryCount,
    redelivered: deliveryCount > 1,
    streamSequence: Number(streamSequence),
    deliverySequence: Number(deliverySequence),
    timestampNanos: BigInt(time),
    pending: Number(pending),
  };
}

/** The stream sequence in an ack subject. @throws {@link InvalidOperationError} INVALID_OPERATION */
export function exactSequence(subject: string): bigint {
  const [tokens, first] = tokensOf(subject);
  return BigInt(tokens[first + 3] as string);
}

/** Reads the two sequences of many ack subjects of one consumer, without making strings or objects. */
export class SequenceReader {
  stream = 0;
  delivery = 0;
  // all up to the deliveries, as the message before had it
  #prefix = "";

  /** True when it is an ack subject; the sequences are set then. */
  read(subject: string): boolean {
    if (this.#prefix === "" || !subject.startsWith(this.#prefix)) {
      const tokens = subject.split(".");
      const first = firstToken(tokens);
      if (first === 0) return false;
      this.#prefix = `${tokens.slice(0, first + 2).join(".")}.`;
    }
    let at = subject.indexOf(".", this.#prefix.length) + 1;
    let value = 0;
    for (let c = subject.charCodeAt(at); c !== 46; c = subject.charCodeAt(++at)) value = value * 10 + c - 48;
    this.stream = value;
    value = 0;
    for (let c = subject.charCodeAt(++at); c !== 46; c = subject.charCodeAt(++at))
      value = value * 10 + c - 48;
    this.delivery = value;
    return true;
  }
}
