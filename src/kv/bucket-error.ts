// Bucket error: there is no such bucket.
import { StreamNotFoundError } from "../jetstream/api-error.ts";

/** There is no such bucket. Code `STREAM_NOT_FOUND`, as it has no stream. */
export class BucketNotFoundError extends StreamNotFoundError {
  /** the bucket that is not there */
  readonly bucket: string;
  constructor(bucket: string, { status, apiErrorCode, stream = "", cause }: StreamNotFoundError) {
    const description = `there is no bucket '${bucket}'`;
    super({ code: status, err_code: apiErrorCode, description }, { stream, cause });
    this.bucket = bucket;
  }

  override get name(): string {
    return "BucketNotFoundError";
  }
}

/** What a call about the stream of a bucket gives. @throws {NatsError} as the call; without the stream there is no bucket */
export async function ofBucket<T>(bucket: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof StreamNotFoundError ? new BucketNotFoundError(bucket, error) : error;
  }
}
