// Control: the nine subjects by which services are found and watched (ADR-32). Used by both sides.
import { InvalidArgumentError } from "../errors.ts";
import { ServiceVerb } from "./service-types.ts";

/** The control subject of a verb: for all services, for those of one name, or for one instance. */
export function controlSubject(verb: ServiceVerb, prefix = "$SRV", name = "", id = ""): string {
  if (id !== "" && name === "") {
    throw new InvalidArgumentError(`an id ('${id}') needs the name of its service: give both`);
  }
  return [prefix, verb, name, id].filter((token) => token !== "").join(".");
}

export const VERBS: readonly ServiceVerb[] = Object.values(ServiceVerb);
