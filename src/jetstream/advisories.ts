// Advisories: what happens to streams and consumers, as it is published by the servers; `jsm.advisories()`.
import type { Msg, Subscription } from "../client/connection.ts";
import { ADVISORY_PREFIX, type AdvisoryBase, type AdvisoryData } from "../protocol/jetstream/advisories.ts";
import type { Api } from "./api.ts";

/** Something that happened; look at `kind`. Kinds that a newer server adds come too, with the kind that it names. */
export type Advisory = {
  [K in keyof AdvisoryData]: {
    /** the last token of `data.type` */
    readonly kind: K;
    /** what it was published to */
    readonly subject: string;
    /** what the server says of it, as on the wire */
    readonly data: AdvisoryData[K];
  };
}[keyof AdvisoryData];

/** Options of {@link JetStreamManager.advisories}. */
export interface AdvisoryOptions {
  /**
   * The subject to listen to; default `$JS.EVENT.ADVISORY.>`. Narrower, such as `$JS.EVENT.ADVISORY.STREAM.*.ORDERS`; that of metrics,
   * `$JS.EVENT.METRIC.>`; or another where advisories are imported from another account.
   */
  subject?: string;
}

/** Advisories as they come. Leaving the loop, or closing them, ends the subscription; so does the end of the connection. */
export interface Advisories extends AsyncIterable<Advisory>, AsyncDisposable {
  /** end them: what waits is dropped */
  close(): Promise<void>;
}

/** The advisories of the domain of the API, or of all where none was chosen. */
export function listen(api: Api, { subject = `${ADVISORY_PREFIX}.>` }: AdvisoryOptions = {}): Advisories {
  const sub = api.nc.subscribe(subject);
  const close = async (): Promise<void> => sub.unsubscribe();
  return { close, [Symbol.asyncDispose]: close, [Symbol.asyncIterator]: () => read(sub, api.options.domain) };
}

async function* read(sub: Subscription, domain: string | undefined): AsyncGenerator<Advisory, undefined> {
  for await (const msg of sub) {
    const advisory = advisoryOf(msg);
    const from = advisory?.data.domain;
    if (advisory !== undefined && (domain === undefined || from === undefined || from === domain))
      yield advisory;
  }
}

/** What a message says; undefined when it is no advisory. */
function advisoryOf(msg: Msg): Advisory | undefined {
  let data: Partial<AdvisoryBase>;
  try {
    data = msg.json();
  } catch {
    return undefined;
  }
  const kind = data?.type?.split(".").at(-1);
  return kind === undefined ? undefined : ({ kind, subject: msg.subject, data } as Advisory);
}
