// API: takes the requests to `$JS.API` of one account to their verbs; answers, counts and audits them. Set up by enable.ts.
import { utf8Decoder } from "../../lib/bytes.ts";
import type { Subscriber } from "../account.ts";
import { goJson } from "../go-text.ts";
import { Message } from "../message.ts";
import { type Interest, Router } from "../router.ts";
import { isBeyondLevel } from "../version.ts";
import type { JetStream } from "./jetstream.ts";
import { Refusal, refusal, refuse } from "./refusal.ts";
import type { Call, Verb } from "./verb.ts";

export const API_PREFIX = "$JS.API.";

// what streams and consumers answer themselves, so that nobody does where there is none
const NOT_OURS = ["DIRECT.GET.", "CONSUMER.MSG.NEXT."];

interface Entry extends Interest {
  readonly verb: Verb;
}

/** @throws {Refusal} 10185 where the request wants more than this server has */
export function checkLevel(header: Uint8Array): void {
  if (isBeyondLevel(header)) refuse(10185);
}

/**
 * The subscriptions that take all requests. Subjects that are no request have interest too, and wait in vain: but not under the
 * prefix of the domain, which is a way to those that are.
 */
export function apiOf(js: JetStream, verbs: readonly Verb[]): Subscriber[] {
  const table = new Router<Entry>();
  for (const verb of verbs) table.add({ subject: verb.subject, queue: "", verb });
  const own: Subscriber = {
    subject: `${API_PREFIX}>`,
    queue: "",
    deliver(message) {
      const subject = message.subject.slice(API_PREFIX.length);
      if (NOT_OURS.some((prefix) => subject.startsWith(prefix))) return false;
      const verb = table.match(subject).plain[0]?.verb;
      if (verb !== undefined) serve(js, verb, message, tokensOf(verb.subject, subject));
      return true;
    },
  };
  if (js.domain === "") return [own];
  const prefix = `$JS.${js.domain}.API.`;
  const ofDomain: Subscriber = {
    subject: `${prefix}>`,
    queue: "",
    deliver({ subject, reply, header, data, sizes, origin }) {
      const rest = subject.slice(prefix.length);
      const known = table.match(rest).plain.length > 0 || NOT_OURS.some((other) => rest.startsWith(other));
      const to = `${API_PREFIX}${rest}`;
      return known && js.account.publish(new Message(to, reply, header, data, sizes, origin)) > 0;
    },
  };
  return [own, ofDomain];
}

function tokensOf(pattern: string, subject: string): string[] {
  const tokens = subject.split(".");
  return pattern
    .split(".")
    .flatMap((token, i) =>
      token === "*" ? (tokens[i] ?? "") : token === ">" ? tokens.slice(i).join(".") : [],
    );
}

function serve(js: JetStream, verb: Verb, message: Message, tokens: readonly string[]): void {
  const { subject, reply, header, data } = message;
  const body = utf8Decoder.decode(data);
  const { answer, failed } = answerTo(verb, { js, tokens, body, header, message });
  const counted = verb.counted === undefined || (verb.counted === "errors" && failed);
  if (counted) {
    js.calls.total++;
    if (failed) js.calls.errors++;
  }
  if (answer === undefined) return;
  const response = goJson({ type: `io.nats.jetstream.api.v1.${verb.type}_response`, ...answer });
  if (reply !== "") js.send(Message.of(reply, response));
  if (!counted) return;
  js.advise("ADVISORY.API", "advisory.v1.api_audit", {
    server: js.serverName,
    client: js.clientOf(message.origin),
    subject,
    request: body === "" ? undefined : body,
    response,
    domain: js.domain === "" ? undefined : js.domain,
  });
}

function answerTo(verb: Verb, call: Call): { answer: object | undefined; failed: boolean } {
  try {
    if (!call.js.enabled) refuse(10039);
    if (!verb.levelLater) checkLevel(call.header);
    return { answer: verb.handle(call), failed: false };
  } catch (error) {
    // what fails otherwise fails for want of something: a disk that is full, memory
    const { wire } = error instanceof Refusal ? error : refusal(10023);
    return { answer: { error: wire, ...verb.zeros }, failed: true };
  }
}
