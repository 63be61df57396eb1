// ObjectError: what can be wrong with an object of a bucket.
import { NatsError } from "../errors.ts";

/**
 * Something is wrong with an object. `code` says what: `OBJECT_NOT_FOUND`, `OBJECT_EXISTS`, `OBJECT_INCOMPLETE`, or
 * `OBJECT_MISMATCH`.
 */
export class ObjectError extends NatsError {
  /** the bucket that has it */
  readonly bucket: string;
  /** its name */
  readonly object: string;
  constructor(
    code: "OBJECT_NOT_FOUND" | "OBJECT_EXISTS" | "OBJECT_INCOMPLETE" | "OBJECT_MISMATCH",
    of: { readonly bucket: string; readonly name: string },
    what: string,
  ) {
    super(code, `object ${JSON.stringify(of.name)} of bucket '${of.bucket}' ${what}`);
    this.bucket = of.bucket;
    this.object = of.name;
  }

  override get name(): string {
    return "ObjectError";
  }
}
