/**
 * The way of a record: onto the embedded bus (until its commit is on disk) and from there into a typed table (until a
 * query finds it), with a real ClickHouse and the recorder in a process of its own. Messages are full arb envelopes.
 *
 *   bun bench/bus.ts
 *
 * For comparison, measured on the same kind of box in 2026: Apache Kafka 4.3.1 by kafkajs with a 1 ms linger, p99 5 ms at
 * 1,000/s; ClickHouse's Kafka engine makes a row visible after its flush interval, 100 to 500 ms.
 */
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { migrate } from "#store/migrate.ts";
import { startTestEngine, testLog, until } from "#store/test-engine.ts";
import { arbEnvelope, encodeEnvelope } from "#wire/envelope.ts";
import { spawnRecorder } from "./recorder-process.ts";

const TOPIC = "arbitrage-decisions-proto";
const BURST_MESSAGES = 90_000;
const RATE_SECONDS = 4;
const QUERYABLE_RATE = 500;
const PROBES = 100;
const PROBE_EVERY_MS = 60;
const LOOK_EVERY_MS = 2;
const KEY = "58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2";

function envelope(decisionId: string): Uint8Array {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  return encodeEnvelope(
    arbEnvelope({
      version: "0.1.0",
      slot: 285_000_037n,
      txSignature: KEY + KEY,
      classification: "cycle-3",
      decisionId,
      agent: "bench",
      mode: "sim",
      modelHash: "0123456789ab",
      action: "send",
      reason: "profitable",
      bundleId: KEY,
      pools: [KEY, KEY, KEY],
      mints: [KEY, KEY, KEY],
      dexes: ["raydium-cpmm", "raydium-cpmm", "raydium-cpmm"],
      hopAmounts: [1_000_000_000n, 2n, 3n, 1_010_000_000n],
      tipLadder: [10_000n, 30_000n, 100_000n, 300_000n, 1_000_000n],
      grossLamports: 10_000_000n,
      netLamports: 9_000_000n,
      features: Array.from({ length: 24 }, (_, i) => i / 8),
      eventNs: nowNs,
      feedNs: nowNs,
      decideNs: nowNs,
      sendNs: nowNs,
    }),
  );
}

function quantiles(samples: number[]): string {
  const sorted = samples.toSorted((left, right) => left - right);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2);
  return `p50 ${at(0.5).padStart(7)}  p99 ${at(0.99).padStart(7)}  max ${at(1).padStart(7)} ms`;
}

const say = (what: string, figure: string) => console.log(`${what.padEnd(44)} ${figure}`);

/** Publishes `perSecond` messages a second until `done`; each one's time to its acknowledgement goes to `onAck`. */
async function publishAt(
  bus: Bus,
  perSecond: number,
  done: () => boolean,
  onAck: (ms: number) => void,
): Promise<number> {
  const startedAt = performance.now();
  const acknowledgements: Promise<void>[] = [];
  for (let sent = 0; !done(); ) {
    for (const due = ((performance.now() - startedAt) * perSecond) / 1_000; sent < due; sent++) {
      const at = performance.now();
      acknowledgements.push(
        bus.publish(TOPIC, "pair", envelope(`load-${sent}`)).then(() => onAck(performance.now() - at)),
      );
    }
    await Bun.sleep(1);
  }
  await Promise.all(acknowledgements);
  return acknowledgements.length;
}

async function measurePublish(bus: Bus): Promise<number> {
  let published = 0;
  for (const rate of [100, 500, 1_000, 5_000]) {
    const samples: number[] = [];
    const endAt = performance.now() + RATE_SECONDS * 1_000;
    published += await publishAt(
      bus,
      rate,
      () => performance.now() > endAt,
      (ms) => samples.push(ms),
    );
    say(`publish to commit, ${rate}/s`, quantiles(samples));
  }
  const messages = Array.from({ length: BURST_MESSAGES }, (_, i) => envelope(`burst-${i}`));
  const bytes = messages[0]?.length ?? 0;
  const startedAt = performance.now();
  // In parts, so that the queue's limit of bytes is not met.
  for (let i = 0; i < messages.length; i += 30_000)
    await Promise.all(messages.slice(i, i + 30_000).map((message) => bus.publish(TOPIC, "pair", message)));
  const seconds = (performance.now() - startedAt) / 1_000;
  say(`burst of ${BURST_MESSAGES} messages of ${bytes} bytes`, `${Math.round(BURST_MESSAGES / seconds)}/s`);
  return published + BURST_MESSAGES;
}

const engine = await startTestEngine();
await migrate(engine.store);
const busPath = join(engine.folder, "bus.sqlite");
const bus = openEmbeddedBus({ path: busPath, lingerMs: 1, retainMiB: 2_048, log: testLog });
const published = await measurePublish(bus);

const rows = async (): Promise<number> =>
  Number((await engine.store.query<{ n: string }>("SELECT count() AS n FROM sandpiper.arb_opportunities"))[0]?.n);
const recorder = spawnRecorder({ port: engine.port, secretPath: engine.secretPath, path: busPath });
await until(rows, (count) => count > 0);
const already = await rows();
const drainAt = performance.now();
await until(rows, (count) => count >= published, 120_000);
say(
  "drain of what waited into the tables",
  `${Math.round(((published - already) * 1_000) / (performance.now() - drainAt))} rows/s`,
);

const visible: number[] = [];
let probing = true;
const load = publishAt(
  bus,
  QUERYABLE_RATE,
  () => !probing,
  () => undefined,
);
for (let i = 0; i < PROBES; i++) {
  const decisionId = `probe-${i}`;
  const at = performance.now();
  await bus.publish(TOPIC, "pair", envelope(decisionId));
  const sql =
    "SELECT 1 FROM sandpiper.arb_opportunities WHERE at > now64(6) - 10 AND decision_id = {decisionId:String}";
  while ((await engine.store.query(sql, { decisionId })).length === 0) await Bun.sleep(LOOK_EVERY_MS);
  visible.push(performance.now() - at);
  await Bun.sleep(PROBE_EVERY_MS * ((i % 7) / 6 + 0.5));
}
probing = false;
await load;
say(`publish to queryable, at ${QUERYABLE_RATE}/s`, quantiles(visible));
recorder.kill("SIGKILL");
await recorder.exited;
await bus.close();
await engine.close();
