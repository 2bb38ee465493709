/**
 * `bun bench/ingest.ts [rounds = 3]`: arbitrage decisions into the same tables through the same view, as protobuf and as
 * JSONEachRow, in turns, at three sizes of a batch. Beside them the two parts of that cost: parsing alone (into a table
 * that keeps nothing and feeds no view), and writing alone (the same rows as ClickHouse's own blocks of columns, format
 * Native, straight into the typed table), which is the floor that no format of messages gets under. Then one question to
 * typed columns and to a column of JSON texts, and what a row takes on disk in each. CPU is the engine's, as the kernel
 * counts it (10 ms steps).
 */
import { readFileSync } from "node:fs";
import { toBinary, toJson } from "@bufbuild/protobuf";
import { readJsonFile } from "#core/atomic-file.ts";
import { delimited } from "#store/delimited.ts";
import { migrate } from "#store/migrate.ts";
import { startTestEngine } from "#store/test-engine.ts";
import { EnvelopeSchema } from "#wire/gen/realtime_pb.js";
import { SeededEnvelopes } from "../test/support/seeded-envelopes.ts";
import { machine, median, short, table } from "./report.ts";

const ROUNDS = Number(process.argv[2] ?? 3);
const ROWS_PER_ROUND = 100_000;
const BATCHES = [1_000, 10_000, 100_000] as const;
const QUERY_RUNS = 7;
const FORMATS = ["Protobuf", "JSONEachRow"] as const;
type Format = (typeof FORMATS)[number];
/** What is measured: a format through the view, a format parsed alone, or blocks written alone. */
const RUNS = ["Protobuf", "JSONEachRow", "parse Protobuf", "parse JSONEachRow", "Native"] as const;
type RunName = (typeof RUNS)[number];

const INGEST = "sandpiper.ingest_arbitrage_decisions";
const TYPED = "sandpiper.arb_opportunities";
const TEXTS = "sandpiper.bench_json";
/** Like the ingest table, and no view reads it. */
const PARSED = "sandpiper.bench_parsed";

const seeded = new SeededEnvelopes("ingest");
const envelopes = Array.from({ length: ROWS_PER_ROUND }, (_, i) => seeded.next(1_795_408_391_000 + i).decision);
const binaries = envelopes.map((envelope) => toBinary(EnvelopeSchema, envelope));
const encoder = new TextEncoder();
const texts = envelopes.map((envelope) =>
  JSON.stringify(toJson(EnvelopeSchema, envelope, { useProtoFieldName: true })),
);

const bodyOf = (format: Format, from: number, to: number) =>
  format === "Protobuf" ? delimited(binaries.slice(from, to)) : encoder.encode(texts.slice(from, to).join("\n"));

const engine = await startTestEngine();
const { store } = engine;
/** CPU of the engine so far, in ms. */
function cpuMs(): number {
  const fields = readFileSync(`/proc/${engine.engine.pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

type Run = { readonly rowsPerSecond: number; readonly cpuUsPerRow: number };
/** Rows of the typed table as ClickHouse itself writes blocks of columns. */
async function nativeBody(from: number, count: number): Promise<Uint8Array> {
  const { app } = readJsonFile(engine.secretPath) as { app: string };
  const response = await fetch(`http://127.0.0.1:${engine.port}/`, {
    method: "POST",
    body: `SELECT * FROM ${TYPED} ORDER BY at LIMIT ${count} OFFSET ${from} SETTINGS max_block_size = ${count} FORMAT Native`,
    headers: { "X-ClickHouse-User": "app", "X-ClickHouse-Key": app },
    keepalive: false,
  });
  return new Uint8Array(await response.arrayBuffer());
}

async function measure(name: RunName, batch: number): Promise<Run> {
  const format = name.replace("parse ", "") as Format | "Native";
  const into = name.startsWith("parse ") ? PARSED : name === "Native" ? TYPED : INGEST;
  const bodies: Uint8Array[] = [];
  for (let from = 0; from < ROWS_PER_ROUND; from += batch)
    bodies.push(format === "Native" ? await nativeBody(from, batch) : bodyOf(format, from, from + batch));
  if (into !== PARSED) await store.command(`TRUNCATE TABLE ${TYPED}`);
  const [startedAt, cpuBefore] = [performance.now(), cpuMs()];
  for (const body of bodies)
    await store.insertBytes(`INSERT INTO ${into} FORMAT ${format}`, body, {
      async_insert: 0,
      insert_deduplicate: 0,
      max_insert_block_size: batch,
      max_threads: 1,
      ...(format === "Protobuf" ? { format_schema: "realtime:Envelope" } : {}),
    });
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuUsPerRow = ((cpuMs() - cpuBefore) * 1_000) / ROWS_PER_ROUND;
  const [row] = await store.query<{ n: string }>(`SELECT count() AS n FROM ${TYPED}`);
  if (row?.n !== String(ROWS_PER_ROUND)) throw new Error(`${name}: ${row?.n} rows of ${ROWS_PER_ROUND} arrived`);
  return { rowsPerSecond: ROWS_PER_ROUND / seconds, cpuUsPerRow };
}

async function queryMs(sql: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < QUERY_RUNS; i++) {
    const startedAt = performance.now();
    await store.query(sql);
    times.push(performance.now() - startedAt);
  }
  return median(times);
}

async function bytesPerRow(name: string): Promise<number> {
  await store.command(`OPTIMIZE TABLE sandpiper.${name} FINAL`);
  const [row] = await store.query<{ bytes: string; rows: string }>(
    `SELECT sum(bytes_on_disk) AS bytes, sum(rows) AS rows FROM system.parts WHERE active AND database = 'sandpiper' AND table = {name:String}`,
    { name },
  );
  return Number(row?.bytes) / Number(row?.rows);
}

try {
  await migrate(store);
  await store.command(`CREATE TABLE ${PARSED} AS ${INGEST} ENGINE = Null`);
  await measure("Protobuf", 10_000); // The first inserts of an engine pay for its start.
  const rows: string[][] = [];
  for (const batch of BATCHES) {
    const runs = new Map<RunName, Run[]>(RUNS.map((name) => [name, []]));
    for (let round = 0; round < ROUNDS; round++)
      for (const name of RUNS) runs.get(name)?.push(await measure(name, batch));
    const of = (name: RunName, figure: keyof Run) => median((runs.get(name) ?? []).map((run) => run[figure]));
    const add = (what: string, figure: keyof Run, prefix: "" | "parse ", floor: string) => {
      const [protobuf, json] = [of(`${prefix}Protobuf`, figure), of(`${prefix}JSONEachRow`, figure)];
      const better = figure === "rowsPerSecond" ? protobuf / json : json / protobuf;
      rows.push([String(batch), what, short(protobuf), short(json), short(better), floor]);
    };
    add("rows/s", "rowsPerSecond", "", short(of("Native", "rowsPerSecond")));
    add("CPU, µs/row", "cpuUsPerRow", "", short(of("Native", "cpuUsPerRow")));
    add("CPU of parsing alone, µs/row", "cpuUsPerRow", "parse ", "-");
  }
  const head = ["batch", "figure", "protobuf", "JSONEachRow", "protobuf better by", "writing alone"];
  process.stdout.write(`${table(head, rows)}\n\n`);

  await store.command(
    `CREATE TABLE ${TEXTS} (at DateTime64(6, 'UTC'), body String CODEC(ZSTD(1))) ENGINE = MergeTree ORDER BY at`,
  );
  const lines = envelopes.map((_, i) => JSON.stringify({ at: `2026-11-23 04:33:${10 + (i % 50)}`, body: texts[i] }));
  await store.insertBytes(`INSERT INTO ${TEXTS} FORMAT JSONEachRow`, encoder.encode(lines.join("\n")));
  const typedMs = await queryMs(
    `SELECT reason, count(), sum(net_lamports), quantile(0.99)(score) FROM ${TYPED} GROUP BY reason`,
  );
  const textMs = await queryMs(`SELECT JSONExtractString(body, 'arb', 'reason') AS reason, count(),
    sum(JSONExtractInt(body, 'arb', 'net_lamports')), quantile(0.99)(JSONExtractFloat(body, 'arb', 'score')) FROM ${TEXTS} GROUP BY reason`);
  const [typedBytes, textBytes] = [await bytesPerRow("arb_opportunities"), await bytesPerRow("bench_json")];
  const wire = (parts: readonly { length: number }[]) =>
    parts.reduce((sum, { length }) => sum + length, 0) / parts.length;
  process.stdout.write(
    `${table(
      ["100,000 rows", "typed, protobuf", "JSON text", "ratio"],
      [
        ["group by reason, ms", short(typedMs), short(textMs), short(textMs / typedMs)],
        ["disk, bytes/row", short(typedBytes), short(textBytes), short(textBytes / typedBytes)],
        ["on the wire, bytes/row", short(wire(binaries)), short(wire(texts)), short(wire(texts) / wire(binaries))],
      ],
    )}\n\nMedians of ${ROUNDS} rounds. ${machine()}\n`,
  );
} finally {
  await engine.close();
}
