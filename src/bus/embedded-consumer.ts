/**
 * The reading side of the embedded bus: a position per topic in memory, the committed one in the file. A poll that finds
 * the file unchanged costs one PRAGMA (data_version: a look into shared memory), so that several processes may poll often.
 */
import { SandpiperError } from "#core/error.ts";
import type { Topic } from "#wire/topics.ts";
import { type Consumer, type ConsumerOptions, type Message, RECENT_MESSAGES } from "./bus.ts";
import { type EmbeddedFile, writeTransaction, writeTransactionNow } from "./embedded-file.ts";
import { BUS_ERROR } from "./errors.ts";

/** wait() looks this often at first and after each find, then ever more seldom. */
const WAIT_INTERVAL_MS_MIN = 2;
const WAIT_INTERVAL_MS_MAX = 25;
/** Largest poll of a topic, whatever is asked for: bounds memory. */
const POLL_MESSAGES_MAX = 10_000;
const POLL_BYTES_MAX = 16 * 1024 * 1024;

type Row = { rowid: number; offset: number; key: string; value: Uint8Array; published_ms: number };
type Position = { readonly topic: Topic; readonly number: number; read: number; committed: number };

export class EmbeddedConsumer implements Consumer {
  readonly #file: EmbeddedFile;
  readonly #options: ConsumerOptions;
  readonly #positions: readonly Position[];
  readonly #select;
  readonly #fixedTo;
  readonly #writeFixed;
  readonly #writeCommitted;
  readonly #version;
  /** The state of the file in which the last poll found no more, or "" when there may be more. */
  #exhaustedAt = "";
  #waitMs = WAIT_INTERVAL_MS_MIN;
  #closed = false;

  constructor(file: EmbeddedFile, options: ConsumerOptions) {
    this.#file = file;
    this.#options = options;
    const { database } = file;
    const join = () => options.topics.map((topic) => this.#join(topic));
    this.#positions = options.ephemeral ? join() : writeTransactionNow(file, join);
    this.#select = database.query<Row, [number, number, number, number]>(
      `SELECT rowid, offset, key, value, published_ms FROM message
       WHERE topic = ? AND offset > ? AND offset <= ? ORDER BY offset LIMIT ?`,
    );
    this.#fixedTo = database.query<{ fixed_to: number | null }, [string, number]>(
      "SELECT fixed_to FROM consumer_group WHERE name = ? AND topic = ?",
    );
    this.#writeFixed = database.query<unknown, [number, string, number]>(
      "UPDATE consumer_group SET fixed_to = ? WHERE name = ? AND topic = ?",
    );
    this.#writeCommitted = database.query<unknown, [number, string, number, number]>(
      "UPDATE consumer_group SET committed = ?, fixed_to = NULL WHERE name = ? AND topic = ? AND committed <= ?",
    );
    this.#version = database.query<{ data_version: number }, []>("PRAGMA data_version");
  }

  /** Settled by the constructor. */
  async ready(): Promise<void> {}

  async poll(max: number): Promise<readonly Message[]> {
    if (!this.#usable()) return [];
    const state = this.#state();
    if (state === this.#exhaustedAt) return [];
    const limit = Math.min(max, POLL_MESSAGES_MAX);
    const found = this.#positions.flatMap((position) =>
      this.#read(position, Number.MAX_SAFE_INTEGER, limit).map((row) => ({ row, position })),
    );
    if (this.#positions.length > 1) found.sort((left, right) => left.row.rowid - right.row.rowid);
    const taken = found.slice(0, limit);
    for (const { row, position } of taken) position.read = row.offset;
    this.#exhaustedAt = taken.length === 0 ? state : "";
    return taken.map(({ row, position }) => asMessage(position.topic, row));
  }

  async pollFixed(max: number): Promise<readonly Message[]> {
    const [position, ...others] = this.#positions;
    if (!position || others.length > 0 || this.#options.ephemeral)
      throw new SandpiperError(
        BUS_ERROR.consumer,
        `Cannot fix a batch: a remembered group on one topic, was ${this.#positions.length} topics`,
      );
    if (!this.#usable()) return [];
    const state = this.#state();
    if (state === this.#exhaustedAt) return [];
    const fixedTo = this.#fixedTo.get(this.#options.group, position.number)?.fixed_to ?? null;
    const again = fixedTo !== null && fixedTo > position.read;
    const rows = again
      ? this.#read(position, fixedTo, POLL_MESSAGES_MAX)
      : this.#read(position, Number.MAX_SAFE_INTEGER, Math.min(max, POLL_MESSAGES_MAX));
    // Retention may have removed a fixed batch that was never read: then the group goes on behind it.
    const last = rows.at(-1)?.offset ?? (again ? fixedTo : undefined);
    this.#exhaustedAt = last === undefined ? state : "";
    if (last === undefined) return [];
    if (!again) {
      const { group } = this.#options;
      await writeTransaction(this.#file, () => this.#writeFixed.run(last, group, position.number));
    }
    position.read = last;
    return rows.map((row) => asMessage(position.topic, row));
  }

  async wait(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.#usable()) {
      if (this.#state() !== this.#exhaustedAt) {
        this.#waitMs = WAIT_INTERVAL_MS_MIN;
        return true;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await Bun.sleep(Math.min(this.#waitMs, leftMs));
      this.#waitMs = Math.min(this.#waitMs * 2, WAIT_INTERVAL_MS_MAX);
    }
    return false;
  }

  async commit(): Promise<void> {
    const moved = this.#positions.filter((position) => position.read !== position.committed);
    if (this.#options.ephemeral || moved.length === 0) return;
    const { group } = this.#options;
    const reached = moved.map((position) => ({ position, read: position.read }));
    await writeTransaction(this.#file, () => {
      for (const { position, read } of reached) this.#writeCommitted.run(read, group, position.number, read);
    });
    for (const { position, read } of reached) position.committed = read;
  }

  lag(): number {
    const kept = this.#file.database.query<{ count: number }, [number, number]>(
      "SELECT count(*) AS count FROM message WHERE topic = ? AND offset > ?",
    );
    return this.#positions.reduce(
      (sum, { number, read, committed }) =>
        sum + (kept.get(number, this.#options.ephemeral ? read : committed)?.count ?? 0),
      0,
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #read(position: Position, upTo: number, limit: number): Row[] {
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of this.#select.iterate(position.number, position.read, upTo, limit)) {
      rows.push(row);
      bytes += row.value.length;
      if (bytes >= POLL_BYTES_MAX) break;
    }
    return rows;
  }

  #usable(): boolean {
    return this.#file.open && !this.#closed;
  }

  #state(): string {
    return `${this.#version.get()?.data_version}:${this.#file.ownCommits}`;
  }

  /** Where this group reads on in a topic; a group that is new is put on record, so that retention waits for it. */
  #join(topic: Topic): Position {
    const { group, start, ephemeral } = this.#options;
    const number = this.#file.topicNumber(topic);
    const committed = ephemeral ? undefined : this.#committed(number);
    if (committed !== undefined) return { topic, number, read: committed, committed };
    const back = { first: Number.MAX_SAFE_INTEGER, recent: RECENT_MESSAGES, next: 0 }[start];
    const read = Math.max(0, this.#head(number) - back);
    if (!ephemeral)
      this.#file.database
        .query("INSERT INTO consumer_group (name, topic, committed) VALUES (?, ?, ?)")
        .run(group, number, read);
    return { topic, number, read, committed: read };
  }

  #committed(number: number): number | undefined {
    return this.#file.database
      .query<{ committed: number }, [string, number]>(
        "SELECT committed FROM consumer_group WHERE name = ? AND topic = ?",
      )
      .get(this.#options.group, number)?.committed;
  }

  #head(number: number): number {
    return (
      this.#file.database.query<{ head: number }, [number]>("SELECT head FROM topic WHERE number = ?").get(number)
        ?.head ?? 0
    );
  }
}

const asMessage = (topic: Topic, row: Row): Message => ({
  topic,
  key: row.key,
  value: row.value,
  offset: row.offset,
  publishedMs: row.published_ms,
});
