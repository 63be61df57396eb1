// Service: one instance with its endpoints and its control subjects. Owns all its subscriptions: they end together.
import type { Msg, NatsConnection, QueuedIterator, Subscription, WaitOptions } from "../client/connection.ts";
import { InvalidArgumentError, InvalidOperationError } from "../errors.ts";
import { type Deferred, deferred } from "../lib/deferred.ts";
import { nuid } from "../lib/nuid.ts";
import { validateSubscribeSubject } from "../protocol/subject.ts";
import { controlSubject, VERBS } from "./control.ts";
import { Endpoint } from "./endpoint.ts";
import {
  type EndpointOptions,
  type Service,
  type ServiceConfig,
  type ServiceGroup,
  type ServiceHandler,
  type ServiceIdentity,
  type ServiceInfo,
  type ServiceMetadata,
  type ServiceMsg,
  ServiceResponseType,
  type ServiceStats,
  type ServiceVerb,
} from "./service-types.ts";

const NAME = /^[\w-]+$/;
// the pattern that semver.org suggests, made of its parts
const NUMBER = "(?:0|[1-9]\\d*)";
const PART = "(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)";
const VERSION = new RegExp(
  `^${NUMBER}(?:\\.${NUMBER}){2}(?:-${PART}(?:\\.${PART})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

export class ServiceInstance implements Service {
  readonly stopped: Promise<null | Error>;
  readonly #stopped: Deferred<null | Error> = deferred();
  readonly #nc: NatsConnection;
  readonly #config: ServiceConfig;
  readonly #id = nuid.next();
  readonly #metadata: ServiceMetadata;
  readonly #endpoints: Endpoint[] = [];
  readonly #control: Subscription[] = [];
  readonly #root: Group;
  #started = new Date();
  #stopping = false;
  #over = false;

  constructor(nc: NatsConnection, config: ServiceConfig) {
    const { name, version } = config;
    checkName(name, "the name of a service");
    if (!VERSION.test(version)) {
      throw new InvalidArgumentError(`version is '${version}': give a SemVer such as '1.0.0'`);
    }
    this.stopped = this.#stopped;
    this.#nc = nc;
    this.#config = { ...config };
    this.#metadata = copied(config.metadata);
    this.#root = new Group("", config.queue ?? "q", (...endpoint) => this.#add(...endpoint));
  }

  /** Listen on the control subjects. */
  start(): void {
    const { name, prefix } = this.#config;
    for (const verb of VERBS) {
      for (const who of [[], [name], [name, this.#id]]) {
        const sub = this.#nc.subscribe(controlSubject(verb, prefix, ...who), {
          callback: async (error, msg) => {
            if (error === null) await this.#answer(verb, msg);
          },
        });
        this.#control.push(sub);
        void sub.closed.then((error) => {
          // C-ADR32-19: one that is refused is a status of the connection; the others go on
          if (error === undefined) void this.stop();
        });
      }
    }
  }

  async #answer(verb: ServiceVerb, msg: Msg): Promise<void> {
    const failures: unknown[] = [];
    const answers = { PING: () => this.ping(), INFO: () => this.info(), STATS: () => this.#stats(failures) };
    msg.respond(JSON.stringify(await answers[verb]()));
    // C-ADR32-16: answered all the same, and reported by the subscription
    if (failures.length > 0) throw failures[0];
  }

  #identity(verb: ServiceVerb): ServiceIdentity {
    const { name, version } = this.#config;
    return { type: ServiceResponseType[verb], name, id: this.#id, version, metadata: this.#metadata };
  }

  ping(): ServiceIdentity {
    return this.#identity("PING");
  }

  info(): ServiceInfo {
    return {
      ...this.#identity("INFO"),
      description: this.#config.description ?? "",
      endpoints: this.#endpoints.map(({ info }) => info),
    };
  }

  stats(): Promise<ServiceStats> {
    return this.#stats([]);
  }

  async #stats(failures: unknown[]): Promise<ServiceStats> {
    const { statsHandler } = this.#config;
    const endpoints = this.#endpoints.map(async (endpoint) => {
      let data: unknown;
      try {
        data = await statsHandler?.(endpoint.info);
        // what can't be sent would cost everything else its answer
        JSON.stringify(data);
      } catch (failure) {
        failures.push(failure);
        data = undefined;
      }
      return { ...endpoint.stats(), ...(data !== undefined && data !== null && { data }) };
    });
    return {
      ...this.#identity("STATS"),
      started: this.#started.toISOString(),
      endpoints: await Promise.all(endpoints),
    };
  }

  reset(): void {
    this.#started = new Date();
    for (const endpoint of this.#endpoints) endpoint.reset();
  }

  addGroup(subject?: string, queue?: string): ServiceGroup {
    return this.#root.addGroup(subject, queue);
  }

  addEndpoint(name: string, options?: ServiceHandler | EndpointOptions): QueuedIterator<ServiceMsg> {
    return this.#root.addEndpoint(name, options);
  }

  #add(name: string, subject: string, queue: string, options: EndpointOptions): QueuedIterator<ServiceMsg> {
    if (this.#stopping) throw new InvalidOperationError(`the service '${this.#config.name}' has stopped`);
    const info = { name, subject, queue_group: queue, metadata: copied(options.metadata) };
    const endpoint = new Endpoint(this.#nc, info, options);
    this.#endpoints.push(endpoint);
    void endpoint.subscription.closed.then((error) => this.stop(error));
    return endpoint.requests();
  }

  get isStopped(): boolean {
    return this.#over;
  }

  stop(error?: Error, options: WaitOptions = {}): Promise<null | Error> {
    if (!this.#stopping) {
      this.#stopping = true;
      void this.#end(options).then(() => {
        this.#over = true;
        this.#stopped.resolve(error ?? null);
      });
    }
    return this.stopped;
  }

  async #end(options: WaitOptions): Promise<void> {
    const subs = [...this.#endpoints.map(({ subscription }) => subscription), ...this.#control];
    // one that has ended already says so, and so does the connection
    await Promise.allSettled(subs.map((sub) => sub.drain(options)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

class Group implements ServiceGroup {
  readonly #subject: string;
  readonly #queue: string;
  readonly #add: ServiceInstanceAdd;

  constructor(subject: string, queue: string, add: ServiceInstanceAdd) {
    this.#subject = subject;
    this.#queue = queue;
    this.#add = add;
  }

  addGroup(subject = "", queue: string = this.#queue): ServiceGroup {
    if (subject !== "") {
      validateSubscribeSubject(subject, "the subject of a group");
      if (subject.endsWith(">"))
        throw new InvalidArgumentError(`the subject of a group, '${subject}', ends in '>'`);
    }
    return new Group(this.#join(subject), queue, this.#add);
  }

  addEndpoint(name: string, given: ServiceHandler | EndpointOptions = {}): QueuedIterator<ServiceMsg> {
    checkName(name, "the name of an endpoint");
    const options = typeof given === "function" ? { handler: given } : given;
    return this.#add(name, this.#join(options.subject ?? name), options.queue ?? this.#queue, options);
  }

  #join(subject: string): string {
    return [this.#subject, subject].filter((part) => part !== "").join(".");
  }
}

type ServiceInstanceAdd = (
  name: string,
  subject: string,
  queue: string,
  options: EndpointOptions,
) => QueuedIterator<ServiceMsg>;

function checkName(name: string, what: string): void {
  if (typeof name !== "string" || !NAME.test(name)) {
    throw new InvalidArgumentError(`${what} is '${name}': use letters, digits, '-' and '_'`);
  }
}

function copied(metadata: Record<string, string> | undefined): ServiceMetadata {
  return Object.freeze({ ...metadata });
}
