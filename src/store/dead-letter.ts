/**
 * Messages that cannot be recorded: kept as they came, with the reason, so that the topic goes on without them. Many at a
 * time: a flood of poison must not hold up the good messages behind it.
 */
import type { Message } from "#bus/bus.ts";
import { SandpiperError } from "#core/error.ts";
import { DATABASE, type Store } from "./client.ts";
import { delimited } from "./delimited.ts";
import { STORE_ERROR } from "./errors.ts";

/** Longest reason that is kept. */
const ERROR_LENGTH_MAX = 1_000;
/** Times an insert is repeated whose rows do not appear although ClickHouse took it. */
const REPEATS_MAX = 10;

export type DeadLetter = { readonly message: Message; readonly why: string };

/** Each once, of one topic: what is there already is left as it is. Answers how many were not. */
export async function writeDeadLetters(store: Store, letters: readonly DeadLetter[]): Promise<number> {
  let missing = await notThere(store, letters);
  const written = missing.length;
  for (let repeat = 0; missing.length > 0; repeat++) {
    if (repeat > REPEATS_MAX)
      throw new SandpiperError(
        STORE_ERROR.refused,
        `Cannot keep dead letters: rows that appear after their insert, was ${missing.length} missing after ${repeat} inserts`,
        "later",
      );
    await insert(store, missing, repeat);
    // ClickHouse notes a token before its rows become visible; a kill between the two leaves the token alone.
    missing = await notThere(store, missing);
  }
  return written;
}

async function notThere(store: Store, letters: readonly DeadLetter[]): Promise<readonly DeadLetter[]> {
  const topic = letters[0]?.message.topic;
  if (topic === undefined) return [];
  const offsets = letters.map(({ message }) => message.offset);
  const rows = await store.query<{ bus_offset: string }>(
    `SELECT bus_offset FROM ${DATABASE}.dead_letter WHERE topic = {topic:String} AND bus_offset IN (${offsets.join(", ")})`,
    { topic },
  );
  const there = new Set(rows.map((row) => Number(row.bus_offset)));
  return letters.filter(({ message }) => !there.has(message.offset));
}

async function insert(store: Store, letters: readonly DeadLetter[], repeat: number): Promise<void> {
  const offsets = letters.map(({ message }) => message.offset);
  const token = `dead:${letters[0]?.message.topic}:${offsets[0]}:${Bun.hash(offsets.join())}:${repeat}`;
  await store.insertBytes(
    `INSERT INTO ${DATABASE}.dead_letter (at, bus_offset, topic, error, raw) FORMAT RowBinary`,
    Buffer.concat(letters.map(encodeRow)),
    // While ClickHouse still works on an earlier attempt it refuses the same id, and this one is tried again.
    { async_insert: 0, query_id: token, insert_deduplication_token: token },
  );
}

/** RowBinary: i64 µs, u64 offset, then topic, error and raw, each after its length. */
function encodeRow({ message, why }: DeadLetter): Uint8Array {
  const text = new TextEncoder();
  const error = why.slice(0, ERROR_LENGTH_MAX);
  const fields = delimited([text.encode(message.topic), text.encode(error), message.value]);
  const row = new Uint8Array(16 + fields.length);
  const view = new DataView(row.buffer);
  view.setBigInt64(0, BigInt(message.publishedMs) * 1_000n, true);
  view.setBigUint64(8, BigInt(message.offset), true);
  row.set(fields, 16);
  return row;
}
