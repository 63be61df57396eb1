// Peer: one connected client, from INFO to the end. Reads what it says, keeps its subscriptions, writes what is for it.
//
//   INFO --> CONNECT (login) --> operations ... --> closed        one writer of the stage: #login() and close()
//
// What is to be written gathers while one chunk of somebody's input is worked off, and is then written at once.
import { decodeText } from "../lib/bytes.ts";
import type { Timer } from "../lib/clock.ts";
import { DecodeError, Decoder } from "../protocol/decoder.ts";
import { ServerRole, type ServerSink } from "../protocol/server-role.ts";
import type { Transport, TransportEvents } from "../transport/transport.ts";
import type { Account, Subscriber } from "./account.ts";
import { CLIENT_DEFAULTS, type ClientOptions, parseConnect } from "./client-options.ts";
import { goQuote } from "./go-text.ts";
import type { Identity } from "./logins.ts";
import { Message } from "./message.ts";
import { Outbound } from "./outbound.ts";
import type { PeerHost } from "./peer-host.ts";
import { isPublishSubject, isSubscribeSubject } from "./subjects.ts";

/** Why a connection ended, in the words of the server's monitoring. */
export type ClosedState =
  | "Client Closed"
  | "Authentication Timeout"
  | "Authentication Failure"
  | "Slow Consumer (Pending Bytes)"
  | "Slow Consumer (Write Deadline)"
  | "Parse Error"
  | "Stale Connection"
  | "Protocol Violation"
  | "Bad Client Protocol Version"
  | "Maximum Connections Exceeded"
  | "Maximum Message Payload Exceeded"
  | "Maximum Control Line Exceeded"
  | "Server Shutdown"
  | "Message Header Violation"
  | "No Responders Requires Headers"
  | "Kicked";

class PeerSubscription implements Subscriber {
  readonly peer: Peer;
  readonly subject: string;
  readonly queue: string;
  readonly sid: string;
  /** messages after which it ends; 0 for none */
  max = 0;
  delivered = 0;

  constructor(peer: Peer, subject: string, queue: string, sid: string) {
    this.peer = peer;
    this.subject = subject;
    this.queue = queue;
    this.sid = sid;
  }

  deliver(message: Message): boolean {
    return this.peer.deliver(message, this);
  }
}

// prefixes of subjects that only the server publishes to, and of replies that only it uses
const OWN_SUBJECTS = ["_GR_.", "$NRG."];
const OWN_REPLIES = ["_R_.", "$JS.ACK.", "_GR_."];
const SYSTEM_QUEUE = "_sys_";

/** What went to a client and came from it: messages, and bytes of their headers and payloads. */
export interface Traffic {
  inMsgs: number;
  inBytes: number;
  outMsgs: number;
  outBytes: number;
}

export class Peer implements ServerSink, TransportEvents {
  readonly id: number;
  readonly nonce: string | undefined;
  options: ClientOptions = CLIENT_DEFAULTS;
  identity: Identity | undefined;
  /** nanoseconds from INFO to CONNECT */
  rtt = 0;
  /** when it came, in milliseconds */
  readonly opened: number;
  readonly traffic: Traffic = { inMsgs: 0, inBytes: 0, outMsgs: 0, outBytes: 0 };
  /** when something came from it last, in milliseconds */
  lastActivity = 0;
  readonly #host: PeerHost;
  readonly #transport: Transport;
  readonly #role: ServerRole;
  readonly #decoder: Decoder;
  readonly #outbound = new Outbound();
  readonly #subs = new Map<string, PeerSubscription>();
  #closed = false;
  #connected = false;
  #toldInfo = false;
  #scheduled = false;
  // what came while it was paused
  #paused: Uint8Array[] | undefined;
  #pingsOut = 0;
  #heard = false;
  #pingTimer: Timer | undefined;
  #loginTimer: Timer | undefined;
  #deadline: Timer | undefined;

  constructor(host: PeerHost, transport: Transport, id: number, nonce: string | undefined) {
    this.#host = host;
    this.#transport = transport;
    this.id = id;
    this.nonce = nonce;
    this.opened = this.lastActivity = host.clock.now();
    const { maxControlLine, maxPayload } = host.limits;
    this.#role = new ServerRole(this, maxControlLine, maxPayload);
    this.#decoder = new Decoder(this.#role);
  }

  /** Say INFO and begin to listen. */
  open(): void {
    this.#transport.open(this);
    this.#sendInfo({});
    const { loginTimeout } = this.#host.limits;
    if (this.#host.loginRequired) {
      this.#loginTimer = this.#host.clock.after(loginTimeout, () =>
        this.#fail("Authentication Timeout", "Authentication Timeout"),
      );
    }
  }

  /** how many subscriptions it has */
  get subscriptions(): number {
    return this.#subs.size;
  }

  get account(): Account | undefined {
    return this.identity?.account;
  }

  // -- input ---------------------------------------------------------------------------------------------------------

  onData(bytes: Uint8Array): void {
    if (this.#paused !== undefined) {
      this.#paused.push(bytes);
      return;
    }
    this.#heard = true;
    this.lastActivity = this.#host.clock.now();
    try {
      this.#decoder.push(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#malformed(error);
    }
  }

  #malformed(error: DecodeError): void {
    if (this.#closed) return;
    // who has not logged in is told of nothing else
    if (!this.#mayGoOn()) return;
    switch (error.limit) {
      case "payload":
        return this.#fail("Maximum Payload Violation", "Maximum Message Payload Exceeded");
      case "control line":
        return this.#fail("maximum control line exceeded", "Maximum Control Line Exceeded");
      case "header":
      case "arguments":
        return void this.close("Protocol Violation");
      default:
        return this.#fail("Unknown Protocol Operation", "Parse Error");
    }
  }

  onDrain(): void {
    this.#deadline?.cancel();
    this.#deadline = undefined;
    this.flush();
  }

  onClose(): void {
    void this.close("Client Closed");
  }

  onConnect(json: string): void {
    if (this.#closed) return;
    const options = parseConnect(json, this.options);
    if (options === undefined) return void this.close("Protocol Violation");
    for (const sub of [...this.#subs.values()]) this.#remove(sub);
    this.options = options;
    const { protocol, no_responders, headers, account, new_account, verbose } = options;
    if (protocol < 0 || protocol > 1) {
      return this.#fail("invalid client protocol", "Bad Client Protocol Version");
    }
    if (!this.#connected) this.rtt = Math.round((this.#host.clock.now() - this.opened) * 1e6);
    if (!this.#login()) return;
    if (account !== "" || new_account) return this.#fail("Authorization Violation", "Authentication Failure");
    if (no_responders && !headers) {
      return this.#fail("no responders requires headers support", "No Responders Requires Headers");
    }
    if (verbose) this.#outbound.line("+OK\r\n");
    if (!this.#connected) {
      this.#host.arrived(this);
      this.#schedulePing(Math.min(2000, this.#host.limits.pingInterval));
    }
    this.#connected = true;
    this.#schedule();
  }

  // True when it is logged in.
  #login(): boolean {
    this.identity = this.#host.login(this);
    if (this.identity === undefined) {
      this.#fail("Authorization Violation", "Authentication Failure");
      return false;
    }
    this.#loginTimer?.cancel();
    this.#role.maxPayload = this.#host.limits.maxPayload;
    return true;
  }

  // An operation came: is it logged in? Without CONNECT only where no login is asked for.
  #mayGoOn(): boolean {
    return !this.#closed && (this.identity !== undefined || this.#login());
  }

  onPing(): void {
    if (this.#closed || (this.#host.loginRequired && !this.#mayGoOn())) return;
    this.#outbound.line("PONG\r\n");
    if (this.#connected && !this.#toldInfo && this.options.protocol > 0) {
      this.#toldInfo = true;
      const { account } = this;
      this.#sendInfo({
        connect_info: true,
        remote_account: account?.name ?? "",
        ...(account !== undefined && this.#host.isSystem(account) && { acc_is_sys: true }),
      });
    }
    this.#schedule();
  }

  onPong(): void {
    this.#pingsOut = 0;
  }

  onSub(subject: string, queue: string, sid: string): void {
    if (!this.#mayGoOn()) return;
    const { permissions, account } = this.identity as Identity;
    const { maxSubscriptions } = this.#host.limits;
    const live = this.#subs.get(sid);
    if (live === undefined) {
      if (!isSubscribeSubject(subject)) return this.#error("Invalid Subject");
      if (queue === SYSTEM_QUEUE || permissions?.maySubscribe(subject, queue) === false) {
        const where = queue === "" ? "" : ` using queue ${goQuote(queue)}`;
        return this.#error(`Permissions Violation for Subscription to ${goQuote(subject)}${where}`);
      }
      if (maxSubscriptions > 0 && this.#subs.size >= maxSubscriptions) {
        return this.#error("maximum subscriptions exceeded");
      }
      const sub = new PeerSubscription(this, subject, queue, sid);
      this.#subs.set(sid, sub);
      account.router.add(sub);
    }
    this.#ok();
  }

  onUnsub(sid: string, max: string): void {
    if (!this.#mayGoOn()) return;
    const sub = this.#subs.get(sid);
    if (sub !== undefined) {
      const count = /^\d+$/.test(max) ? Number(max) : 0;
      if (count > sub.delivered) sub.max = count;
      else this.#remove(sub);
    }
    this.#ok();
  }

  onPub(
    bytes: Uint8Array,
    subjectStart: number,
    subjectEnd: number,
    replyStart: number,
    replyEnd: number,
    headerStart: number,
    dataStart: number,
    dataEnd: number,
    sizes: string,
  ): void {
    if (!this.#mayGoOn()) return;
    this.traffic.inMsgs++;
    this.traffic.inBytes += dataEnd - headerStart;
    const { permissions, account } = this.identity as Identity;
    const withHeader = sizes.includes(" ") || sizes.includes("\t");
    if (withHeader && !this.options.headers) return void this.close("Message Header Violation");
    const subject = decodeText(bytes, subjectStart, subjectEnd);
    const reply = decodeText(bytes, replyStart, replyEnd);
    const { clock } = this.#host;
    if (
      OWN_SUBJECTS.some((prefix) => subject.startsWith(prefix)) ||
      permissions?.mayPublish(subject, clock.now()) === false
    ) {
      return this.#error(`Permissions Violation for Publish to ${goQuote(subject)}`);
    }
    if (OWN_REPLIES.some((prefix) => reply.startsWith(prefix))) {
      return this.#error(`Permissions Violation for Publish with Reply of ${goQuote(reply)}`);
    }
    if (this.options.pedantic && !isPublishSubject(subject)) this.#error("Invalid Publish Subject");
    this.#ok();
    const message = new Message(
      subject,
      reply,
      bytes.subarray(headerStart, dataStart),
      bytes.subarray(dataStart, dataEnd),
      withHeader ? sizes.split(/[ \t]+/).join(" ") : sizes,
      this,
    );
    if (account.publish(message) === 0 && reply !== "" && this.options.no_responders) {
      this.#noResponders(account, subject, reply);
    }
  }

  // To a plain subscription of this very connection; it counts for no maximum.
  #noResponders(account: Account, subject: string, reply: string): void {
    for (const sub of account.router.match(reply).plain) {
      if (!(sub instanceof PeerSubscription) || sub.peer !== this) continue;
      const header = `NATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n`;
      this.#outbound.message(Message.of(reply, undefined, header), sub.sid, true);
      this.#schedule();
      return;
    }
  }

  // -- output --------------------------------------------------------------------------------------------------------

  /** A message for one of its subscriptions; false when it is not for this one. */
  deliver(message: Message, sub: PeerSubscription): boolean {
    if (this.#closed) return false;
    if (message.origin === this && !this.options.echo) return false;
    const { permissions } = this.identity as Identity;
    if (permissions !== undefined) {
      if (!permissions.mayReceive(message.subject, sub.subject)) return false;
      permissions.delivered(message.reply, this.#host.clock.now());
    }
    sub.delivered++;
    this.traffic.outMsgs++;
    this.traffic.outBytes += message.header.length + message.data.length;
    if (sub.max > 0 && sub.delivered >= sub.max) this.#remove(sub);
    this.#outbound.message(message, sub.sid, this.options.headers);
    if (this.#outbound.length > this.#host.limits.maxPending)
      void this.close("Slow Consumer (Pending Bytes)");
    else this.#schedule();
    return true;
  }

  #ok(): void {
    if (!this.options.verbose) return;
    this.#outbound.line("+OK\r\n");
    this.#schedule();
  }

  #error(text: string): void {
    this.#outbound.line(`-ERR '${text}'\r\n`);
    this.#schedule();
  }

  #fail(text: string, state: ClosedState): void {
    if (this.#closed) return;
    this.#error(text);
    void this.close(state);
  }

  #sendInfo(more: object): void {
    this.#outbound.line(`INFO ${this.#host.info(this, more)} \r\n`);
    this.#schedule();
  }

  /** Tell it that the server will go. Old clients are not told. */
  lameDuck(): void {
    if (!this.#closed && this.options.protocol > 0) this.#sendInfo({ ldm: true });
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#host.schedule(() => this.flush());
  }

  /** Write what has gathered. */
  flush(): void {
    this.#scheduled = false;
    if (this.#outbound.length === 0 || this.#closed || this.#paused !== undefined) return;
    const { clock, limits } = this.#host;
    const taken = this.#transport.write(this.#outbound.take());
    if (this.#transport.buffered > limits.maxPending) void this.close("Slow Consumer (Pending Bytes)");
    else if (!taken) {
      this.#deadline ??= clock.after(limits.writeDeadline, () => {
        void this.close("Slow Consumer (Write Deadline)");
      });
    }
  }

  // -- liveness ------------------------------------------------------------------------------------------------------

  #schedulePing(delay: number): void {
    const { clock } = this.#host;
    this.#pingTimer = clock.after(delay * (1 + 0.2 * Math.random()), () => this.#ping());
  }

  // None where something came since the last one.
  #ping(): void {
    const { pingInterval, maxPingsOut } = this.#host.limits;
    if (this.#heard) this.#pingsOut = 0;
    else if (++this.#pingsOut > maxPingsOut) return this.#fail("Stale Connection", "Stale Connection");
    this.#heard = false;
    this.#outbound.line("PING\r\n");
    this.#schedule();
    this.#schedulePing(pingInterval);
  }

  // -- end -----------------------------------------------------------------------------------------------------------

  #remove(sub: PeerSubscription): void {
    if (this.#subs.delete(sub.sid)) this.account?.router.remove(sub);
  }

  /** End the connection. What was to be written is written first, unless it reads too slowly. Resolves when it is gone. */
  async close(state: ClosedState): Promise<void> {
    if (this.#closed) return;
    for (const timer of [this.#pingTimer, this.#loginTimer, this.#deadline]) timer?.cancel();
    for (const sub of [...this.#subs.values()]) this.#remove(sub);
    const slow = state.startsWith("Slow");
    if (!slow) this.flush();
    this.#closed = true;
    this.#host.forget(this, state);
    if (slow) this.#transport.destroy();
    else await this.#transport.close(true);
  }

  /** There is no room for it. */
  refuse(): void {
    this.#fail("maximum connections exceeded", "Maximum Connections Exceeded");
  }

  /** Break the link at once, as a network does. */
  cut(): void {
    this.#transport.destroy();
  }

  /** Neither read nor write, until `resume()`. */
  pause(): void {
    this.#paused ??= [];
  }

  resume(): void {
    const paused = this.#paused;
    this.#paused = undefined;
    for (const bytes of paused ?? []) this.onData(bytes);
    this.flush();
  }
}
