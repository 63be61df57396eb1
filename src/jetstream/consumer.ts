// Consumer: a pull consumer that has a name, as the user has it; and what an ordered one has in common with it. Made by
// jetstream/consumers.
import type { ConsumerConfig, ConsumerInfo } from "../protocol/jetstream/consumer.ts";
import type { Api } from "./api.ts";
import { NamedBinding } from "./binding.ts";
import type { ConsumeOptions, PullConsumer, PullOptions } from "./consuming.ts";
import { Flow } from "./flow.ts";
import type { FlowSetup } from "./flow-setup.ts";
import { type AckHost, type JsMsg, JsMsgImpl } from "./js-msg.ts";
import { consumePlan, fetchPlan, isPatient, limitsOf } from "./pull-plan.ts";
import { Puller } from "./puller.ts";
import { type Pins, type PullPlan, Pulls } from "./pulls.ts";

/** Begins to pull. */
export type Start = (plan: PullPlan, options: ConsumeOptions) => Promise<Flow<JsMsg>>;

/** What all pull consumers do; `known` is what is known of the configuration. */
export function pulling(
  start: Start,
  known: (options: PullOptions) => ConsumerConfig | undefined,
): Omit<PullConsumer, "info" | "delete"> {
  return {
    next: async (options = {}) =>
      first(await start(fetchPlan({ ...options, max_messages: 1 }, known(options)), options)),
    fetch: async (options = {}) => start(fetchPlan(options, known(options)), options),
    consume: async (options = {}) => start(consumePlan(options, known(options)), options),
    isPullConsumer: () => true,
    isPushConsumer: () => false,
  };
}

// The message of a fetch of one.
async function first(flow: Flow<JsMsg>): Promise<JsMsg | null> {
  const { value } = await flow[Symbol.asyncIterator]().next();
  flow.stop();
  return value ?? null;
}

/** What a flow is told of the options of the call. */
export function setupOf(
  api: Api,
  options: Pick<
    ConsumeOptions,
    "callback" | "signal" | "timeout" | "onMissing" | "abort_on_missing_resource"
  >,
  ackNone: boolean,
): Pick<FlowSetup<JsMsg>, "take" | "patient" | "callback" | "signal" | "timeout"> {
  const { nc, options: js } = api;
  const { callback, signal, timeout } = options;
  const acks: AckHost = { nc, timeout: js.timeout, ackNone };
  return {
    take: (msg, sink) => sink.put(new JsMsgImpl(acks, msg)),
    patient: isPatient(options),
    callback,
    signal,
    timeout,
  };
}

/** The pull consumer of an info. */
export function pullConsumer(api: Api, found: ConsumerInfo): PullConsumer {
  let last = found;
  const { stream_name: stream, name } = found;
  const pins: Pins = new Map();
  // who binds may have no more than the names
  const known = ({ bind = false }: PullOptions) => (bind ? undefined : last.config);
  const start: Start = (plan, options) =>
    Flow.start(api, {
      ...setupOf(api, options, last.config.ack_policy === "none"),
      binding: new NamedBinding(api, stream, name, !options.bind),
      pull: (flow) => new Puller(flow, new Pulls(plan, limitsOf(known(options)), pins)),
      heartbeat: plan.heartbeat,
    });
  return {
    ...pulling(start, known),
    info: async (cached = false) =>
      cached ? last : (last = await api.call("CONSUMER.INFO", [stream, name])),
    delete: async () => (await api.call("CONSUMER.DELETE", [stream, name])).success,
  };
}
