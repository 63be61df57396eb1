// Ingest subject: the reply subjects of a batch of fast ingest. There are no headers: they say it all.
//
//   <inbox>.<flow>.<ok|fail>.<sequence>.<operation>.$FI        the last token of the inbox is the id of the batch

/** begin a batch with this message */
export const START = 0;
/** a message */
export const APPEND = 1;
/** the last message */
export const LAST = 2;
/** the end, without a message */
export const END = 3;
/** how far is it? */
export const PING = 4;

export class IngestSubject {
  /** id of the batch */
  readonly batch: string;
  /** what to subscribe to */
  readonly all: string;
  readonly #prefix: string;

  /** `flow` messages at most are to be answered by one ack */
  constructor(inbox: string, flow: number, allowGaps: boolean) {
    this.batch = inbox.slice(inbox.lastIndexOf(".") + 1);
    this.all = `${inbox}.>`;
    this.#prefix = `${inbox}.${flow}.${allowGaps ? "ok" : "fail"}`;
  }

  /** that of a message */
  of(sequence: number, operation: number): string {
    return `${this.#prefix}.${sequence}.${operation}.$FI`;
  }

  /** which message one is of */
  read(reply: string): { sequence: string; operation: number } {
    const [sequence = "", operation] = reply.split(".").slice(-3);
    return { sequence, operation: Number(operation) };
  }
}
