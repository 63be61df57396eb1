// SubjectIndex: the subjects of one stream's messages, each with its sequences; found by name, or by a filter in a tree of tokens.
import { SeqList } from "./seq-list.ts";
import { marksOf } from "./token-marks.ts";

interface Node {
  /** the token above, and the way up: an empty node goes */
  readonly token: string;
  readonly parent: Node | undefined;
  /** one alone needs no map, which takes more room than all else here */
  children: Map<string, Node> | Node | undefined;
  list: SeqList | undefined;
}

export class SubjectIndex {
  readonly #nodes = new Map<string, Node>();
  readonly #root: Node = { token: "", parent: undefined, children: undefined, list: undefined };

  /** how many subjects there are */
  get size(): number {
    return this.#nodes.size;
  }

  get(subject: string): SeqList | undefined {
    return this.#nodes.get(subject)?.list;
  }

  /** A message was stored: its sequence is greater than all there are. All of its subject. */
  add(subject: string, seq: number): SeqList {
    const known = this.get(subject);
    if (known !== undefined) {
      known.push(seq);
      return known;
    }
    const tokens = subject.split(".");
    let node = this.#root;
    for (const token of tokens) node = child(node, token);
    this.#nodes.set(subject, node);
    return (node.list = new SeqList(subject, marksOf(tokens), seq));
  }

  remove(subject: string, seq: number): void {
    const node = this.#nodes.get(subject);
    const list = node?.list;
    if (node === undefined || list === undefined) return;
    list.remove(seq);
    if (list.count > 0) return;
    this.#nodes.delete(subject);
    node.list = undefined;
    for (let at = node; at.list === undefined && at.children === undefined && at.parent !== undefined; ) {
      const { token, parent } = at;
      const siblings = parent.children;
      if (!(siblings instanceof Map) || (siblings.delete(token) && siblings.size === 0)) {
        parent.children = undefined;
      }
      at = parent;
    }
  }

  /** Those that match one of these filters, each once. */
  matching(filters: readonly string[]): SeqList[] {
    return this.matchingSoon(filters, Infinity) as SeqList[];
  }

  /** The same; undefined where more than so many subjects and parts of subjects had to be looked at. */
  matchingSoon(filters: readonly string[], most: number): SeqList[] | undefined {
    const search: Search = { found: [], left: most };
    for (const filter of filters) {
      if (isLiteral(filter)) {
        const list = this.get(filter);
        if (list !== undefined) search.found.push(list);
      } else collect(this.#root, filter.split("."), 0, search);
    }
    if (search.left < 0) return undefined;
    return filters.length > 1 ? [...new Set(search.found)] : search.found;
  }
}

interface Search {
  readonly found: SeqList[];
  /** how much may still be looked at */
  left: number;
}

/** No wildcard can be in it. */
export function isLiteral(filter: string): boolean {
  return !filter.includes("*") && !filter.includes(">");
}

// The child of this token, which is made where there is none.
function child(parent: Node, token: string): Node {
  const { children } = parent;
  const known = childOf(parent, token);
  if (known !== undefined) return known;
  const made: Node = { token, parent, children: undefined, list: undefined };
  if (children === undefined) parent.children = made;
  else if (children instanceof Map) children.set(token, made);
  else {
    parent.children = new Map([
      [children.token, children],
      [token, made],
    ]);
  }
  return made;
}

function childOf({ children }: Node, token: string): Node | undefined {
  if (children instanceof Map) return children.get(token);
  return children?.token === token ? children : undefined;
}

function childrenOf({ children }: Node): Iterable<Node> {
  return children instanceof Map ? children.values() : children === undefined ? [] : [children];
}

function collect(node: Node, tokens: readonly string[], depth: number, search: Search): void {
  const token = tokens[depth];
  if (token === undefined) {
    if (node.list !== undefined) search.found.push(node.list);
  } else if (token === ">" || token === "*") {
    for (const next of childrenOf(node)) {
      if (--search.left < 0) return;
      if (token === "*") collect(next, tokens, depth + 1, search);
      else all(next, search);
    }
  } else {
    const next = childOf(node, token);
    if (next !== undefined) collect(next, tokens, depth + 1, search);
  }
}

function all(node: Node, search: Search): void {
  if (node.list !== undefined) search.found.push(node.list);
  for (const next of childrenOf(node)) {
    if (--search.left < 0) return;
    all(next, search);
  }
}
