// Check: refuses arguments, with one form of message: the name, the value, and what to give.
import { InvalidArgumentError } from "../errors.ts";

/** Refuse a value that is not `ok`. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function check(ok: boolean, name: string, value: unknown, give: string): void {
  if (!ok) throw new InvalidArgumentError(`${name} is ${String(value)}: give ${give}`);
}

/** Refuse a number that is not whole, or less than `least`; undefined is as good. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function checkWhole(
  name: string,
  value: number | undefined,
  least: number,
  give: string = `a whole number, ${least} or more`,
): void {
  check(value === undefined || (Number.isSafeInteger(value) && value >= least), name, value, give);
}

/** Refuse what is none of the `choices`, written as in "a, b or c". @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function checkChoice(name: string, value: string, choices: string): void {
  check(choices.split(/, | or /).includes(value), name, `'${String(value)}'`, choices);
}
