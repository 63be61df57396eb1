#!/usr/bin/env node
// isonats-server: the embedded server as a program of its own, for clients in any language.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isNatsError } from "../errors.ts";
import { version } from "../version.ts";
import { optionsOf } from "./config-options.ts";
import { readConfig } from "./config-text.ts";
import { helpText, readFlags } from "./flags.ts";
import { NatsServer } from "./index.node.ts";
import type { ServerOptions } from "./options.ts";

const DEFAULT_PORT = 4222;

function fromFile(path: string | undefined): ServerOptions {
  if (path === undefined) return {};
  const config = readConfig(readFileSync(path, "utf8"), process.env);
  // what a configuration names is beside it
  return optionsOf(config, (name) => readFileSync(resolve(dirname(path), name), "utf8"));
}

function banner(server: NatsServer, { token, users = [], accounts = {}, jetstream }: ServerOptions): string {
  const names = [...users, ...Object.values(accounts).flatMap((account) => account.users ?? [])];
  const login =
    token !== undefined
      ? "with the token"
      : names.length === 0
        ? "anybody"
        : names.length === 1
          ? "1 user"
          : `${names.length} users`;
  const rows = [
    ["clients", server.url],
    ["websocket", server.websocketUrl],
    ["login", login],
    [
      "JetStream",
      jetstream ? `in ${(jetstream === true ? undefined : jetstream.storeDir) ?? "memory"}` : undefined,
    ],
  ].filter(([, value]) => value !== undefined);
  return [
    `isonats-server ${version}, behaves as nats-server ${server.info.version}`,
    ...rows.map(([name = "", value]) => `  ${name.padEnd(10)} ${value}`),
    "  For development and tests. Ctrl-C ends it.",
    "",
  ].join("\n");
}

async function main(args: readonly string[]): Promise<void> {
  const { show, config, options: flags } = readFlags(args);
  if (show !== undefined) {
    process.stdout.write(show === "help" ? helpText() : `isonats-server ${version}\n`);
    return;
  }
  const options = { port: DEFAULT_PORT, ...fromFile(config), ...flags };
  const server = await NatsServer.start(options);
  process.stdout.write(banner(server, options));
  // its listeners keep no process alive
  const alive = setInterval(() => undefined, 0x7fff_ffff);
  const stop = (): void => {
    clearInterval(alive);
    void server.stop();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  process.on("SIGUSR2", () => server.faults.lameDuck());
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`isonats-server: ${isNatsError(error) ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
