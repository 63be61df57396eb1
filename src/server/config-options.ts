// Config options: what a configuration of nats-server asks for, as options of the embedded one. It knows a part of the
// fields; one that it does not know is refused by name, so that nobody relies on what is not there.
import { InvalidArgumentError } from "../errors.ts";
import { goDuration } from "../lib/go-duration.ts";
import type { ConfigMap, ConfigValue } from "./config-text.ts";
import type { ExportOptions, ImportOptions, ImportSource } from "./exchange.ts";
import type { UserOptions } from "./logins.ts";
import type { Mappings } from "./mapping.ts";
import type { AccountOptions, JetStreamOptions, ListenTlsOptions, ServerOptions } from "./options.ts";
import type { PermissionOptions, SubjectPermission } from "./permissions.ts";

/** Gives the text of a file that a configuration names. */
export type ReadText = (path: string) => string;

type Reader<T> = (value: ConfigValue, path: string) => T;
/** What is done with the value of each field; the names are those of the format, in lower case. */
type Fields = Readonly<Record<string, (value: ConfigValue, path: string) => void>>;

/** Options that the configuration sets. @throws {NatsError} INVALID_ARGUMENT with the path of the field */
export function optionsOf(config: ConfigMap, read: ReadText): ServerOptions {
  const options: ServerOptions = {};
  const accounts: Record<string, AccountOptions> = {};
  let allowPlain = false;
  each(config, "", {
    listen: (value, path) => Object.assign(options, listen(value, path)),
    ...aliases(["host", "addr", "net"], (value, path) => (options.host = text(value, path))),
    port: (value, path) => (options.port = port(value, path)),
    ...aliases(["server_name", "name"], (value, path) => (options.name = text(value, path))),
    jetstream: (value, path) => (options.jetstream = jetstream(value, path)),
    authorization: (value, path) => authorization(value, path, options),
    accounts: (value, path) => {
      for (const [name, account] of entries(value, path)) {
        if (name === "$G") refuse(path, name, "another name, as this is reserved for who is in no account");
        accounts[name] = accountOf(account, `${path}.${name}`);
      }
      options.accounts = accounts;
    },
    mappings: (value, path) => {
      accounts["$G"] = { mappings: mappings(value, path) };
      options.accounts = accounts;
    },
    no_auth_user: (value, path) => (options.noAuthUser = text(value, path)),
    tls: (value, path) => (options.tls = tls(value, path, read)),
    allow_non_tls: (value, path) => (allowPlain = truth(value, path)),
    websocket: (value, path) => (options.websocket = websocket(value, path, read)),
    max_payload: (value, path) => (options.maxPayload = number(value, path)),
    max_control_line: (value, path) => (options.maxControlLine = number(value, path)),
    ...aliases(
      ["max_connections", "max_conn"],
      (value, path) => (options.maxConnections = number(value, path)),
    ),
    ...aliases(
      ["max_subscriptions", "max_subs"],
      (value, path) => (options.maxSubscriptions = number(value, path)),
    ),
    max_pending: (value, path) => (options.maxPending = number(value, path)),
    write_deadline: (value, path) => (options.writeDeadline = duration(value, path)),
    ping_interval: (value, path) => (options.pingInterval = duration(value, path)),
    ping_max: (value, path) => (options.maxPingsOut = number(value, path)),
    lame_duck_grace_period: (value, path) => (options.lameDuckGracePeriod = duration(value, path)),
    lame_duck_duration: (value, path) => (options.lameDuckDuration = duration(value, path)),
  });
  if (options.tls !== undefined) options.tls.allowPlain = allowPlain;
  return options;
}

// `enabled`, or what it may have
function jetstream(value: ConfigValue, path: string): boolean | JetStreamOptions {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (/^enabled?$/i.test(value)) return true;
    return /^disabled?$/i.test(value) ? false : refuse(path, value, "enabled, disabled or a map in { }");
  }
  const made: JetStreamOptions = {};
  let on = true;
  each(value, path, {
    ...aliases(["enabled", "enable"], (given, at) => (on = truth(given, at))),
    ...aliases(["store_dir", "storedir"], (given, at) => (made.storeDir = text(given, at))),
    ...aliases(
      ["max_memory_store", "max_mem_store", "max_mem"],
      (given, at) => (made.maxMemory = number(given, at)),
    ),
    ...aliases(["max_file_store", "max_file"], (given, at) => (made.maxStorage = number(given, at))),
    domain: (given, at) => (made.domain = text(given, at)),
  });
  return on && made;
}

function authorization(value: ConfigValue, path: string, options: ServerOptions): void {
  const one: { user?: string; password?: string } = {};
  let users: UserOptions[] = [];
  let rights: PermissionOptions | undefined;
  each(value, path, {
    ...aliases(["user", "username"], (given, at) => (one.user = text(given, at))),
    ...aliases(["password", "pass"], (given, at) => (one.password = text(given, at))),
    token: (given, at) => (options.token = text(given, at)),
    users: (given, at) => (users = list(given, at, user)),
    timeout: (given, at) => (options.loginTimeout = duration(given, at)),
    ...aliases(["default_permissions", "permissions"], (given, at) => (rights = permissions(given, at))),
  });
  if (one.user !== undefined) users.push(one);
  const fallback = rights && { permissions: rights };
  if (users.length > 0) options.users = users.map((given) => ({ ...fallback, ...given }));
}

function accountOf(value: ConfigValue, path: string): AccountOptions {
  const made: { -readonly [K in keyof AccountOptions]: AccountOptions[K] } = {};
  each(value, path, {
    users: (given, at) => (made.users = list(given, at, user)),
    jetstream: (given, at) => (made.jetstream = jetstream(given, at) !== false),
    mappings: (given, at) => (made.mappings = mappings(given, at)),
    exports: (given, at) => (made.exports = list(given, at, exported)),
    imports: (given, at) => (made.imports = list(given, at, imported)),
  });
  return made;
}

function mappings(value: ConfigValue, path: string): Mappings {
  return Object.fromEntries(
    entries(value, path).map(([source, to]) => [source, destinations(to, `${path}.${source}`)]),
  );
}

function destinations(value: ConfigValue, path: string): Mappings[string] {
  if (typeof value !== "object") return text(value, path);
  return list(value, path, (one, at) => {
    const made = { destination: "", weight: 100 };
    each(one, at, {
      ...aliases(["destination", "dest"], (given, where) => (made.destination = text(given, where))),
      weight: (given, where) => (made.weight = Number.parseFloat(text(given, where))),
    });
    return made;
  });
}

function exported(value: ConfigValue, path: string): ExportOptions {
  const made: { -readonly [K in keyof ExportOptions]: ExportOptions[K] } = {};
  each(value, path, {
    service: (given, at) => (made.service = text(given, at)),
    stream: (given, at) => (made.stream = text(given, at)),
    accounts: (given, at) => (made.accounts = list(given, at, text)),
    ...aliases(["response", "response_type"], (given, at) => {
      const kind = text(given, at).toLowerCase();
      if (kind !== "singleton" && kind !== "stream" && kind !== "chunked")
        refuse(at, given, "singleton, stream or chunked");
      made.response = kind;
    }),
  });
  return made;
}

function imported(value: ConfigValue, path: string): ImportOptions {
  const made: { -readonly [K in keyof ImportOptions]: ImportOptions[K] } = {};
  each(value, path, {
    service: (given, at) => (made.service = source(given, at)),
    stream: (given, at) => (made.stream = source(given, at)),
    to: (given, at) => (made.to = text(given, at)),
    prefix: (given, at) => (made.prefix = text(given, at)),
  });
  return made;
}

function source(value: ConfigValue, path: string): ImportSource {
  const made = { account: "", subject: "" };
  each(value, path, {
    account: (given, at) => (made.account = text(given, at)),
    subject: (given, at) => (made.subject = text(given, at)),
  });
  return made;
}

function user(value: ConfigValue, path: string): UserOptions {
  const made: { -readonly [K in keyof UserOptions]: UserOptions[K] } = {};
  each(value, path, {
    ...aliases(["user", "username"], (given, at) => (made.user = text(given, at))),
    ...aliases(["password", "pass"], (given, at) => (made.password = text(given, at))),
    nkey: (given, at) => (made.nkey = text(given, at)),
    permissions: (given, at) => (made.permissions = permissions(given, at)),
  });
  return made;
}

function permissions(value: ConfigValue, path: string): PermissionOptions {
  const made: { -readonly [K in keyof PermissionOptions]: PermissionOptions[K] } = {};
  each(value, path, {
    ...aliases(["publish", "pub"], (given, at) => (made.publish = subjects(given, at))),
    ...aliases(["subscribe", "sub"], (given, at) => (made.subscribe = subjects(given, at))),
    allow_responses: (given, at) => {
      if (typeof given === "boolean") made.responses = given;
      else {
        const limits: { max?: number; expires?: number } = {};
        each(given, at, {
          max: (count, where) => (limits.max = number(count, where)),
          expires: (time, where) => (limits.expires = duration(time, where)),
        });
        made.responses = limits;
      }
    },
  });
  return made;
}

// a subject or several that are allowed, or those that are and those that are not
function subjects(value: ConfigValue, path: string): SubjectPermission {
  if (typeof value !== "object" || Array.isArray(value)) return { allow: list(value, path, text) };
  const made: { allow?: string[]; deny?: string[] } = {};
  each(value, path, {
    allow: (given, at) => (made.allow = list(given, at, text)),
    deny: (given, at) => (made.deny = list(given, at, text)),
  });
  return made;
}

function tls(value: ConfigValue, path: string, read: ReadText): ListenTlsOptions {
  const made: ListenTlsOptions = { cert: "", key: "" };
  let ca: string | undefined;
  let verify = false;
  each(value, path, {
    cert_file: (given, at) => (made.cert = read(text(given, at))),
    key_file: (given, at) => (made.key = read(text(given, at))),
    ca_file: (given, at) => (ca = read(text(given, at))),
    verify: (given, at) => (verify = truth(given, at)),
    handshake_first: (given, at) => (made.handshakeFirst = truth(given, at)),
  });
  if (verify && ca !== undefined) made.ca = ca;
  return made;
}

function websocket(
  value: ConfigValue,
  path: string,
  read: ReadText,
): NonNullable<ServerOptions["websocket"]> {
  const made: { host?: string; port?: number; tls?: ListenTlsOptions } = {};
  let plain = false;
  each(value, path, {
    listen: (given, at) => Object.assign(made, listen(given, at)),
    host: (given, at) => (made.host = text(given, at)),
    port: (given, at) => (made.port = port(given, at)),
    tls: (given, at) => (made.tls = tls(given, at, read)),
    no_tls: (given, at) => (plain = truth(given, at)),
  });
  if (made.tls === undefined && !plain) {
    throw new InvalidArgumentError(`${path} has neither tls nor no_tls: give one of them`);
  }
  return made;
}

// "4222", "host:4222"
function listen(value: ConfigValue, path: string): { host?: string; port: number } {
  if (typeof value === "number") return { port: port(value, path) };
  const [, host = "", digits = ""] =
    /^(.*):(-?\d+)$/.exec(text(value, path)) ?? refuse(path, value, "host:port");
  return { ...(host !== "" && { host: host.replace(/^\[|\]$/g, "") }), port: port(Number(digits), path) };
}

// -1 is any free port there
function port(value: ConfigValue, path: string): number {
  return Math.max(0, number(value, path));
}

function duration(value: ConfigValue, path: string): number {
  if (typeof value === "number") return value * 1000;
  return goDuration(text(value, path)) ?? refuse(path, value, "a duration such as 30s");
}

const text: Reader<string> = (value, path) =>
  typeof value === "object" ? refuse(path, value, "a text") : String(value);
const number: Reader<number> = (value, path) =>
  typeof value === "number" ? value : refuse(path, value, "a number");
const truth: Reader<boolean> = (value, path) =>
  typeof value === "boolean" ? value : refuse(path, value, "true or false");

function list<T>(value: ConfigValue, path: string, read: Reader<T>): T[] {
  return (Array.isArray(value) ? value : [value]).map((item, index) => read(item, `${path}[${index}]`));
}

function entries(value: ConfigValue, path: string): [string, ConfigValue][] {
  if (typeof value !== "object" || Array.isArray(value)) refuse(path, value, "a map in { }");
  return Object.entries(value);
}

function each(value: ConfigValue, path: string, fields: Fields): void {
  for (const [name, given] of entries(value, path)) {
    const at = path === "" ? name : `${path}.${name}`;
    const field = fields[name.toLowerCase()];
    if (field === undefined) {
      throw new InvalidArgumentError(
        `the embedded server doesn't know '${at}': leave it out, or use nats-server. Known here: ${Object.keys(fields).join(", ")}`,
      );
    }
    field(given, at);
  }
}

function aliases(names: readonly string[], field: Fields[string]): Fields {
  return Object.fromEntries(names.map((name) => [name, field]));
}

function refuse(path: string, value: ConfigValue, give: string): never {
  throw new InvalidArgumentError(`${path} is ${JSON.stringify(value)}: give ${give}`);
}
