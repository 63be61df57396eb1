// Mapping: the subjects that an account gives to what is published to it, before anybody sees it.
import { InvalidArgumentError } from "../errors.ts";
import { type SubjectTransform, subjectTransform } from "./subject-transform.ts";

/** A new subject, and which share of the messages gets it, in percent. What is left over keeps its subject. */
export interface WeightedDestination {
  readonly destination: string;
  readonly weight: number;
}

/** Subjects and what becomes of them: `{ "orders.*": "eu.orders.$1" }`; several destinations share by their weights. */
export type Mappings = Readonly<Record<string, string | readonly WeightedDestination[]>>;

interface Rule {
  /** the part of all that goes here or to a rule before, from 0 to 1 */
  readonly upTo: number;
  readonly transform: SubjectTransform;
}

/** Gives a subject its other form; the same where it has none. @throws {NatsError} INVALID_ARGUMENT */
export function mapping(mappings: Mappings): (subject: string) => string {
  const all = Object.entries(mappings).map(([source, given]) => rulesOf(source, given));
  return (subject) => {
    for (const rules of all) {
      const made = rules[0]?.transform(subject);
      if (made === undefined) continue;
      if (rules.length === 1 && rules[0]?.upTo === 1) return made;
      const chance = Math.random();
      return rules.find(({ upTo }) => chance < upTo)?.transform(subject) ?? subject;
    }
    return subject;
  };
}

function rulesOf(source: string, given: Mappings[string]): Rule[] {
  const destinations = typeof given === "string" ? [{ destination: given, weight: 100 }] : given;
  let sum = 0;
  return destinations.map(({ destination, weight }) => {
    sum += weight;
    if (!(weight >= 0) || sum > 100) {
      throw new InvalidArgumentError(
        `the weights of the mapping of '${source}' are ${sum} %: give 100 at most`,
      );
    }
    return { upTo: sum / 100, transform: transformOf(source, destination) };
  });
}

function transformOf(source: string, destination: string): SubjectTransform {
  try {
    return subjectTransform(source, destination);
  } catch (cause) {
    throw new InvalidArgumentError(
      `'${source}' can't be mapped to '${destination}': ${(cause as Error).message}`,
      { cause },
    );
  }
}
