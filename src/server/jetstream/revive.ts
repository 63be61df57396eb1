// Revive: a stream from before with its consumers, of a storage or a snapshot, goes on.
import type { ServedConfig } from "./consumer-config.ts";
import { Consumer, type ConsumerState } from "./consumer.ts";
import type { JetStream } from "./jetstream.ts";
import type { ServedStream } from "./served.ts";
import type { KeptStream } from "./storage.ts";
import { Stream } from "./stream.ts";

export function revive(js: JetStream, { config, created, store, consumers }: KeptStream): ServedStream {
  const stream = new Stream(js, config, created, store);
  js.streams.set(config.name, stream);
  for (const { name, config: of, created: since, state } of consumers) {
    new Consumer(js, stream, name, of as ServedConfig, since, state as ConsumerState | undefined);
  }
  return stream;
}
