// Refusal: why a call of the API or a publish fails, as the server words it. Thrown by whoever finds out; the edges answer with it.

/** Status and description by number: those of nats-server that this one has a use for. `{x}` stands for a parameter. */
const REFUSALS = {
  10003: "400 bad request",
  10010: "503 JetStream clustering support required",
  10012: "500 {err}",
  10013: "400 consumer name already in use",
  10014: "404 consumer not found",
  10017: "400 consumer name in subject does not match durable name in request",
  10018: "400 consumer expected to be durable but a durable name was not set",
  10020: "400 consumer expected to be ephemeral but a durable name was set in request",
  10023: "503 insufficient resources",
  10025: "400 invalid JSON: {err}",
  10026: "400 maximum consumers limit reached",
  10028: "500 insufficient memory resources available",
  10037: "404 no message found",
  10038: "400 expected an empty request payload",
  10039: "503 JetStream not enabled for account",
  10043: "400 sequence {seq} not found",
  10047: "500 insufficient storage resources available",
  10052: "500 {err}",
  10054: "400 message size exceeds maximum allowed",
  10055: "400 stream mirror configuration can not be updated",
  10056: "400 stream name in subject does not match request",
  10057: "500 {err}",
  10058: "400 stream name already in use with a different configuration",
  10059: "404 stream not found",
  10060: "400 expected stream does not match",
  10062: "500 restore failed: {err}",
  10064: "500 snapshot failed: {err}",
  10065: "400 subjects overlap with an existing stream",
  10069: "500 {err}",
  10070: "400 wrong last msg ID: {id}",
  10071: "400 wrong last sequence: {seq}",
  10074: "500 replicas > 1 not supported in non-clustered mode",
  10077: "503 {err}",
  10079: "400 consumer deliver subject has wildcards",
  10080: "400 consumer in push mode can not set max waiting",
  10081: "400 consumer deliver subject forms a cycle",
  10082: "400 consumer requires ack policy for max ack pending",
  10083: "400 consumer idle heartbeat needs to be >= 100ms",
  10084: "400 consumer in pull mode requires explicit ack policy on workqueue stream",
  10086: "400 consumer in pull mode can not have rate limit set",
  10088: "400 consumer idle heartbeat requires a push based consumer",
  10089: "400 consumer flow control requires a push based consumer",
  10090: "400 consumer direct requires a push based consumer",
  10091: "400 consumer direct requires an ephemeral consumer",
  10094: "400 {err}",
  10095: "400 failed to parse consumer sampling configuration: {err}",
  10097: "400 header size exceeds maximum allowed of 64k",
  10098: "400 workqueue stream requires explicit ack",
  10099: "400 multiple non-filtered consumers not allowed on workqueue stream",
  10100: "400 filtered consumer not unique on workqueue stream",
  10101: "400 consumer must be deliver all on workqueue stream",
  10102: "400 consumer name is too long, maximum allowed is 255",
  10107: "400 consumer description is too long, maximum allowed is 4096",
  10108: "400 consumer with flow control also needs heartbeats",
  10109: "400 invalid operation on sealed stream",
  10110: "500 {err}",
  10111: "500 {err}",
  10112: "400 invalid push consumer deliver subject",
  10115: "400 consumer max request expires needs to be >= 1ms",
  10116: "400 max deliver is required to be > length of backoff values",
  10121: "400 consumer max ack pending exceeds system limit of {limit}",
  10127: "400 Consumer name can not contain path separators",
  10128: "400 Stream name can not contain path separators",
  10131: "400 Consumer create request did not match filtered subject from create subject",
  10133: "400 replicas count cannot be negative",
  10135: "400 consumer metadata exceeds maximum size of 128KB",
  10136: "400 consumer cannot have both FilterSubject and FilterSubjects specified",
  10137: "400 consumer with multiple subject filters cannot use subject based API",
  10138: "400 consumer subject filters cannot overlap",
  10139: "400 consumer filter in FilterSubjects cannot be empty",
  10148: "400 consumer already exists",
  10149: "400 consumer does not exist",
  10153: "400 consumer inactive threshold exceeds system limit of {limit}",
  10155: "400 stream transform source: {err}",
  10156: "400 stream transform: {err}",
  10157: "400 pedantic mode: {err}",
  10159: "400 Setting PriorityPolicy requires at least one PriorityGroup to be set",
  10160: "400 Provided priority group does not exist for this consumer",
  10161: "400 Group name cannot be an empty string",
  10162: "400 Valid priority group name must match A-Z, a-z, 0-9, -_/=)+ and may not exceed 16 characters",
  10165: "400 invalid per-message TTL",
  10166: "400 per-message TTL is disabled",
  10168: "400 message counters is disabled",
  10169: "400 message counter increment is missing",
  10174: "400 atomic publish is disabled",
  10178: "400 priority groups can not be used with push consumers",
  10183: "400 consumer ack wait needs to be positive",
  10184: "400 consumer backoff needs to be positive",
  10185: "412 JetStream minimum api level required",
  10188: "400 message schedules is disabled",
  10193: "400 missing sequence for expected last sequence per subject",
  10196: "400 consumer can not have priority groups when policy is none",
  10197: "400 PinnedTTL cannot be set when PriorityPolicy is none",
  10204: "400 invalid reset: {err}",
  10205: "400 batch publish is disabled",
  10218: "400 flow control ack policy requires a push based consumer",
  10219: "400 flow control ack policy requires flow control",
  10220: "400 flow control ack policy requires max ack pending",
  10221: "400 flow control ack policy requires unset ack wait",
  10222: "400 flow control ack policy requires unset max deliver",
  10227: "400 message stream source header is not allowed",
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** What an answer says of an error, field by field as on the wire. */
export interface WireError {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

export type RefusalParams = Readonly<Record<string, string | number>>;

/** A call that is refused. */
export class Refusal extends Error {
  readonly wire: WireError;

  /** `entry` is that of a table: status and description */
  constructor(errCode: number, entry: string, params: RefusalParams = {}) {
    super(entry.slice(4).replace(/\{(\w+)\}/g, (_, name: string) => `${params[name]}`));
    this.wire = { code: Number(entry.slice(0, 3)), err_code: errCode, description: this.message };
  }
}

/** A refusal by its number. */
export function refusal(errCode: RefusalCode, params?: RefusalParams): Refusal {
  return new Refusal(errCode, REFUSALS[errCode], params);
}

/** Refuse with an entry of the table: `refuse(10059)`, `refuse(10071, { seq: 3 })`. @throws {Refusal} always */
export function refuse(errCode: RefusalCode, params?: RefusalParams): never {
  throw refusal(errCode, params);
}
