// Router: which subscriptions of one account a subject goes to. A tree of tokens; pure, and knows no connections.
//
//   SUB a.b     SUB a.*     SUB a.> g          root
//                                               '- a
//                                                  |- b  [plain]
//                                                  |- *  [plain]
//                                                  '- >  [group g]
//
// A match costs as many steps as the subject has tokens and wildcards beside them, however many subscriptions there are.
// Results are kept until a subscription they may concern comes or goes. Of acknowledgements no two have the same subject: there
// the result for a consumer is kept.

/** What subscribes. */
export interface Interest {
  readonly subject: string;
  /** `""` for none */
  readonly queue: string;
}

/** Who gets a message: each of `plain`, and one of each group. A group is all that matches under its name, on whatever subject. */
export interface Matched<S> {
  readonly plain: readonly S[];
  readonly groups: readonly (readonly S[])[];
}

interface Node<S> {
  readonly children: Map<string, Node<S>>;
  readonly plain: Set<S>;
  readonly groups: Map<string, S[]>;
}

const DOT = 46;
const STAR = "*";
const REST = ">";
const NOBODY: Matched<never> = { plain: [], groups: [] };
// results that are kept
const KEPT = 4096;
// $JS.ACK.<stream>.<consumer>. ...
const ACKS = "$JS.ACK.";
const CONSUMER = 4;

export class Router<S extends Interest> {
  #root: Node<S> = node();
  #size = 0;
  readonly #results = new Map<string, Matched<S>>();
  // by stream and consumer, and by the tokens that follow
  readonly #acks = new Map<string, Matched<S>>();
  readonly #watches = new Map<string, Set<() => void>>();

  /** how many subscriptions there are */
  get size(): number {
    return this.#size;
  }

  add(sub: S): void {
    let at = this.#root;
    for (const token of sub.subject.split(".")) {
      let next = at.children.get(token);
      if (next === undefined) at.children.set(token, (next = node()));
      at = next;
    }
    if (sub.queue === "") at.plain.add(sub);
    else {
      const group = at.groups.get(sub.queue);
      if (group === undefined) at.groups.set(sub.queue, [sub]);
      else group.push(sub);
    }
    this.#size++;
    this.#changed(sub.subject);
  }

  remove(sub: S): void {
    if (this.#prune(this.#root, sub, sub.subject.split("."), 0)) {
      this.#size--;
      this.#changed(sub.subject);
    }
  }

  // True when it was there. Empty nodes go with it.
  #prune(at: Node<S>, sub: S, tokens: readonly string[], depth: number): boolean {
    const token = tokens[depth];
    if (token === undefined) return take(at, sub);
    const next = at.children.get(token);
    if (next === undefined || !this.#prune(next, sub, tokens, depth + 1)) return false;
    if (next.children.size === 0 && next.plain.size === 0 && next.groups.size === 0)
      at.children.delete(token);
    return true;
  }

  #changed(subject: string): void {
    // `*` and `>` within a token are characters like any other: then too much is forgotten, which is no harm
    if (subject.includes(STAR) || subject.includes(REST)) this.#results.clear();
    else this.#results.delete(subject);
    this.#acks.clear();
    for (const changed of [...(this.#watches.get(subject) ?? [])]) changed();
  }

  /** Hear when somebody begins or ends to listen to exactly this subject. The result ends it. */
  watch(subject: string, changed: () => void): () => void {
    const watches = this.#watches.get(subject) ?? new Set();
    this.#watches.set(subject, watches.add(changed));
    return () => {
      if (watches.delete(changed) && watches.size === 0) this.#watches.delete(subject);
    };
  }

  /** Does anybody get what is published to the subject? */
  hasInterest(subject: string): boolean {
    const { plain, groups } = this.match(subject);
    return plain.length + groups.length > 0;
  }

  /** Has anybody subscribed to exactly this subject, alone (`queue` `""`) or in this group? */
  hasListener(subject: string, queue: string): boolean {
    const { plain, groups } = this.match(subject);
    const listens = (sub: S): boolean => sub.subject === subject && sub.queue === queue;
    return queue === "" ? plain.some(listens) : groups.some((group) => group.some(listens));
  }

  /** Who gets what is published to this subject. One with an empty token goes nowhere. */
  match(subject: string): Matched<S> {
    if (subject.startsWith(ACKS)) return this.#matchAck(subject);
    const known = this.#results.get(subject);
    if (known !== undefined) return known;
    const result = this.#find(subject.split("."));
    if (this.#results.size >= KEPT) this.#results.clear();
    this.#results.set(subject, result);
    return result;
  }

  #find(tokens: readonly string[]): Matched<S> {
    if (tokens.includes("")) return NOBODY;
    const plain: S[] = [];
    const groups = new Map<string, S[]>();
    collect(this.#root, tokens, 0, plain, groups);
    return plain.length + groups.size === 0 ? NOBODY : { plain, groups: [...groups.values()] };
  }

  #matchAck(subject: string): Matched<S> {
    let end = 0;
    let dots = 0;
    for (let at = subject.indexOf("."); at >= 0; at = subject.indexOf(".", at + 1)) {
      if (++dots === CONSUMER) end = at;
      if (subject.charCodeAt(at + 1) === DOT) return NOBODY;
    }
    const key = `${subject.slice(0, end)}.${dots}`;
    const known = this.#acks.get(key);
    if (known !== undefined && subject.charCodeAt(subject.length - 1) !== DOT) return known;
    const tokens = subject.split(".");
    const result = this.#find(tokens);
    if (end > 0 && result !== NOBODY && this.#isForAll(tokens)) this.#acks.set(key, result);
    return result;
  }

  // Does a result depend on no token behind the consumer?
  #isForAll(tokens: readonly string[]): boolean {
    let at: Node<S> | undefined = this.#root;
    for (const token of tokens.slice(0, CONSUMER)) {
      if (at === undefined || at.children.has(STAR)) return false;
      at = at.children.get(token);
    }
    return at === undefined || isWild(at);
  }
}

// No literal token below.
function isWild<S>({ children }: Node<S>): boolean {
  for (const [token, child] of children) {
    if ((token !== STAR && token !== REST) || !isWild(child)) return false;
  }
  return true;
}

function node<S>(): Node<S> {
  return { children: new Map(), plain: new Set(), groups: new Map() };
}

function take<S extends Interest>(at: Node<S>, sub: S): boolean {
  if (sub.queue === "") return at.plain.delete(sub);
  const group = at.groups.get(sub.queue);
  const index = group?.indexOf(sub) ?? -1;
  if (group === undefined || index < 0) return false;
  // results that are kept have the array: never change it
  if (group.length === 1) at.groups.delete(sub.queue);
  else at.groups.set(sub.queue, group.toSpliced(index, 1));
  return true;
}

function collect<S>(
  at: Node<S>,
  tokens: readonly string[],
  depth: number,
  plain: S[],
  groups: Map<string, S[]>,
): void {
  const token = tokens[depth];
  if (token === undefined) {
    gather(at, plain, groups);
    return;
  }
  const rest = at.children.get(REST);
  if (rest !== undefined) gather(rest, plain, groups);
  const exact = at.children.get(token);
  if (exact !== undefined && token !== REST && token !== STAR)
    collect(exact, tokens, depth + 1, plain, groups);
  const star = at.children.get(STAR);
  if (star !== undefined) collect(star, tokens, depth + 1, plain, groups);
}

function gather<S>(at: Node<S>, plain: S[], groups: Map<string, S[]>): void {
  for (const sub of at.plain) plain.push(sub);
  for (const [name, group] of at.groups) {
    const more = groups.get(name);
    groups.set(name, more === undefined ? group : [...more, ...group]);
  }
}
