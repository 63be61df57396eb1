// Notes: what is on the board, and which of two versions of a note wins. Knows neither the page nor the network.

/**
 * A note is { id, x, y, text, color, version, by, gone? }. Each change raises its version; of two tabs that change the
 * same note at the same time, the one with the greater id wins, in every tab alike.
 */
export class Notes {
  #notes = new Map();

  /** Take a note that came from anywhere. True when it is news. */
  merge(note) {
    const known = this.#notes.get(note.id);
    if (known && (known.version > note.version || (known.version === note.version && known.by >= note.by))) {
      return false;
    }
    this.#notes.set(note.id, note);
    return true;
  }

  /** The next version of a note, as `by` changes it. */
  change(id, by, changes) {
    const known = this.#notes.get(id) ?? { id, version: 0 };
    return { ...known, ...changes, version: known.version + 1, by };
  }

  /** All notes, also those that were removed: who comes later must not bring them back. */
  all() {
    return [...this.#notes.values()];
  }
}
