// Due heap: what is to happen at some time, the earliest first. Used by expiry and schedules.

export class DueHeap<T extends { readonly time: number }> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  push(due: T): void {
    const heap = this.#heap;
    let i = heap.push(due) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up] as T;
      if (parent.time <= due.time) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = due;
  }

  /** Take the first if it is due. */
  take(now: number): T | undefined {
    const heap = this.#heap;
    const { first } = this;
    if (first === undefined || first.time > now) return undefined;
    const last = heap.pop() as T;
    if (heap.length === 0) return first;
    let i = 0;
    for (let down = 1; down < heap.length; down = 2 * i + 1) {
      const right = heap[down + 1];
      if (right !== undefined && right.time < (heap[down] as T).time) down++;
      const child = heap[down] as T;
      if (child.time >= last.time) break;
      heap[i] = child;
      i = down;
    }
    heap[i] = last;
    return first;
  }
}
