// Service error: an answer of a service that is an error, on either side.
import type { Msg } from "../client/connection.ts";
import { NatsError } from "../errors.ts";
import { ServiceErrorCodeHeader, ServiceErrorHeader } from "./service-types.ts";

/** An error that a service answers with: thrown by handlers, read by those who asked. Code `SERVICE`. */
export class ServiceError extends NatsError {
  /** what kind of failure it is, in the terms of the service; like those of HTTP by custom */
  readonly serviceCode: number;
  /** the text as the other side has it */
  readonly description: string;

  constructor(code: number, description: string) {
    super("SERVICE", `the service answered ${code}: ${description}`);
    this.serviceCode = code;
    this.description = description;
  }

  override get name(): string {
    return "ServiceError";
  }

  /** True when the reply is an error of a service. */
  static isServiceError(msg: Msg): boolean {
    return msg.headers?.has(ServiceErrorCodeHeader) === true || msg.headers?.has(ServiceErrorHeader) === true;
  }

  /** The error that the reply is, or null. A code that is no number is read as 0. */
  static toServiceError(msg: Msg): ServiceError | null {
    if (!ServiceError.isServiceError(msg)) return null;
    const code = Number.parseInt(msg.headers?.get(ServiceErrorCodeHeader) ?? "", 10);
    return new ServiceError(Number.isNaN(code) ? 0 : code, msg.headers?.get(ServiceErrorHeader) ?? "");
  }
}
