// Exclusive: lets a consumer that can do one thing at a time do one thing at a time.
import { InvalidOperationError } from "../errors.ts";
import type { Api } from "./api.ts";
import { Flow } from "./flow.ts";
import type { FlowSetup } from "./flow-setup.ts";
import type { JsMsg } from "./js-msg.ts";

/** The one flow of a consumer. */
export class Exclusive {
  readonly #api: Api;
  readonly #what: string;
  #flow: Flow<JsMsg> | "starting" | undefined;

  /** `what` is for the message: "an ordered consumer" */
  constructor(api: Api, what: string) {
    this.#api = api;
    this.#what = what;
  }

  /** @throws {@link NatsError} INVALID_OPERATION while there is one, and what the start of a flow throws */
  async start(setup: FlowSetup<JsMsg>): Promise<Flow<JsMsg>> {
    if (this.#flow === "starting" || this.#flow?.isDone === false) {
      throw new InvalidOperationError(`${this.#what} does one thing at a time: end what it does first`);
    }
    this.#flow = "starting";
    try {
      return (this.#flow = await Flow.start(this.#api, setup));
    } finally {
      if (this.#flow === "starting") this.#flow = undefined;
    }
  }
}
