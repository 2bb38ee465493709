/**
 * Keeps the embedded bus within its size. Beyond `retainMiB` the oldest messages that every group has committed go;
 * beyond twice that, a group that does not read no longer holds the disk: the oldest go unread, counted and said.
 * The file does not shrink; freed pages are used again.
 */
import type { Log } from "#core/log.ts";
import type { EmbeddedFile } from "./embedded-file.ts";
import { writeTransaction } from "./embedded-file.ts";

/** Times retainMiB at which messages go although a group has not read them. */
const UNREAD_FACTOR = 2;
/** Most messages removed in one transaction: bounds how long it holds the lock. */
const TRIM_MESSAGES_MAX = 2_000;
const MIB = 1024 * 1024;

type Oldest = { number: number; name: string; floor: number | null; rowid: number; offset: number };

export class EmbeddedRetention {
  trimmed = 0;
  trimmedUnread = 0;
  readonly #file: EmbeddedFile;
  readonly #retainBytes: number;
  readonly #log: Log;
  readonly #kept;
  readonly #oldest;

  constructor(file: EmbeddedFile, retainMiB: number, log: Log) {
    this.#file = file;
    this.#retainBytes = retainMiB * MIB;
    this.#log = log;
    this.#kept = file.database.query<{ bytes: number }, []>("SELECT sum(bytes) AS bytes FROM topic");
    this.#oldest = file.database.query<Oldest, []>(
      `SELECT t.number, t.name, m.rowid, m.offset,
         (SELECT min(committed) FROM consumer_group g WHERE g.topic = t.number) AS floor
       FROM topic t JOIN message m ON m.topic = t.number
         AND m.offset = (SELECT min(offset) FROM message WHERE topic = t.number)
       ORDER BY m.rowid`,
    );
  }

  /** Cheap when nothing is to be done: one look at ten rows. */
  async trim(): Promise<void> {
    const over = (this.#kept.get()?.bytes ?? 0) - this.#retainBytes;
    if (over <= 0) return;
    const unreadToo = over > this.#retainBytes * (UNREAD_FACTOR - 1);
    const unread = await writeTransaction(this.#file, () => this.#trimOldest(over, unreadToo));
    if (unread > 0)
      this.#log.warn("bus: removed messages that not every group had read", {
        messages: unread,
        total: this.trimmedUnread,
        retainMiB: this.#retainBytes / MIB,
      });
  }

  /** Removes from the topic whose oldest message is oldest of all; answers how many were unread. */
  #trimOldest(overBytes: number, unreadToo: boolean): number {
    const topics = this.#oldest.all();
    const delivered = topics.find((topic) => topic.floor === null || topic.offset <= topic.floor);
    const chosen = delivered ?? (unreadToo ? topics[0] : undefined);
    if (!chosen) return 0;
    const upTo = delivered ? (chosen.floor ?? Number.MAX_SAFE_INTEGER) : Number.MAX_SAFE_INTEGER;
    const candidates = this.#file.database
      .query<{ offset: number; bytes: number }, [number, number, number]>(
        `SELECT offset, length(value) AS bytes FROM message WHERE topic = ? AND offset <= ? ORDER BY offset LIMIT ?`,
      )
      .all(chosen.number, upTo, TRIM_MESSAGES_MAX);
    let bytes = 0;
    let count = 0;
    while (count < candidates.length && bytes < overBytes) bytes += candidates[count++]?.bytes ?? 0;
    const last = candidates[count - 1]?.offset ?? 0;
    this.#file.database.query("DELETE FROM message WHERE topic = ? AND offset <= ?").run(chosen.number, last);
    this.#file.database
      .query("UPDATE topic SET bytes = bytes - ?, messages = messages - ? WHERE number = ?")
      .run(bytes, count, chosen.number);
    this.trimmed += delivered ? count : 0;
    this.trimmedUnread += delivered ? 0 : count;
    return delivered ? 0 : count;
  }
}
