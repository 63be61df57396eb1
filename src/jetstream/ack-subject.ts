// Ack subject: the reply subject of a message that a consumer delivered; it says which message of which consumer that is.
//
//   $JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time ns>.<pending>                           9 tokens
//   $JS.ACK.<domain or _>.<account hash>.<stream>.<consumer>.<deliveries>. ... .<pending>[.<more>...]       11 tokens and more
import { InvalidOperationError } from "../errors.ts";
import { decodeText } from "../lib/bytes.ts";

/** What the server says of one delivery. */
export interface DeliveryInfo {
  /** `""` where there is none, or the server does not tell */
  readonly domain: string;
  /** of the account; only of servers that send the longer form */
  readonly account_hash?: string;
  /** the stream that it is from */
  readonly stream: string;
  /** the consumer that delivered it */
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

/** When the message was stored, in an ack subject: nanoseconds since 1970. @throws {@link InvalidOperationError} INVALID_OPERATION */
export function storedAt(subject: string): bigint {
  const [tokens, first] = tokensOf(subject);
  return BigInt(tokens[first + 5] as string);
}

const DOT = 46;

/** Reads the numbers of many ack subjects of one consumer, without making strings or objects. */
export class SequenceReader {
  stream = 0;
  delivery = 0;
  pending = 0;
  // bytes up to the deliveries, the same for all of a consumer; 0 until the first
  #prefix = 0;

  /** What follows is of another consumer. */
  reset(): void {
    this.#prefix = 0;
    this.delivery = 0;
  }

  /** True when it is an ack subject; the numbers are set then. */
  read = (bytes: Uint8Array, start: number, end: number): boolean => {
    if (this.#prefix === 0) this.#prefix = prefixOf(bytes, start, end);
    if (this.#prefix === 0 || start + this.#prefix >= end) return false;
    let at = start + this.#prefix;
    while (at < end && bytes[at] !== DOT) at++;
    let value = 0;
    for (at++; at < end && bytes[at] !== DOT; at++) value = value * 10 + (bytes[at] as number) - 48;
    this.stream = value;
    value = 0;
    for (at++; at < end && bytes[at] !== DOT; at++) value = value * 10 + (bytes[at] as number) - 48;
    this.delivery = value;
    // the time
    for (at++; at < end && bytes[at] !== DOT; ) at++;
    value = 0;
    for (at++; at < end && bytes[at] !== DOT; at++) value = value * 10 + (bytes[at] as number) - 48;
    this.pending = value;
    return true;
  };
}

// Bytes up to the deliveries; 0 when it is no ack subject.
function prefixOf(bytes: Uint8Array, start: number, end: number): number {
  const first = firstToken(decodeText(bytes, start, end).split("."));
  if (first === 0) return 0;
  let at = start;
  // behind the names of stream and consumer
  for (let dots = first + 2; dots > 0; at++) if (bytes[at] === DOT) dots--;
  return at - start;
}
