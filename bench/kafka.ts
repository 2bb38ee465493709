/**
 * Our producer beside Kafka's own perf tool, on one broker, in one run: the same payloads, idempotent, acks all, zstd and
 * a linger of 1 ms in both; most messages per second, and the time to the acknowledgement at a given rate. Each is run
 * in turn, ROUNDS times; the table has the medians. The tool is a new JVM each time, and its p99 holds that JVM's first
 * seconds; it counts a burst's wait in its buffer (32 MiB), ours that of at most WINDOW_MESSAGES: compare bursts by rate.
 *
 *   bun bench/kafka.ts
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openKafkaBus } from "#bus/kafka.ts";
import { applyTopics } from "#bus/topics.ts";
import { createLog } from "#core/log.ts";
import { type KafkaBroker, startKafkaBroker } from "../test/support/kafka-broker.ts";
import { machine, median, short, table } from "./report.ts";

/** One partition: both write the same batches to the same file. */
const TOPIC = "metrics-proto";
const ROUNDS = 3;
const BURST_MESSAGES = 100_000;
/** Messages on their way at once in a burst, below what the bus refuses. */
const WINDOW_MESSAGES = 20_000;
const RATES = [1_000, 5_000];
const RATE_SECONDS = 5;
const PAYLOADS = 1_000;
const PAYLOAD_CHARACTERS = 300;

type Figures = { readonly perSecond: number; readonly p50Ms: number; readonly p99Ms: number };

/** Text, because the tool reads its payloads from lines: half of it random, as ids and amounts are. */
const payloads = Array.from({ length: PAYLOADS }, (_, i) => {
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(PAYLOAD_CHARACTERS / 4))).toString("hex");
  return `arb|sandpiper|slot=${285_000_000 + i}|${random}`.padEnd(PAYLOAD_CHARACTERS, "profitable|");
});
const encoded = payloads.map((payload) => new TextEncoder().encode(payload));

/** `perSecond` 0: as many as go. */
async function ours(bus: Bus, count: number, perSecond: number): Promise<Figures> {
  const latenciesMs: number[] = [];
  let waiting = 0;
  const startedAt = performance.now();
  const all: Promise<void>[] = [];
  const publish = async (i: number) => {
    const at = performance.now();
    waiting++;
    await bus.publish(TOPIC, "bench", encoded[i % PAYLOADS] as Uint8Array);
    waiting--;
    latenciesMs.push(performance.now() - at);
  };
  while (all.length < count) {
    const due = perSecond === 0 ? count : Math.ceil(((performance.now() - startedAt) * perSecond) / 1_000);
    while (all.length < Math.min(due, count) && waiting < WINDOW_MESSAGES) all.push(publish(all.length));
    await Bun.sleep(perSecond === 0 ? 0 : 1);
  }
  await Promise.all(all);
  const seconds = (performance.now() - startedAt) / 1_000;
  const sorted = latenciesMs.toSorted((left, right) => left - right);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  return { perSecond: count / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function theirs(broker: KafkaBroker, file: string, count: number, perSecond: number): Promise<Figures> {
  const settings = ["acks=all", "enable.idempotence=true", "compression.type=zstd", "linger.ms=1"];
  const out = await broker.tool("org.apache.kafka.tools.ProducerPerformance", [
    ...["--bootstrap-server", broker.address, "--topic", TOPIC, "--payload-file", file],
    ...["--num-records", String(count), "--throughput", String(perSecond === 0 ? -1 : perSecond)],
    ...settings.flatMap((setting) => ["--command-property", setting]),
  ]);
  const last = out.trim().split("\n").at(-1) ?? "";
  const number = (pattern: RegExp) => Number(pattern.exec(last)?.[1] ?? Number.NaN);
  return {
    perSecond: number(/, ([\d.]+) records\/sec/),
    p50Ms: number(/([\d.]+) ms 50th/),
    p99Ms: number(/([\d.]+) ms 99th/),
  };
}

const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-kafka-"));
const file = join(folder, "payloads.txt");
writeFileSync(file, payloads.join("\n"));
const log = createLog({ process: "bench", level: "warn", format: "text" });
const broker = await startKafkaBroker();
const kafka = { brokers: broker.address, clientId: "bench" };
await applyTopics(kafka, 1, log);
const bus = openKafkaBus({ kafka, lingerMs: 1, spoolFolder: folder, spoolMiB: 64, owner: "bench", log });
await ours(bus, BURST_MESSAGES / 4, 0);

const loads = [
  { name: "as many as go", count: BURST_MESSAGES, perSecond: 0 },
  ...RATES.map((perSecond) => ({ name: `${perSecond}/s`, count: perSecond * RATE_SECONDS, perSecond })),
];
const rows: string[][] = [];
for (const { name, count, perSecond } of loads) {
  const results = { Sandpiper: [] as Figures[], "kafka-producer-perf-test": [] as Figures[] };
  for (let round = 0; round < ROUNDS; round++) {
    results.Sandpiper.push(await ours(bus, count, perSecond));
    results["kafka-producer-perf-test"].push(await theirs(broker, file, count, perSecond));
  }
  for (const [who, figures] of Object.entries(results)) {
    const middle = (pick: (one: Figures) => number) => short(median(figures.map(pick)));
    const cells = [middle((one) => one.perSecond), middle((one) => one.p50Ms), middle((one) => one.p99Ms)];
    rows.push([name, who, ...cells]);
  }
}
const { spooled, dropped, failed } = bus.stats();
process.stdout.write(`${table(["load", "producer", "messages/s", "p50 ms", "p99 ms"], rows)}\n`);
process.stdout.write(`spooled ${spooled}, dropped ${dropped}, failed ${failed}; ${machine()}\n`);
await bus.close();
await broker.discard();
rmSync(folder, { recursive: true, force: true });
