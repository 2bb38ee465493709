/**
 * What the guard judges by is what is on record: over a whole run, the figures in the agent's telemetry region are those
 * that anybody can count again from the outcomes in ClickHouse. Counts and money to the unit; a quantile within a bucket.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { TELEMETRY_BYTES, TelemetryReader, type TelemetryWindow } from "#memory/telemetry.ts";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";

const LIMIT_MS = 240_000;
const LANDED_MIN = 25;
/** Half a bucket of the histogram to either side, and what a double loses of Unix ns. */
const BUCKET_SHARE = 1 / 64;

let run: SupervisedRun;
beforeAll(async () => {
  run = await SupervisedRun.start(["--sim.slotMs", "200"]);
  await run.landed(LANDED_MIN);
}, LIMIT_MS);
afterAll(async () => await run.discard(), LIMIT_MS);

/** Everything since the region was made: a reader that began with nothing. */
function wholeRun(): TelemetryWindow {
  const copy = new SharedArrayBuffer(TELEMETRY_BYTES);
  const reader = new TelemetryReader(copy);
  new Uint8Array(copy).set(readFileSync(run.paths.telemetry("arbitrage")));
  return reader.takeWindow();
}

type Counted = {
  readonly settled: string;
  readonly landed: string;
  readonly lost_trades: string;
  readonly gained: string;
  readonly lost: string;
  readonly send_ns: readonly string[];
};
const RAW = `SELECT count() AS settled, countIf(state IN ('landed', 'failed')) AS landed,
    countIf(realised_net_lamports < 0) AS lost_trades,
    sumIf(realised_net_lamports, realised_net_lamports >= 0) AS gained,
    -sumIf(realised_net_lamports, realised_net_lamports < 0) AS lost,
    arraySort(groupArrayIf(accepted_ns - decide_ns, accepted_ns > 0)) AS send_ns
  FROM sandpiper.bundle_outcomes_typed`;

test(
  "counts, money and the send p99 of a run are those of its outcomes",
  async () => {
    // Without a market nothing new is decided, and what is under way comes to its end.
    const feed = run.report().processes.find(({ name }) => name === "feed");
    process.kill(feed?.pid ?? 0, "SIGSTOP");
    const [figures, raw] = await eventually(
      "the figures to rest, and the record to have them",
      async () => {
        const [counted] = await run.store.query<Counted>(RAW);
        const now = wholeRun();
        const rests = Number(counted?.settled) === now.settled && counted?.send_ns.length === now.send.count;
        return rests ? ([now, counted] as const) : undefined;
      },
      60_000,
    );
    expect(figures.landed).toBeGreaterThanOrEqual(LANDED_MIN);
    expect({
      landed: String(figures.landed),
      lost_trades: String(figures.lostTrades),
      gained: String(figures.gainedLamports),
      lost: String(figures.lostLamports),
    }).toEqual({ landed: raw.landed, lost_trades: raw.lost_trades, gained: raw.gained, lost: raw.lost });
    const exactNs = Number(raw.send_ns[Math.ceil(0.99 * raw.send_ns.length) - 1]);
    expect(Math.abs(figures.send.quantile(0.99) - exactNs) / exactNs).toBeLessThanOrEqual(BUCKET_SHARE);
  },
  LIMIT_MS,
);
