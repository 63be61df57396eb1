// Waiting: promises settled from outside, and promises that end in time.
import { InvalidArgumentError, NatsError, TimeoutError } from "../errors.ts";

/** A promise with its own `resolve` and `reject`. */
export interface Deferred<T> extends Promise<T> {
  /** settle it with a value, or with the outcome of another promise */
  resolve(value: T | PromiseLike<T>): void;
  /** settle it with an error */
  reject(reason?: unknown): void;
}

/** A promise for a moment to come, which `cancel` makes the present one. */
export interface Delay extends Promise<void> {
  /** resolve now, and stop the timer */
  cancel(): void;
}

/** How long to wait. */
export interface WaitOptions {
  /** milliseconds; without it, or when it is Infinity, there is no deadline */
  timeout?: number | undefined;
  /** ends the wait with an error of code `ABORTED` */
  signal?: AbortSignal | undefined;
}

/** What {@link settle} can be told. */
export interface SettleOptions extends WaitOptions {
  /** what is waited for, for the messages, as in "the flush"; default "the wait" */
  what?: string;
  /** called once when the wait is over, however it ended */
  finish?: () => void;
}

/** @internal milliseconds; a timer that is set for longer fires at once */
export const LONGEST_TIMER = 0x7fff_ffff;

/** @internal `setTimeout`, but for any time: it fires early where the time is longer than timers can be set for */
export function startTimer(callback: () => void, ms: number): ReturnType<typeof setTimeout> {
  return setTimeout(callback, Math.min(ms, LONGEST_TIMER));
}

/** The error of what `signal` ended: "the flush". */
export function aborted(signal: AbortSignal, what: string): NatsError {
  return new NatsError("ABORTED", `${what} was ended by its signal`, { cause: signal.reason });
}

/**
 * Tell `fail` when the signal ends `what`. The function that is returned stops listening.
 *
 * @throws {@link NatsError} ABORTED when the signal was aborted before
 */
export function onAbort(signal: AbortSignal, what: string, fail: (error: NatsError) => void): () => void {
  if (signal.aborted) throw aborted(signal, what);
  const abort = (): void => fail(aborted(signal, what));
  signal.addEventListener("abort", abort);
  return () => signal.removeEventListener("abort", abort);
}

/** A promise that is settled by calling its `resolve` or `reject`. */
export function deferred<T = void>(): Deferred<T> {
  let methods: Pick<Deferred<T>, "resolve" | "reject"> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    methods = { resolve, reject };
  });
  return Object.assign(promise, methods) as Deferred<T>;
}

/** A promise that resolves after `ms` milliseconds (default 0), or when it is cancelled. */
export function delay(ms = 0): Delay {
  let cancel: (() => void) | undefined;
  const promise = new Promise<void>((resolve) => {
    const timer = startTimer(resolve, ms);
    cancel = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  return Object.assign(promise, { cancel }) as Delay;
}

/**
 * The outcome of `promise`, if it comes within `ms` milliseconds (default 1000). No timer is left behind.
 *
 * @throws {@link TimeoutError} TIMEOUT
 */
export function deadline<T>(promise: PromiseLike<T>, ms = 1000): Promise<T> {
  return settle(promise, { timeout: ms });
}

/** A pause of `ms` milliseconds. @throws {@link NatsError} ABORTED, when the signal ends it */
export function pause(ms: number, options: Pick<SettleOptions, "signal" | "what">): Promise<void> {
  const waiting = delay(ms);
  return settle(waiting, { ...options, finish: () => waiting.cancel() });
}

/**
 * One wait: for a promise, or for what a function does with the two callbacks it is given. It ends with the first of
 * outcome, deadline and signal, and takes its timer and its listener with it. The function is not called when the signal
 * was aborted before.
 *
 * @throws {@link NatsError} TIMEOUT, ABORTED, INVALID_ARGUMENT
 */
export function settle<T>(
  source: PromiseLike<T> | ((resolve: (value: T) => void, reject: (error: unknown) => void) => void),
  options: SettleOptions = {},
): Promise<T> {
  const { timeout = Infinity, signal, what = "the wait", finish } = options;
  return new Promise((resolve, reject) => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let deafen: (() => void) | undefined;
    const end = (): boolean => {
      if (over) return false;
      over = true;
      clearTimeout(timer);
      deafen?.();
      finish?.();
      return true;
    };
    const succeed = (value: T): void => {
      if (end()) resolve(value);
    };
    const fail = (error: unknown): void => {
      if (end()) reject(error);
    };
    // a promise is listened to in any case, or its rejection would be nobody's
    if (typeof source !== "function") source.then(succeed, fail);
    try {
      if (!(timeout >= 0)) {
        throw InvalidArgumentError.format("timeout", `must be 0 or more milliseconds, got ${timeout}`);
      }
      deafen = signal && onAbort(signal, what, fail);
      if (timeout <= LONGEST_TIMER) {
        const late = (): void => fail(new TimeoutError(`${what} took longer than ${timeout} ms`));
        timer = setTimeout(late, timeout);
      }
      if (typeof source === "function") source(succeed, fail);
    } catch (error) {
      fail(error);
    }
  });
}
