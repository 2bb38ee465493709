/**
 * The file of the embedded bus: one SQLite database in WAL mode with synchronous FULL, written by several processes at
 * once. A commit that returned is on disk; a process that is killed leaves the commits of the others as they were.
 *
 *   topic           number ▸ name, head (offset of the newest message ever), bytes and messages kept
 *   message         (topic, offset) ▸ key, value, published_ms; rowid is the order over all topics
 *   consumer_group  (name, topic) ▸ committed, fixed_to (end of a batch handed out by pollFixed, or null)
 *
 * The first offset of a topic is the time of the file's making in milliseconds, times 1,000: offsets of a bus that was
 * deleted and made again never meet those of its forerunner, which the tables may still hold.
 */
import { Database, SQLiteError } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { errorText, SandpiperError } from "#core/error.ts";
import { TOPICS, type Topic } from "#wire/topics.ts";
import type { GroupLag } from "./bus.ts";
import { BUS_ERROR } from "./errors.ts";

/** How long opening waits for other processes that are opening or writing. */
const OPEN_BUSY_MS_MAX = 5_000;
/** How long one later statement may hold up the event loop for another process's commit. */
const STATEMENT_BUSY_MS_MAX = 40;
/** How long a statement of an already running process is tried again, with the event loop free in between. */
const BUSY_MS_MAX = 10_000;
const BUSY_RETRY_MS = 5;
const SCHEMA_VERSION = 1;
const OFFSETS_PER_MS = 1_000;

export type EmbeddedFile = {
  readonly database: Database;
  readonly topicNumber: (topic: Topic) => number;
  /** Commits of this connection, which data_version does not count. */
  ownCommits: number;
  open: boolean;
};

export function openEmbeddedFile(path: string, nowMs: number): EmbeddedFile {
  let database: Database | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    database = new Database(path, { create: true });
    database.run(`PRAGMA busy_timeout = ${OPEN_BUSY_MS_MAX}`);
    enterWalMode(database);
    database.run("PRAGMA synchronous = FULL");
    database.transaction(createSchema).immediate(database, path, nowMs);
    database.run(`PRAGMA busy_timeout = ${STATEMENT_BUSY_MS_MAX}`);
    const numbers = new Map(
      database
        .query<{ number: number; name: string }, []>("SELECT number, name FROM topic")
        .all()
        .map((row) => [row.name, row.number]),
    );
    return { database, topicNumber: (topic) => numbers.get(topic) as number, ownCommits: 0, open: true };
  } catch (thrown) {
    database?.close();
    if (thrown instanceof SandpiperError) throw thrown;
    throw new SandpiperError(
      isDiskFull(thrown) ? BUS_ERROR.diskFull : BUS_ERROR.open,
      `Cannot open the bus ${path}: a writable SQLite file on a disk with room, was ${errorText(thrown)}`,
      "later",
      { cause: thrown },
    );
  }
}

/** Runs `work` in one write transaction; a lock held elsewhere is waited for up to BUSY_MS_MAX, without blocking. */
export async function writeTransaction<T>(file: EmbeddedFile, work: () => T): Promise<T> {
  const deadline = performance.now() + BUSY_MS_MAX;
  for (;;) {
    try {
      const result = file.database.transaction(work).immediate();
      file.ownCommits++;
      return result;
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() > deadline) throw asBusError(thrown);
    }
    await Bun.sleep(BUSY_RETRY_MS);
  }
}

/** The same at start, when there is no event loop to keep free yet. */
export function writeTransactionNow<T>(file: EmbeddedFile, work: () => T): T {
  try {
    file.database.run(`PRAGMA busy_timeout = ${OPEN_BUSY_MS_MAX}`);
    const result = file.database.transaction(work).immediate();
    file.ownCommits++;
    return result;
  } catch (thrown) {
    throw asBusError(thrown);
  } finally {
    file.database.run(`PRAGMA busy_timeout = ${STATEMENT_BUSY_MS_MAX}`);
  }
}

/** Of all processes. What is kept is the newest of a topic without gaps, so the two bounds need no count of rows. */
export function readGroupLags({ database }: EmbeddedFile): GroupLag[] {
  return database
    .query<GroupLag, []>(
      `SELECT g.name AS "group", t.name AS topic, max(0, min(t.head - g.committed, t.messages)) AS messages
       FROM consumer_group g JOIN topic t ON t.number = g.topic ORDER BY g.name, t.number`,
    )
    .all();
}

function asBusError(thrown: unknown): SandpiperError {
  if (thrown instanceof SandpiperError) return thrown;
  if (isDiskFull(thrown))
    return new SandpiperError(
      BUS_ERROR.diskFull,
      `Cannot write to the bus: room on its disk, was ${errorText(thrown)}`,
      "later",
      { cause: thrown },
    );
  if (isBusy(thrown))
    return new SandpiperError(
      BUS_ERROR.busy,
      `Cannot write to the bus: the lock within ${BUSY_MS_MAX} ms, was held by another process`,
      "later",
      { cause: thrown },
    );
  return new SandpiperError(
    BUS_ERROR.write,
    `Cannot write to the bus: a working disk, was ${errorText(thrown)}`,
    "later",
    { cause: thrown },
  );
}

/** Two processes that switch a new file to WAL at the same moment are told SQLITE_BUSY whatever the timeout is. */
function enterWalMode(database: Database): void {
  const deadline = performance.now() + OPEN_BUSY_MS_MAX;
  for (;;) {
    try {
      database.run("PRAGMA journal_mode = WAL");
      return;
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() > deadline) throw thrown;
      Bun.sleepSync(BUSY_RETRY_MS);
    }
  }
}

function createSchema(database: Database, path: string, nowMs: number): void {
  const version = database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
  if (version > SCHEMA_VERSION)
    throw new SandpiperError(
      BUS_ERROR.open,
      `Cannot open the bus ${path}: schema version ${SCHEMA_VERSION} or older, was ${version}`,
    );
  if (version < SCHEMA_VERSION) {
    database.run(`CREATE TABLE topic (
      number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, head INTEGER NOT NULL,
      bytes INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0)`);
    database.run(`CREATE TABLE message (
      topic INTEGER NOT NULL, offset INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
      published_ms INTEGER NOT NULL)`);
    database.run("CREATE UNIQUE INDEX message_offset ON message (topic, offset)");
    database.run(`CREATE TABLE consumer_group (
      name TEXT NOT NULL, topic INTEGER NOT NULL, committed INTEGER NOT NULL, fixed_to INTEGER,
      PRIMARY KEY (name, topic)) WITHOUT ROWID`);
    database.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  }
  const addTopic = database.query("INSERT INTO topic (name, head) VALUES (?, ?) ON CONFLICT DO NOTHING");
  for (const topic of TOPICS) addTopic.run(topic, nowMs * OFFSETS_PER_MS);
}

const isBusy = (thrown: unknown) => thrown instanceof SQLiteError && (thrown.code ?? "").startsWith("SQLITE_BUSY");

/** SQLite says SQLITE_FULL where a write found no room, and an I/O error where the shared memory file could not grow. */
function isDiskFull(thrown: unknown): boolean {
  return thrown instanceof SQLiteError && (thrown.code === "SQLITE_FULL" || /disk is full/.test(thrown.message));
}
