/**
 * Brings the database `sandpiper` to this version's tables: applies what is missing, in order, and records each with the
 * checksum of its text in `sandpiper.schema_migrations`. A database that was made by other texts is refused as it is.
 *
 * A program that was rolled back meets a database of a newer one. It goes on where each migration that it does not know
 * says in its text that older programs may (OLDER_GO_ON), which stands beside it in the table of migrations; else it
 * refuses, since its rows could end in columns that mean something else.
 *
 * ClickHouse has no transaction around several statements. A migration that was cut off is applied again from its first
 * statement, so a statement that finds its object already there counts as done; migrations create and alter, never fill.
 */
import { createHash } from "node:crypto";
import { SandpiperError } from "#core/error.ts";
import { DATABASE, type Store } from "./client.ts";
import { STORE_ERROR } from "./errors.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";

type Applied = {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly older_go_on: boolean;
};

/** A line of a migration that only adds what older programs need not know: tables of its own, columns with defaults. */
export const OLDER_GO_ON = "-- Older programs go on.";

/** Answers the numbers applied now. Throws a SandpiperError; what was applied before it stays and is recorded. */
export async function migrate(
  store: Store,
  migrations: readonly Migration[] = MIGRATIONS,
  history = "schema_migrations",
): Promise<number[]> {
  requireNoGap(migrations);
  await store.command(`CREATE DATABASE IF NOT EXISTS ${DATABASE}`);
  await store.command(`CREATE TABLE IF NOT EXISTS ${DATABASE}.${history} (
    number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC'), older_go_on Bool
  ) ENGINE = MergeTree ORDER BY number`);
  await store.command(`ALTER TABLE ${DATABASE}.${history} ADD COLUMN IF NOT EXISTS older_go_on Bool`);
  const applied = await store.query<Applied>(
    `SELECT DISTINCT number, name, checksum, older_go_on FROM ${DATABASE}.${history} ORDER BY number`,
  );
  requireSameHistory(applied, migrations);
  const pending = migrations.slice(applied.length);
  for (const migration of pending) {
    for (const statement of statementsOf(migration.sql)) await apply(store, statement);
    await store.command(
      `INSERT INTO ${DATABASE}.${history} (number, name, checksum, older_go_on)
       VALUES ({number:UInt32}, {name:String}, {checksum:String}, {older:Bool})`,
      {
        ...{ number: migration.number, name: migration.name, checksum: checksumOf(migration.sql) },
        older: migration.sql.split("\n").includes(OLDER_GO_ON),
      },
    );
  }
  return pending.map((migration) => migration.number);
}

/** Statements end with a semicolon at the end of a line; full-line comments are left out. */
export function statementsOf(sql: string): string[] {
  return sql
    .split("\n")
    .filter((line) => !line.startsWith("--"))
    .join("\n")
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

export const checksumOf = (sql: string): string => createHash("sha256").update(sql).digest("hex");

const ALREADY_THERE = /TABLE_ALREADY_EXISTS|\bCode: 57\b/;

async function apply(store: Store, statement: string): Promise<void> {
  try {
    await store.command(statement);
  } catch (thrown) {
    if (!(thrown instanceof SandpiperError) || !ALREADY_THERE.test(thrown.message)) throw thrown;
  }
}

function requireNoGap(migrations: readonly Migration[]): void {
  migrations.forEach((migration, i) => {
    if (migration.number !== i + 1)
      refuse(`Cannot migrate: migrations numbered from 1 without gaps, was ${migration.number} in place ${i + 1}`);
  });
}

function requireSameHistory(applied: readonly Applied[], migrations: readonly Migration[]): void {
  applied.forEach((row, i) => {
    const known = migrations[i];
    if (row.number !== i + 1)
      refuse(`Cannot migrate: a history without gaps in its table of migrations, was ${row.number} after ${i}`);
    if (!known && !row.older_go_on)
      refuse(
        `Cannot migrate: a database of this version or older, or a newer one that older programs may use, was ${row.number} (${row.name}) already applied: install the release that applied it again`,
      );
    if (known && checksumOf(known.sql) !== row.checksum)
      refuse(
        `Cannot migrate: the text of migration ${row.number} (${known.name}) as it was applied, sha256 ${row.checksum}, was changed to ${checksumOf(known.sql)}`,
      );
  });
}

function refuse(message: string): never {
  throw new SandpiperError(STORE_ERROR.migration, message);
}
