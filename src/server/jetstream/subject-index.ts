// SubjectIndex: the subjects of one stream's messages, each with its sequences; found by name, or by a filter in a tree of tokens.
import { SeqList } from "./seq-list.ts";

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

  /** A message was stored: its sequence is greater than all there are. */
  add(subject: string, seq: number): void {
    let node = this.#nodes.get(subject);
    if (node === undefined) {
      node = this.#root;
      for (const token of subject.split(".")) node = child(node, token);
      node.list = new SeqList(subject, seq);
      this.#nodes.set(subject, node);
    } else (node.list as SeqList).push(seq);
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
    const found: SeqList[] = [];
    for (const filter of filters) {
      if (isLiteral(filter)) {
        const list = this.get(filter);
        if (list !== undefined) found.push(list);
      } else collect(this.#root, filter.split("."), 0, found);
    }
    return filters.length > 1 ? [...new Set(found)] : found;
  }
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

function collect(node: Node, tokens: readonly string[], depth: number, found: SeqList[]): void {
  const token = tokens[depth];
  if (token === undefined) {
    if (node.list !== undefined) found.push(node.list);
  } else if (token === ">") {
    for (const next of childrenOf(node)) all(next, found);
  } else if (token === "*") {
    for (const next of childrenOf(node)) collect(next, tokens, depth + 1, found);
  } else {
    const next = childOf(node, token);
    if (next !== undefined) collect(next, tokens, depth + 1, found);
  }
}

function all(node: Node, found: SeqList[]): void {
  if (node.list !== undefined) found.push(node.list);
  for (const next of childrenOf(node)) all(next, found);
}
