// Flags: the command line of isonats-server. Those that nats-server has are called as there; one dash or two.
import { InvalidArgumentError } from "../errors.ts";
import type { JetStreamOptions, ServerOptions } from "./options.ts";

/** What a command line asks for. */
export interface Command {
  /** `help` and `version` are shown in place of a server */
  readonly show: "help" | "version" | undefined;
  /** path of a configuration; what flags say wins */
  readonly config: string | undefined;
  readonly options: ServerOptions;
}

interface Draft {
  show: Command["show"];
  config: string | undefined;
  readonly options: ServerOptions;
  user?: string;
  password?: string;
  jetstream?: JetStreamOptions;
}

interface Flag {
  readonly names: readonly string[];
  /** what stands for its value in the help; none for a switch */
  readonly value?: string;
  readonly help: string;
  readonly set: (draft: Draft, value: string, flag: string) => void;
}

const FLAGS: readonly Flag[] = [
  {
    names: ["p", "port"],
    value: "PORT",
    help: "port for clients; 0 or -1 is any free one (default 4222)",
    set: ({ options }, value, flag) => (options.port = port(value, flag)),
  },
  {
    names: ["a", "addr", "net"],
    value: "HOST",
    help: "address to listen at (default 127.0.0.1; 0.0.0.0 is all)",
    set: ({ options }, value) => (options.host = value),
  },
  {
    names: ["ws"],
    value: "PORT",
    help: "a port for WebSocket too, without TLS",
    set: ({ options }, value, flag) => (options.websocket = { port: port(value, flag) }),
  },
  {
    names: ["js", "jetstream"],
    help: "serve JetStream, in memory",
    set: (draft) => (draft.jetstream ??= {}),
  },
  {
    names: ["sd", "store_dir"],
    value: "FOLDER",
    help: "where JetStream keeps its streams",
    set: (draft, value) => (draft.jetstream = { storeDir: value }),
  },
  {
    names: ["n", "name", "server_name"],
    value: "NAME",
    help: "name of the server (default: its id)",
    set: ({ options }, value) => (options.name = value),
  },
  {
    names: ["user"],
    value: "USER",
    help: "who may log in, with --pass",
    set: (draft, value) => (draft.user = value),
  },
  {
    names: ["pass"],
    value: "PASSWORD",
    help: "the password",
    set: (draft, value) => (draft.password = value),
  },
  {
    names: ["auth"],
    value: "TOKEN",
    help: "a token that everybody must know",
    set: ({ options }, value) => (options.token = value),
  },
  {
    names: ["c", "config"],
    value: "FILE",
    help: "a configuration, of which it knows a part; flags win",
    set: (draft, value) => (draft.config = value),
  },
  { names: ["v", "version"], help: "print the version", set: (draft) => (draft.show = "version") },
  { names: ["h", "help"], help: "print this", set: (draft) => (draft.show = "help") },
];

/** Read a command line. @throws {NatsError} INVALID_ARGUMENT */
export function readFlags(args: readonly string[]): Command {
  const draft: Draft = { show: undefined, config: undefined, options: {} };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    const [, name = "", glued] = /^--?([a-z_]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const flag = FLAGS.find(({ names }) => names.includes(name));
    if (flag === undefined)
      throw new InvalidArgumentError(`isonats-server doesn't know '${arg}': see --help`);
    let value = "";
    if (flag.value !== undefined) {
      value = glued ?? args[++i] ?? "";
      if (value === "") throw new InvalidArgumentError(`${arg} needs its ${flag.value}: see --help`);
    }
    flag.set(draft, value, arg);
  }
  const { show, config, options, user, password, jetstream } = draft;
  if (jetstream !== undefined) options.jetstream = jetstream;
  if (user !== undefined || password !== undefined) {
    if (user === undefined || password === undefined)
      throw new InvalidArgumentError("--user and --pass belong together: give both");
    options.users = [{ user, password }];
  }
  return { show, config, options };
}

function port(text: string, flag: string): number {
  if (!/^-?\d+$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError(`${flag} is '${text}': give a port, 0 to 65535`);
  }
  return Math.max(0, Number(text));
}

/** What `--help` prints. */
export function helpText(): string {
  const rows = FLAGS.map(({ names, value, help }): [string, string] => [
    names.map((name) => (name.length <= 2 ? `-${name}` : `--${name}`)).join(", ") +
      (value === undefined ? "" : ` ${value}`),
    help,
  ]);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    "isonats-server: a NATS server for development and tests",
    "",
    "usage: isonats-server [flags]",
    "",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
  ].join("\n");
}
