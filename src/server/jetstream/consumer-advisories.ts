// Consumer advisories: what a consumer tells those who watch it.
import type { Home } from "./home.ts";

/** One delivery, as acknowledgements name it. */
export interface Delivery {
  readonly seq: number;
  /** its number */
  readonly delivery: number;
  /** how often the message was sent by then */
  readonly deliveries: number;
}

const wire = ({ seq, delivery, deliveries }: Delivery): object => ({
  consumer_seq: delivery,
  stream_seq: seq,
  deliveries,
});

export class ConsumerAdvisories {
  readonly #home: Home;
  readonly #head: { readonly stream: string; readonly consumer: string };

  constructor(home: Home, stream: string, consumer: string) {
    this.#home = home;
    this.#head = { stream, consumer };
  }

  #advise(subject: string, type: string, body: object): void {
    const { stream, consumer } = this.#head;
    const to = `ADVISORY.CONSUMER.${subject}.${stream}.${consumer}`;
    this.#home.advise(to, `advisory.v1.${type}`, { ...this.#head, ...body });
  }

  created(): void {
    this.#advise("CREATED", "consumer_action", { action: "create" });
  }

  deleted(): void {
    this.#advise("DELETED", "consumer_action", { action: "delete" });
  }

  paused(paused: boolean, until: string): void {
    this.#advise("PAUSE", "consumer_pause", { paused, pause_until: until });
  }

  exhausted(seq: number, deliveries: number): void {
    this.#advise("MAX_DELIVERIES", "max_deliver", { stream_seq: seq, deliveries });
  }

  naked(delivery: Delivery): void {
    this.#advise("MSG_NAKED", "nak", wire(delivery));
  }

  /** `reason` `""` for none */
  terminated(delivery: Delivery, reason: string): void {
    this.#advise("MSG_TERMINATED", "terminated", { ...wire(delivery), ...(reason !== "" && { reason }) });
  }

  /** A sample: it took so many milliseconds. */
  acknowledged({ seq, delivery, deliveries }: Delivery, ms: number): void {
    const { stream, consumer } = this.#head;
    this.#home.advise(`METRIC.CONSUMER.ACK.${stream}.${consumer}`, "metric.v1.consumer_ack", {
      ...this.#head,
      consumer_seq: delivery,
      stream_seq: seq,
      ack_time: Math.round(ms * 1e6),
      deliveries,
    });
  }
}
