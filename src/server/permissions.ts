// Permissions: what a user may publish and subscribe to. Deny wins over allow.
import { isWildcard, subjectMatches } from "../protocol/subject.ts";

/** Subjects, wildcards among them. For subscriptions an entry may be `"subject queue"`: in that queue group only. */
export interface SubjectPermission {
  /** default: everything that is not denied */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** What a user may do; everything where nothing is said. */
export interface PermissionOptions {
  readonly publish?: SubjectPermission;
  readonly subscribe?: SubjectPermission;
  /** may answer requests it receives, wherever the answer goes: so often (default 1), within so many milliseconds (default 120 000) */
  readonly responses?: boolean | { readonly max?: number; readonly expires?: number };
}

interface Rule {
  readonly subject: string;
  readonly queue: string | undefined;
}

const RESPONSES = { max: 1, expires: 120_000 };
// replies that are remembered at most
const KEPT = 8192;

export class Permissions {
  readonly #options: PermissionOptions;
  readonly #publishable = new Map<string, boolean>();
  readonly #allowed: readonly Rule[] | undefined;
  readonly #denied: readonly Rule[];
  readonly #deniedPlain: readonly string[];
  readonly #responses: typeof RESPONSES | undefined;
  // reply subjects that may be used: how often still, and until when
  readonly #replies = new Map<string, { left: number; until: number }>();

  constructor(options: PermissionOptions) {
    this.#options = options;
    const { allow, deny = [] } = options.subscribe ?? {};
    this.#allowed = allow?.map(rule);
    this.#denied = deny.map(rule);
    this.#deniedPlain = this.#denied.filter(({ queue }) => queue === undefined).map(({ subject }) => subject);
    const { responses } = options;
    this.#responses = responses
      ? { ...RESPONSES, ...(typeof responses === "object" && responses) }
      : undefined;
  }

  mayPublish(subject: string, now: number): boolean {
    let may = this.#publishable.get(subject);
    if (may === undefined) {
      const { allow, deny = [] } = this.#options.publish ?? {};
      // who may answer may publish nothing else, unless it is said
      const fallback = this.#responses === undefined;
      may = allow === undefined ? fallback : allow.some((filter) => subjectMatches(filter, subject));
      if (deny.some((filter) => subjectMatches(filter, subject))) may = false;
      if (this.#publishable.size >= KEPT) this.#publishable.clear();
      this.#publishable.set(subject, may);
    }
    return may || this.#mayReply(subject, now);
  }

  #mayReply(subject: string, now: number): boolean {
    const reply = this.#replies.get(subject);
    if (reply === undefined) return false;
    if (--reply.left <= 0 || reply.until < now) this.#replies.delete(subject);
    return reply.until >= now;
  }

  /** A message with this reply subject was delivered. */
  delivered(reply: string, now: number): void {
    if (this.#responses === undefined || reply === "") return;
    const { max, expires } = this.#responses;
    // all expire after the same time: the oldest is the first to go
    for (const [subject, { until }] of this.#replies) {
      if (until >= now && this.#replies.size < KEPT) break;
      this.#replies.delete(subject);
    }
    this.#replies.set(reply, { left: max < 0 ? Infinity : max, until: now + expires });
  }

  maySubscribe(subject: string, queue: string): boolean {
    if (this.#allowed !== undefined && !grants(this.#allowed, subject, queue)) return false;
    return !this.#denied.some(
      (denied) =>
        subjectMatches(denied.subject, subject) &&
        (denied.queue === undefined || (queue !== "" && subjectMatches(denied.queue, queue))),
    );
  }

  /** A subscription with a wildcard may cover what is denied: that is kept from it, message by message. */
  mayReceive(subject: string, filter: string): boolean {
    if (this.#deniedPlain.length === 0 || !isWildcard(filter)) return true;
    return !this.#deniedPlain.some((denied) => subjectMatches(denied, subject));
  }
}

// Entries that name a queue group speak of that group alone, entries without one of everybody, unless some entry for the
// subject names groups.
function grants(rules: readonly Rule[], subject: string, queue: string): boolean {
  const matching = rules.filter((rule) => subjectMatches(rule.subject, subject));
  const groups = matching.filter((rule) => rule.queue !== undefined);
  if (queue !== "" && groups.length > 0) {
    return groups.some((rule) => subjectMatches(rule.queue as string, queue));
  }
  return matching.length > groups.length;
}

function rule(text: string): Rule {
  const [subject = "", queue] = text.trim().split(/\s+/);
  return { subject, queue };
}
