/** Old rows go to a real S3 server and still answer, then go from there too: the life of a row in seconds. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { migrate } from "#store/migrate.ts";
import { ensureRetention } from "#store/retention.ts";
import { startTestEngine, type TestEngine, until } from "#store/test-engine.ts";
import { S3_KEY, type S3Server, startS3Server } from "./support/s3-server.ts";

const HOT_SECONDS = 3_600;
const KEEP_SECONDS = 7_200;

let s3: S3Server;
let engine: TestEngine;
beforeAll(async () => {
  s3 = await startS3Server();
  engine = await startTestEngine({ endpoint: s3.endpoint, ...S3_KEY });
});
afterAll(async () => {
  await engine?.close();
  await s3?.close();
});

const TABLE = "sandpiper.bundle_outcomes_typed";

/** Rows of one age in seconds, a part of their own. */
const insert = (name: string, ageSeconds: number, rows: number) =>
  engine.store.command(
    `INSERT INTO ${TABLE} (at, inserted_at, bundle_id, landed, tip_lamports)
     SELECT now64(6, 'UTC'), now64(6, 'UTC') - toIntervalSecond({age:Int64}), {name:String} || toString(number), 1, number FROM numbers({rows:UInt64})`,
    { age: ageSeconds, name, rows },
  );

type Seen = { name: string; rows: string; sum: string };
const seen = () =>
  engine.store.query<Seen>(
    `SELECT extract(bundle_id, '^[a-z]+') AS name, count() AS rows, sum(tip_lamports) AS sum
     FROM ${TABLE} GROUP BY name ORDER BY name`,
  );
const rowsByDisk = async () => {
  const rows = await engine.store.query<{ disk: string; rows: string }>(
    `SELECT disk_name AS disk, sum(rows) AS rows FROM system.parts
     WHERE active AND database = 'sandpiper' AND table = 'bundle_outcomes_typed' GROUP BY disk`,
  );
  return Object.fromEntries(rows.map(({ disk, rows: count }) => [disk, Number(count)]));
};

test("rows older than hotDays are on S3 and answer, rows older than keepDays are gone from both", async () => {
  await migrate(engine.store);
  // Rows from before the rules count too: an installation that gets S3 later.
  await insert("aged", HOT_SECONDS + 60, 2_000);
  expect(await ensureRetention(engine.store, { hotSeconds: HOT_SECONDS, keepSeconds: KEEP_SECONDS })).toContain(
    "bundle_outcomes_typed",
  );
  expect(await ensureRetention(engine.store, { hotSeconds: HOT_SECONDS, keepSeconds: KEEP_SECONDS })).toEqual([]);
  // ClickHouse looks for what to delete once in four hours by default: for the test, every second.
  await engine.store.command(`ALTER TABLE ${TABLE} MODIFY SETTING merge_with_ttl_timeout = 1`);
  await insert("fresh", 0, 1_000);
  await insert("ageing", HOT_SECONDS - 2, 3_000);

  await until(rowsByDisk, (disks) => disks["s3_cold"] === 5_000 && disks["default"] === 1_000);
  expect(s3.objects().length).toBeGreaterThan(0);
  const everything = [
    { name: "aged", rows: "2000", sum: "1999000" },
    { name: "ageing", rows: "3000", sum: "4498500" },
    { name: "fresh", rows: "1000", sum: "499500" },
  ];
  expect(await seen()).toEqual(everything);

  // The same over a stop and start: the policy and the rows on S3 are found again.
  await engine.engine.stop();
  await engine.restart();
  expect(await seen()).toEqual(everything);

  await ensureRetention(engine.store, { hotSeconds: HOT_SECONDS, keepSeconds: HOT_SECONDS + 30 });
  const left = await until(seen, (rows) => !rows.some(({ name }) => name === "aged"), 40_000);
  expect(left).toContainEqual({ name: "fresh", rows: "1000", sum: "499500" });
  await until(seen, (rows) => rows.length === 1, 60_000);
  await until(rowsByDisk, (disks) => disks["s3_cold"] === undefined && disks["default"] === 1_000);
  await until(
    async () => s3.objects(),
    (objects) => objects.length === 0,
    60_000,
  );
}, 180_000);

test("ensureRetention() refuses ages in the wrong order and a server without the policy", async () => {
  await expect(ensureRetention(engine.store, { hotSeconds: 10, keepSeconds: 10 })).rejects.toThrow(
    "Cannot set how long rows stay: an age of deletion above the age of moving, was 10 s against 10 s",
  );
  const plain = await startTestEngine();
  try {
    await migrate(plain.store);
    await expect(ensureRetention(plain.store, { hotSeconds: 10, keepSeconds: 20 })).rejects.toThrow(
      "the storage policy hot_cold in ClickHouse's configuration, was not there",
    );
    expect(await ensureRetention(plain.store, { hotSeconds: undefined, keepSeconds: 20 })).toContain("dead_letter");
    expect(await ensureRetention(plain.store, { hotSeconds: undefined, keepSeconds: 20 })).toEqual([]);
    expect(await ensureRetention(plain.store, { hotSeconds: undefined, keepSeconds: 30 })).toContain("metrics");
  } finally {
    await plain.close();
  }
});
