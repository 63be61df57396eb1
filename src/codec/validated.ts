// Validated codecs: any codec, with a schema in front of it on both ways.
import { NatsError } from "../errors.ts";
import { type Codec, coding } from "./codec.ts";

/**
 * What a schema library must offer: version 1 of the Standard Schema interface (standardschema.dev), as zod, valibot,
 * arktype and others do.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** The outcome of a validation: a value, or issues. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong, and where. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A value that does not fit its schema. Code `CODEC`. */
export class ValidationError extends NatsError {
  /** all that the schema found wrong; their texts may quote the payload */
  readonly issues: readonly StandardIssue[];
  constructor(what: string, issues: readonly StandardIssue[]) {
    const path = (issues[0]?.path ?? []).map((step) => String(typeof step === "object" ? step.key : step));
    const where = path.length > 0 ? `, first at '${path.join(".")}'` : "";
    super("CODEC", `${what} does not fit the schema${where} (${issues.length} in 'issues')`);
    this.issues = issues;
  }

  override get name(): string {
    return "ValidationError";
  }
}

function check<Output>(schema: StandardSchema<unknown, Output>, value: unknown, what: string): Output {
  return coding("the schema failed to validate", () => {
    const result = schema["~standard"].validate(value);
    if ("then" in result) {
      result.then(undefined, () => {}); // nobody else looks at it
      throw new NatsError("CODEC", "the schema validates asynchronously, but codecs are synchronous");
    }
    if (result.issues) throw new ValidationError(what, result.issues);
    return result.value;
  });
}

/**
 * A codec that lets through only what fits a schema, out and in.
 *
 * What is decoded is the schema's output, defaults and transforms applied. What is encoded is the value as given, once
 * it fits, so that a transform happens once: at the receiver. Schemas that transform into another type describe the
 * decoded value only, and `encode` then wants what they accept.
 *
 * Both throw a {@link ValidationError}, and a {@link NatsError} of code `CODEC` for a schema that is asynchronous.
 */
export function validated<Input, Output = Input>(
  codec: Codec<unknown>,
  schema: StandardSchema<Input, Output>,
): Codec<Output> {
  return {
    ...(codec.contentType === undefined ? {} : { contentType: codec.contentType }),
    encode(value) {
      check(schema, value, "the value to encode");
      return coding("the value can't be encoded", () => codec.encode(value));
    },
    decode(data) {
      const value = coding("the payload can't be decoded", () => codec.decode(data));
      return check(schema, value, "the decoded payload");
    },
  };
}
