// Address: a server address as users write it, taken apart. Pure; used by client/pool and client/options.
import { InvalidArgumentError } from "../errors.ts";
import type { Scheme } from "../transport/transport.ts";

/** The parts of a server address. */
export interface Address {
  readonly scheme: Scheme;
  /** IPv6 without brackets */
  readonly hostname: string;
  readonly port: number;
  /** path and query, of a WebSocket address only */
  readonly path: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/** What a bare host means: TCP, or WebSocket as in browsers and `wsconnect`. */
export type Family = "tcp" | "ws";

const SCHEMES: Record<string, Scheme> = { nats: "nats", tls: "tls", ws: "ws", wss: "wss" };
// for wsconnect users have always written these as well
const WS_SCHEMES: Record<string, Scheme> = { ...SCHEMES, nats: "ws", tls: "wss", http: "ws", https: "wss" };
const PORTS: Record<Scheme, number> = { nats: 4222, tls: 4222, ws: 80, wss: 443 };

export function familyOf(scheme: Scheme): Family {
  return scheme === "ws" || scheme === "wss" ? "ws" : "tcp";
}

/** `host:port`, an IPv6 host in brackets. */
export function hostPort(hostname: string, port: number): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * Parse one server address. `bare` says what an address without a scheme is; `translate` reads `nats://`, `http://` and their
 * TLS forms as WebSocket.
 * @throws {NatsError} INVALID_ARGUMENT; the text never shows credentials
 */
export function parseAddress(text: string, bare: Scheme, translate = false): Address {
  // what is malformed may have its secret anywhere before an '@', or in place of the port
  const shown = String(text)
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, "$1")
    .replace(/:(?!\d*$|\/\/)[^:\]]*$/, ":...");
  const bad = (why: string) =>
    new InvalidArgumentError(`server address '${shown}' ${why}: write [scheme://]host[:port]`);
  if (typeof text !== "string" || text.trim() === "") throw bad("is empty");
  const [, name, rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  const schemes = translate ? WS_SCHEMES : SCHEMES;
  const scheme = name === undefined ? bare : schemes[name.toLowerCase()];
  if (scheme === undefined)
    throw bad(`has the scheme '${name}', which is none of ${Object.keys(schemes).join(", ")}`);

  const slash = rest.search(/[/?#]/);
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const tail = slash < 0 ? "" : rest.slice(slash);
  // a password with such a character would be taken for the path
  if (familyOf(scheme) === "tcp" && tail.includes("@"))
    throw bad("has '/', '?' or '#' in its credentials: percent-encode them");
  const at = authority.lastIndexOf("@");
  const [hostname, port] = splitPort(authority.slice(at + 1), bad);
  return {
    scheme,
    hostname,
    port: port ?? PORTS[scheme],
    // C-ADR18-1: query parameters mean nothing to NATS itself
    path: familyOf(scheme) === "tcp" ? "" : tail.startsWith("?") ? `/${tail}` : tail,
    ...(at < 0 ? {} : credentials(authority.slice(0, at), bad)),
  };
}

function splitPort(text: string, bad: (why: string) => Error): [hostname: string, port: number | undefined] {
  let hostname = text;
  let port: string | undefined;
  if (text.startsWith("[")) {
    const end = text.indexOf("]");
    if (end < 0) throw bad("has no ']'");
    hostname = text.slice(1, end);
    if (end + 1 < text.length) {
      if (text[end + 1] !== ":") throw bad("has something other than a port after ']'");
      port = text.slice(end + 2);
    }
  } else if (text.split(":").length === 2) {
    [hostname = "", port] = text.split(":");
  }
  if (hostname === "") throw bad("has no host");
  if (/[\s\\[\]]/.test(hostname)) throw bad("has a blank, '\\' or a bracket in the host");
  // an IPv4 address in IPv6 clothes
  hostname = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname)?.[1] ?? hostname;
  if (port === undefined || port === "") return [hostname, undefined];
  const number = Number(port);
  if (!/^\d+$/.test(port) || number < 1 || number > 65535)
    throw bad("has a port that is not one of 1 to 65535");
  return [hostname, number];
}

// C-CONN-7: user:pass@ is user and password, a lone user@ is a token
function credentials(
  userinfo: string,
  bad: (why: string) => Error,
): { user: string; pass: string } | { token: string } {
  const colon = userinfo.indexOf(":");
  try {
    if (colon < 0) return { token: decodeURIComponent(userinfo) };
    return {
      user: decodeURIComponent(userinfo.slice(0, colon)),
      pass: decodeURIComponent(userinfo.slice(colon + 1)),
    };
  } catch {
    throw bad("has credentials that are not percent-encoded right");
  }
}

/** The address without what is before its `@`. */
export function redacted(text: unknown): string {
  return String(text).replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i, "$1");
}
