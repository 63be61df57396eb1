// Exchange: what accounts let each other have. A service is asked for across the border, and its answer comes back; the
// messages of a stream are passed on.
//
//   account B                      account A
//   PUB support reply=in.1  --->   help reply=_R_.x.y        service imported `to: "support"`
//   in.1                    <---   _R_.x.y                   once, unless the export says more
//   from.ev.1               <---   ev.1                      stream imported with `prefix: "from"`
import { InvalidArgumentError } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { randomId } from "../lib/random.ts";
import { subjectMatches } from "../protocol/subject.ts";
import type { Account, Subscriber } from "./account.ts";
import { goJson } from "./go-text.ts";
import { withHeaders } from "./header-block.ts";
import { Message } from "./message.ts";
import type { AccountOptions } from "./options.ts";
import { Peer } from "./peer.ts";
import { type SubjectTransform, subjectTransform } from "./subject-transform.ts";

/** What an account lets others have: a service to ask, or a stream of messages. Wildcards are allowed. */
export interface ExportOptions {
  readonly service?: string;
  readonly stream?: string;
  /** the accounts that may have it; default: all */
  readonly accounts?: readonly string[];
  /** how many answers a request to the service has: one (`singleton`, the default), or many (`stream`, `chunked`) */
  readonly response?: "singleton" | "stream" | "chunked";
}

/** Where something is. */
export interface ImportSource {
  readonly account: string;
  readonly subject: string;
}

/** What an account takes from another one, and under which name. */
export interface ImportOptions {
  readonly service?: ImportSource;
  readonly stream?: ImportSource;
  /** the subject it has here; default: the same */
  readonly to?: string;
  /** of a stream: what its subjects begin with here */
  readonly prefix?: string;
}

// how long an answer may take
const ANSWER_LIMIT = 120_000;

/** Let accounts have what they import. @throws {NatsError} INVALID_ARGUMENT when nobody exports it */
export function exchange(
  accounts: ReadonlyMap<string, Account>,
  wishes: ReadonlyMap<string, AccountOptions>,
  clock: Clock,
): void {
  const between = new Exchange(accounts, wishes, clock);
  for (const [name, { imports = [] }] of wishes) {
    for (const wanted of imports) between.take(accounts.get(name) as Account, wanted);
  }
}

/** Messages of other accounts don't go on from here to a third one. */
class Passed extends Message {}

class Exchange {
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #wishes: ReadonlyMap<string, AccountOptions>;
  readonly #clock: Clock;
  // between `_R_` and what stands for one request
  readonly #mark = randomId(6);

  constructor(
    accounts: ReadonlyMap<string, Account>,
    wishes: ReadonlyMap<string, AccountOptions>,
    clock: Clock,
  ) {
    this.#accounts = accounts;
    this.#wishes = wishes;
    this.#clock = clock;
  }

  take(importer: Account, { service, stream, to, prefix }: ImportOptions): void {
    const source = service ?? stream;
    if (source === undefined) {
      throw new InvalidArgumentError(
        `an import of account ${importer.name} has neither service nor stream: give one`,
      );
    }
    const { subject } = source;
    const kind = service === undefined ? "stream" : "service";
    const [exporter, offered] = this.#find(importer, kind, source);
    const here = to ?? (prefix === undefined ? subject : `${prefix}.${subject}`);
    if (kind === "service") {
      const transform = subjectTransform(here, inOrder(subject));
      importer.router.add(
        this.#service(importer, exporter, here, transform, offered.response ?? "singleton"),
      );
    } else {
      exporter.router.add(passOn(importer, subject, subjectTransform(subject, inOrder(here))));
    }
  }

  #find(
    { name }: Account,
    kind: "service" | "stream",
    { account, subject }: ImportSource,
  ): [Account, ExportOptions] {
    const exporter = this.#accounts.get(account);
    const offered = this.#wishes
      .get(account)
      ?.exports?.find(
        ({ [kind]: exported, accounts }) =>
          exported !== undefined &&
          (exported === subject || subjectMatches(exported, subject)) &&
          (accounts?.includes(name) ?? true),
      );
    if (exporter === undefined || offered === undefined) {
      throw new InvalidArgumentError(
        `account ${name} imports the ${kind} '${subject}' of account ${account}, which does not export it: add it to its exports`,
      );
    }
    return [exporter, offered];
  }

  #service(
    importer: Account,
    exporter: Account,
    subject: string,
    transform: SubjectTransform,
    response: NonNullable<ExportOptions["response"]>,
  ): Subscriber {
    return {
      subject,
      queue: "",
      deliver: (message) => {
        const there = transform(message.subject);
        if (there === undefined) return false;
        const { header, data, reply, origin } = message;
        const from =
          origin instanceof Peer
            ? withHeaders(header, [["Nats-Request-Info", goJson({ acc: importer.name, rtt: origin.rtt })]])
            : header;
        const answer = reply === "" ? undefined : this.#answer(importer, exporter, reply, response);
        const taken = exporter.publish(Message.of(there, data, from, answer?.subject)) > 0;
        if (!taken) answer?.forget();
        return taken;
      },
    };
  }

  /** Where the answer to a request is expected, until it came. */
  #answer(
    importer: Account,
    exporter: Account,
    reply: string,
    response: NonNullable<ExportOptions["response"]>,
  ): { subject: string; forget(): void } {
    const subject = `_R_.${this.#mark}.${randomId(6)}`;
    const forget = (): void => {
      exporter.router.remove(waiting);
      limit.cancel();
    };
    const waiting: Subscriber = {
      subject,
      queue: "",
      deliver(message) {
        if (response === "singleton") forget();
        return importer.publish(renamed(message, reply)) > 0;
      },
    };
    const limit = this.#clock.after(ANSWER_LIMIT, forget);
    exporter.router.add(waiting);
    return { subject, forget };
  }
}

function passOn(importer: Account, subject: string, transform: SubjectTransform): Subscriber {
  return {
    subject,
    queue: "",
    deliver(message) {
      if (message instanceof Passed) return false;
      const here = transform(message.subject);
      return here !== undefined && importer.publish(renamed(message, here)) > 0;
    },
  };
}

function renamed({ reply, header, data, sizes, origin }: Message, subject: string): Message {
  return new Passed(subject, reply, header, data, sizes, origin);
}

/** Wildcards of one subject are those of the other, in their order: `a.*.*` becomes `a.$1.$2`. */
function inOrder(subject: string): string {
  let count = 0;
  return subject
    .split(".")
    .map((part) => (part === "*" ? `$${++count}` : part))
    .join(".");
}
