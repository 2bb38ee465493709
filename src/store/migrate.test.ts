import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { KAFKA_MIGRATIONS } from "./kafka-tables.ts";
import { checksumOf, migrate, OLDER_GO_ON, statementsOf } from "./migrate.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";
import { ROUTES } from "./routes.ts";
import { startTestEngine, type TestEngine } from "./test-engine.ts";

const FOLDER = join(import.meta.dir, "..", "..", "clickhouse");
let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

test.each([
  [MIGRATIONS, FOLDER],
  [KAFKA_MIGRATIONS, join(FOLDER, "kafka")],
])("a list of migrations holds every file of its folder, in order, with its text", (migrations, folder) => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  expect(migrations.map(({ number, name }) => `${String(number).padStart(4, "0")}_${name}.sql`)).toEqual(files.sort());
  for (const [i, file] of files.entries()) expect(migrations[i]?.sql).toBe(readFileSync(join(folder, file), "utf8"));
});

test("statementsOf() cuts at semicolons that end a line and leaves comments out", () => {
  expect(statementsOf("-- first\nSELECT ';' AS a;\n\nSELECT\n-- inside\n  2;  \n")).toEqual([
    "SELECT ';' AS a",
    "SELECT\n  2",
  ]);
});

test("migrate() makes all tables once, answers what it applied, and finds nothing to do after that", async () => {
  expect(await migrate(engine.store)).toEqual(MIGRATIONS.map(({ number }) => number));
  expect(await migrate(engine.store)).toEqual([]);
  const rows = await engine.store.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'sandpiper'",
  );
  const names = rows.map(({ name }) => name);
  expect(names).toContain("dead_letter");
  for (const { table, targets } of ROUTES) expect(names).toEqual(expect.arrayContaining([table, ...targets]));
  const recorded = await engine.store.query<{ number: number; checksum: string }>(
    "SELECT number, checksum FROM sandpiper.schema_migrations ORDER BY number",
  );
  expect(recorded).toEqual(MIGRATIONS.map(({ number, sql }) => ({ number, checksum: checksumOf(sql) })));
});

test("migrate() refuses an edited text, an unknown newer one, and a gap", async () => {
  await migrate(engine.store);
  const edited = MIGRATIONS.map((one) => (one.number === 2 ? { ...one, sql: `${one.sql}\n` } : one));
  await expect(migrate(engine.store, edited)).rejects.toThrow(
    /^Cannot migrate: the text of migration 2 \(sandwich_decisions\)/,
  );
  await expect(migrate(engine.store, MIGRATIONS.slice(0, 3))).rejects.toThrow(
    /older programs may use, was 4 .*install the release/,
  );
  const gap = MIGRATIONS.filter(({ number }) => number !== 5);
  await expect(migrate(engine.store, gap)).rejects.toThrow(/without gaps, was 6 in place 5/);
});

test("migrate() of an older program goes on where each newer migration says that it may, and says so of none before", async () => {
  await migrate(engine.store);
  const added = (name: string, words: string, number: number): Migration => ({
    ...{ number, name },
    sql: `${words}\nCREATE TABLE sandpiper.${name} (a UInt8) ENGINE = Null;\n`,
  });
  const history = "schema_migrations_of_a_rollback";
  const [first, second] = [added("kept", OLDER_GO_ON, 2), added("broken", "-- It breaks.", 3)];
  const old: readonly Migration[] = [added("base", "-- The first.", 1)];
  expect(await migrate(engine.store, [...old, first], history)).toEqual([1, 2]);
  expect(await migrate(engine.store, old, history)).toEqual([]);
  await expect(migrate(engine.store, [], history)).rejects.toThrow(/was 1 \(base\)/);
  expect(await migrate(engine.store, [...old, first, second], history)).toEqual([3]);
  await expect(migrate(engine.store, old, history)).rejects.toThrow(/was 3 \(broken\) already applied/);
});

test("migrate() takes a table of migrations that knows nothing of older programs", async () => {
  const history = "schema_migrations_of_before";
  const columns =
    "number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')";
  await engine.store.command("CREATE DATABASE IF NOT EXISTS sandpiper");
  await engine.store.command(`CREATE TABLE sandpiper.${history} (${columns}) ENGINE = MergeTree ORDER BY number`);
  const one = { number: 1, name: "one", sql: "CREATE TABLE sandpiper.of_before (a UInt8) ENGINE = Null;\n" };
  expect(await migrate(engine.store, [one], history)).toEqual([1]);
  await expect(migrate(engine.store, [], history)).rejects.toThrow(/was 1 \(one\)/);
});

test("migrate() goes on where a cut-off migration stopped, and records nothing of one that fails", async () => {
  await migrate(engine.store);
  const next = (sql: string): Migration[] => [...MIGRATIONS, { number: MIGRATIONS.length + 1, name: "next", sql }];
  const create = (name: string) => `CREATE TABLE sandpiper.${name} (a UInt8) ENGINE = Null;\n`;
  await expect(migrate(engine.store, next(`${create("next_one")}CREATE TABLE nonsense;\n`))).rejects.toMatchObject({
    code: 1303,
  });
  const count = async () =>
    (await engine.store.query<{ n: string }>("SELECT count() AS n FROM sandpiper.schema_migrations"))[0]?.n;
  expect(await count()).toBe(String(MIGRATIONS.length));
  expect(await migrate(engine.store, next(create("next_one") + create("next_two")))).toEqual([MIGRATIONS.length + 1]);
  expect(await count()).toBe(String(MIGRATIONS.length + 1));
});
