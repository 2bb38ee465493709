/**
 * Brings the database `sandpiper` to this version's tables: applies what is missing, in order, and records each with the
 * checksum of its text in `sandpiper.schema_migrations`. A database that was made by other texts is refused as it is.
 *
 * ClickHouse has no transaction around several statements. A migration that was cut off is applied again from its first
 * statement, so a statement that finds its object already there counts as done; migrations create and alter, never fill.
 */
import { createHash } from "node:crypto";
import { SandpiperError } from "#core/error.ts";
import { DATABASE, type Store } from "./client.ts";
import { STORE_ERROR } from "./errors.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";

type Applied = { readonly number: number; readonly name: string; readonly checksum: string };

/** Answers the numbers applied now. Throws a SandpiperError; what was applied before it stays and is recorded. */
export async function migrate(
  store: Store,
  migrations: readonly Migration[] = MIGRATIONS,
  history = "schema_migrations",
): Promise<number[]> {
  requireNoGap(migrations);
  await store.command(`CREATE DATABASE IF NOT EXISTS ${DATABASE}`);
  await store.command(`CREATE TABLE IF NOT EXISTS ${DATABASE}.${history} (
    number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
  ) ENGINE = MergeTree ORDER BY number`);
  const applied = await store.query<Applied>(
    `SELECT DISTINCT number, name, checksum FROM ${DATABASE}.${history} ORDER BY number`,
  );
  requireSameHistory(applied, migrations);
  const pending = migrations.slice(applied.length);
  for (const migration of pending) {
    for (const statement of statementsOf(migration.sql)) await apply(store, statement);
    await store.command(
      `INSERT INTO ${DATABASE}.${history} (number, name, checksum)
       VALUES ({number:UInt32}, {name:String}, {checksum:String})`,
      { number: migration.number, name: migration.name, checksum: checksumOf(migration.sql) },
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
    if (!known)
      refuse(`Cannot migrate: a database of this version or older, was ${row.number} (${row.name}) already applied`);
    if (known && checksumOf(known.sql) !== row.checksum)
      refuse(
        `Cannot migrate: the text of migration ${row.number} (${known.name}) as it was applied, sha256 ${row.checksum}, was changed to ${checksumOf(known.sql)}`,
      );
  });
}

function refuse(message: string): never {
  throw new SandpiperError(STORE_ERROR.migration, message);
}
