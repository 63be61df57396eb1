// Idle timer: fires when nothing happened for a while. Being told that something did costs next to nothing.
import { startTimer } from "./deferred.ts";

/** Calls `idle` once, when `ms` milliseconds passed since the last `touch()`, and then no more. */
export class IdleTimer {
  readonly #ms: number;
  readonly #idle: () => void;
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, idle: () => void) {
    this.#ms = ms;
    this.#idle = idle;
    this.touch();
    this.#start(ms);
  }

  /** Something happened. */
  touch(): void {
    this.#last = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #start(ms: number): void {
    this.#timer = startTimer(() => {
      const left = this.#last + this.#ms - performance.now();
      // timers may be early by a fraction
      if (left < 1) this.#idle();
      else this.#start(left);
    }, ms);
  }
}
