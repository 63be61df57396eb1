// SeqList: the sequences of one subject, ascending. In pieces, so that one of a million goes as fast as one of ten.

const PIECE = 512;

export class SeqList {
  readonly subject: string;
  /** of its tokens */
  readonly marks: number;
  /** none is empty */
  readonly #pieces: number[][];
  #count = 1;

  constructor(subject: string, marks: number, seq: number) {
    this.subject = subject;
    this.marks = marks;
    // an array that begins empty makes room for many
    this.#pieces = [[seq]];
  }

  get count(): number {
    return this.#count;
  }

  /** undefined where there is none */
  get last(): number | undefined {
    return this.#pieces.at(-1)?.at(-1);
  }

  /** `seq` is greater than all there are. */
  push(seq: number): void {
    const piece = this.#pieces.at(-1);
    if (piece === undefined || piece.length >= PIECE) this.#pieces.push([seq]);
    else piece.push(seq);
    this.#count++;
  }

  remove(seq: number): void {
    const at = this.#pieceOf(seq);
    const piece = this.#pieces[at];
    if (piece === undefined) return;
    const i = lowerBound(piece, seq);
    if (piece[i] !== seq) return;
    if (piece.length === 1) this.#pieces.splice(at, 1);
    else if (i === 0) piece.shift();
    else piece.splice(i, 1);
    this.#count--;
  }

  /** the first at or behind `from` */
  next(from: number): number | undefined {
    const piece = this.#pieces[this.#pieceOf(from)];
    return piece?.[lowerBound(piece, from)];
  }

  /** the last at or before `upTo` */
  previous(upTo: number): number | undefined {
    const { last } = this;
    if (last === undefined || last <= upTo) return last;
    const at = this.#pieceOf(upTo + 1);
    const piece = this.#pieces[at] as number[];
    const i = lowerBound(piece, upTo + 1);
    return i > 0 ? piece[i - 1] : this.#pieces[at - 1]?.at(-1);
  }

  /** how many are at or behind `from` */
  countFrom(from: number): number {
    const at = this.#pieceOf(from);
    const piece = this.#pieces[at];
    if (piece === undefined) return 0;
    let count = piece.length - lowerBound(piece, from);
    for (let i = at + 1; i < this.#pieces.length; i++) count += (this.#pieces[i] as number[]).length;
    return count;
  }

  // The first piece that ends at or behind `seq`.
  #pieceOf(seq: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((this.#pieces[middle] as number[]).at(-1) as number) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// Where the first that is not less than `seq` is.
function lowerBound(piece: readonly number[], seq: number): number {
  let low = 0;
  let high = piece.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((piece[middle] as number) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
