/** Messages that cannot be recorded: kept as they came, with the reason, so that the topic goes on without them. */
import type { Message } from "#bus/bus.ts";
import { DATABASE, type Store } from "./client.ts";
import { delimited } from "./delimited.ts";

/** Longest reason that is kept. */
const ERROR_LENGTH_MAX = 1_000;

/** Once per message: a repeated call finds it there and answers false. */
export async function writeDeadLetter(store: Store, message: Message, why: string): Promise<boolean> {
  const found = await store.query(
    `SELECT 1 FROM ${DATABASE}.dead_letter WHERE topic = {topic:String} AND bus_offset = {offset:UInt64} LIMIT 1`,
    { topic: message.topic, offset: message.offset },
  );
  if (found.length > 0) return false;
  const error = why.slice(0, ERROR_LENGTH_MAX);
  const text = new TextEncoder();
  const fields = delimited([text.encode(message.topic), text.encode(error), message.value]);
  const row = new Uint8Array(16 + fields.length);
  const view = new DataView(row.buffer);
  view.setBigInt64(0, BigInt(message.publishedMs) * 1_000n, true);
  view.setBigUint64(8, BigInt(message.offset), true);
  row.set(fields, 16);
  await store.insertBytes(
    `INSERT INTO ${DATABASE}.dead_letter (at, bus_offset, topic, error, raw) FORMAT RowBinary`,
    row,
    { async_insert: 0, insert_deduplication_token: `dead:${message.topic}:${message.offset}` },
  );
  return true;
}
