// A consumer that uses what the web platform gives beside us: compiled where the program has types for it.
import { connect, type Msg, type NatsConnection } from "isonats";

export async function main(): Promise<boolean> {
  const control = new AbortController();
  const nc: NatsConnection = await connect({ signal: control.signal });
  const reader = nc.subscribe("orders.*").readable.getReader();
  const { done, value } = await reader.read();
  const msg: Msg | undefined = value;
  const writer = nc.writableStream("orders.new").getWriter();
  await writer.write(msg?.data ?? "text");
  return done;
}
