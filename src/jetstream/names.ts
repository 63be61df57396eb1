// Names: of streams and consumers, which become tokens of API subjects.
import { InvalidArgumentError } from "../errors.ts";

/** The two names, checked. @throws {@link InvalidArgumentError} INVALID_ARGUMENT */
export function namesOf(stream: string, consumer: string): [stream: string, consumer: string] {
  validateName("stream", stream);
  validateName("consumer", consumer);
  return [stream, consumer];
}

/**
 * Refuse what would change the subject that a name is put into (ADR-6). Everything else is the server's to judge.
 *
 * @throws {@link InvalidArgumentError} INVALID_ARGUMENT
 */
export function validateName(what: "stream" | "consumer" | "domain", name: unknown): asserts name is string {
  if (typeof name !== "string" || name === "") {
    throw new InvalidArgumentError(`the name of the ${what} is ${name === "" ? "empty" : typeof name}`);
  }
  const bad = /[\s.*>\\/\p{Cc}]/u.exec(name)?.[0];
  if (bad !== undefined) {
    throw new InvalidArgumentError(
      `the ${what} name ${JSON.stringify(name)} has ${JSON.stringify(bad)} in it: no white space and none of . * > / \\`,
    );
  }
}
