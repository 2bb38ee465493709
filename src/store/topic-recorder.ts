/**
 * Takes one topic from the bus into its tables, every message exactly once, however often this process or ClickHouse
 * dies in between. Where a message has one offset for ever (the embedded bus), it is told by that:
 *
 *   1. the bounds of a batch are durable before it is inserted (pollFixed), so a batch is always cut the same way;
 *   2. each row carries its message's offset: after any doubt, what is there is looked up and only the rest inserted;
 *   3. the insert's deduplication token, made of the offsets, stops a request that ClickHouse still had in its hands;
 *   4. only then is the batch committed on the bus.
 *
 * The look-up is needed beside the token: ClickHouse notes a token before the rows become visible, and a kill between
 * the two would leave the token without its rows. Then the insert is repeated under another token.
 *
 * Where a message may stand at two offsets (Kafka: bus.mayRepeat), it is told by its id: the large tables replace a row by
 * the same row (clickhouse/kafka/0001), the small ones are asked first. So a batch needs no fixed bounds and no look-up: in
 * doubt it is inserted again.
 */
import type { Bus, Consumer, Message } from "#bus/bus.ts";
import { SandpiperError } from "#core/error.ts";
import { DATABASE, type Store } from "./client.ts";
import { type DeadLetter, writeDeadLetters } from "./dead-letter.ts";
import { delimited } from "./delimited.ts";
import { STORE_ERROR } from "./errors.ts";
import { notThereYet, type Route } from "./routes.ts";

/** The consumer group of the tables. */
export const RECORDER_GROUP = "clickhouse";
/** Most messages of one insert. */
const BATCH_MESSAGES_MAX = 5_000;
/** Times an insert is repeated whose rows do not appear although ClickHouse took it. */
const REPEATS_MAX = 10;

export class TopicRecorder {
  recorded = 0;
  deadLetters = 0;
  readonly #consumer: Consumer;
  readonly #store: Store;
  readonly #route: Route;
  /** By its id, else by its offset. */
  readonly #isToldById: boolean;
  #columns = "";
  /** The batch in hand: kept until it is in the tables and committed. */
  #batch: readonly Message[] = [];
  /** Some of the batch may be in the tables: always so for the first one of a process. */
  #inDoubt = true;

  constructor(bus: Bus, store: Store, route: Route) {
    this.#consumer = bus.consumer({ group: RECORDER_GROUP, topics: [route.topic], start: "first" });
    this.#store = store;
    this.#route = route;
    this.#isToldById = bus.mayRepeat;
  }

  get topic(): string {
    return this.#route.topic;
  }

  /** One batch from the bus into the tables; answers its size, 0 when nothing waits. After a throw the same batch is next. */
  async step(): Promise<number> {
    if (this.#batch.length === 0)
      this.#batch = this.#isToldById
        ? await this.#consumer.poll(BATCH_MESSAGES_MAX)
        : await this.#consumer.pollFixed(BATCH_MESSAGES_MAX);
    if (this.#batch.length === 0) return 0;
    try {
      await this.#record(this.#batch);
      await this.#consumer.commit();
    } catch (thrown) {
      this.#inDoubt = true;
      throw thrown;
    }
    const count = this.#batch.length;
    this.#batch = [];
    this.#inDoubt = false;
    return count;
  }

  wait(timeoutMs: number): Promise<boolean> {
    return this.#consumer.wait(timeoutMs);
  }

  /** Messages that are not in the tables yet. */
  lag(): number {
    return this.#consumer.lag();
  }

  async #record(batch: readonly Message[]): Promise<void> {
    const good: Message[] = [];
    const letters: DeadLetter[] = [];
    for (const message of batch) {
      const why = this.#route.refusal(message.value);
      if (why === undefined) good.push(message);
      else letters.push({ message, why });
    }
    await this.#bury(letters);
    const mustLook = this.#inDoubt && !this.#isToldById;
    let missing = mustLook ? await this.#missing(good) : good;
    for (let repeat = 0; missing.length > 0; repeat++) {
      if (repeat > REPEATS_MAX)
        throw new SandpiperError(
          STORE_ERROR.refused,
          `Cannot record ${this.#route.topic}: rows that appear after their insert, was ${missing.length} missing after ${repeat} inserts`,
          "later",
        );
      const unreadable: DeadLetter[] = [];
      await this.#insert(missing, repeat, unreadable);
      await this.#bury(unreadable);
      if (!mustLook) return;
      const buried = new Set(unreadable.map(({ message }) => message));
      missing = (await this.#missing(good)).filter((message) => !buried.has(message));
    }
  }

  /** Those of the messages whose rows are in none of the typed tables. */
  async #missing(messages: readonly Message[]): Promise<readonly Message[]> {
    const [first, last] = [messages[0], messages.at(-1)];
    if (!first || !last) return [];
    const one = (table: string) =>
      `SELECT bus_offset FROM ${DATABASE}.${table} WHERE bus_offset BETWEEN {first:UInt64} AND {last:UInt64}`;
    const rows = await this.#store.query<{ bus_offset: string }>(this.#route.targets.map(one).join(" UNION ALL "), {
      first: first.offset,
      last: last.offset,
    });
    const present = new Set(rows.map((row) => Number(row.bus_offset)));
    return messages.filter((message) => !present.has(message.offset));
  }

  /** Inserts messages together. One that ClickHouse cannot read is found by halving, and named in `unreadable`. */
  async #insert(messages: readonly Message[], repeat: number, unreadable: DeadLetter[]): Promise<void> {
    const first = messages[0];
    if (!first) return;
    const { topic, table, message } = this.#route;
    const rows = `SELECT *, ${offsetOfRow(messages)} AS bus_offset FROM input('${await this.#ingestColumns()}')`;
    const notThere = this.#isToldById ? notThereYet(this.#route, DATABASE) : "";
    const token = `${topic}:${first.offset}:${Bun.hash(messages.map(({ offset }) => offset).join())}:${repeat}`;
    try {
      await this.#store.insertBytes(
        `INSERT INTO ${DATABASE}.${table} ${notThere === "" ? rows : `SELECT * FROM (${rows}) WHERE ${notThere}`} FORMAT Protobuf`,
        delimited(messages.map((one) => one.value)),
        {
          format_schema: message,
          // While ClickHouse still works on an earlier attempt it refuses the same id, and this one is tried again.
          query_id: this.#isToldById ? `record:${topic}` : `record:${token}`,
          ...(this.#isToldById
            ? { insert_deduplicate: 0 }
            : { insert_deduplication_token: token, deduplicate_blocks_in_dependent_materialized_views: 1 }),
          // One block: all rows of a partition appear together, and are numbered in order.
          max_insert_block_size: BATCH_MESSAGES_MAX * 2,
          max_block_size: BATCH_MESSAGES_MAX * 2,
          max_threads: 1,
          async_insert: 0,
        },
      );
      this.recorded += messages.length;
    } catch (thrown) {
      if (!(thrown instanceof SandpiperError) || thrown.code !== STORE_ERROR.unreadable) throw thrown;
      if (messages.length === 1) {
        unreadable.push({ message: first, why: thrown.message });
        return;
      }
      const middle = messages.length >> 1;
      await this.#insert(messages.slice(0, middle), repeat, unreadable);
      await this.#insert(messages.slice(middle), repeat, unreadable);
    }
  }

  async #bury(letters: readonly DeadLetter[]): Promise<void> {
    this.deadLetters += await writeDeadLetters(this.#store, letters);
  }

  /** The ingest table's columns but the offset, in the form that input() takes inside quotes. */
  async #ingestColumns(): Promise<string> {
    if (this.#columns !== "") return this.#columns;
    const rows = await this.#store.query<{ name: string; type: string }>(
      `SELECT name, type FROM system.columns
       WHERE database = '${DATABASE}' AND table = {table:String} AND name != 'bus_offset' ORDER BY position`,
      { table: this.#route.table },
    );
    if (rows.length === 0)
      throw new SandpiperError(
        STORE_ERROR.refused,
        `Cannot record ${this.#route.topic}: the table ${DATABASE}.${this.#route.table}, was not there`,
        "later",
      );
    this.#columns = rows.map(({ name, type }) => `\`${name}\` ${type}`).join(", ");
    return this.#columns;
  }
}

/** In ClickHouse's words: the offset of the row that is being inserted. Between good messages there may be buried ones. */
function offsetOfRow(messages: readonly Message[]): string {
  const offsets = messages.map(({ offset }) => offset);
  const first = offsets[0] ?? 0;
  if (offsets.every((offset, i) => offset === first + i)) return `${first} + rowNumberInAllBlocks()`;
  return `arrayElement([${offsets.join()}], rowNumberInAllBlocks() + 1)`;
}
