// Exclusive: lets a consumer that can do one thing at a time do one thing at a time.
import { InvalidOperationError } from "../errors.ts";
import type { Api } from "./api.ts";
import { Flow } from "./flow.ts";
import type { FlowSetup } from "./flow-setup.ts";
import type { JsMsg } from "./js-msg.ts";

/**
 * Begins the flows of a consumer, one after the other. `what` is for the message: "an ordered consumer".
 *
 * What it gives throws INVALID_OPERATION while there is one, and what the start of a flow throws.
 */
export function exclusive(api: Api, what: string): (setup: FlowSetup<JsMsg>) => Promise<Flow<JsMsg>> {
  let flow: Flow<JsMsg> | "starting" | undefined;
  return async (setup) => {
    if (flow === "starting" || flow?.isDone === false) {
      throw new InvalidOperationError(`${what} does one thing at a time: end what it does first`);
    }
    flow = "starting";
    try {
      return (flow = await Flow.start(api, setup));
    } finally {
      if (flow === "starting") flow = undefined;
    }
  };
}
