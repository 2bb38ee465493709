/**
 * A model's effect in the sim: a run decides with the default model, a job fits one on what it recorded (started over the
 * API as an operator does), the version that comes of it is promoted, and the run goes on. Realised profit per hour before
 * and after, each with a 95 % interval from a bootstrap over its slices of time. The market is the same seed's; the two
 * halves are not the same trades, so the intervals are what says whether the difference means anything.
 *
 *   bun bench/training-day.ts [minutes each half = 30] [library = xgb]
 */

import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "#core/random.ts";
import { eventually, SupervisedRun } from "../test/support/supervised-run.ts";
import { machine, table } from "./report.ts";

const MINUTES = Number(process.argv[2] ?? 30);
const LIBRARY = process.argv[3] ?? "xgb";
const SLICES = 30;
const RESAMPLES = 2_000;
const JOB_MS_MAX = 1_800_000;
const HOUR_MS = 3_600_000;
const SOL = 1e9;

const python = join(tmpdir(), `sandpiper-python-${process.getuid?.() ?? 0}`);
const run = await SupervisedRun.start(["--training.pythonDir", python, "--training.rowsMin", "100"]);
type Job = { id: string; state: string; message: string; modelHash: string | null };

await run.allReady();
const beforeMs = Date.now();
await Bun.sleep(MINUTES * 60_000);
const beforeEndMs = Date.now();
const token = await run.signIn();
const range = { start: new Date(beforeMs).toISOString(), end: new Date(beforeEndMs).toISOString() };
const { id } = await run.post("/api/training/start", { kind: "arb", library: LIBRARY, range }, token);
let last = "";
const job = await eventually(
  "the job is over",
  async () => {
    const { jobs } = (await (await fetch(`${run.gateway}/api/training/jobs`)).json()) as { jobs: Job[] };
    const found = jobs.find((one) => one.id === id);
    if (found !== undefined && found.message !== last) process.stdout.write(`${found.state}: ${found.message}\n`);
    last = found?.message ?? last;
    return found !== undefined && found.state !== "queued" && found.state !== "running" ? found : undefined;
  },
  JOB_MS_MAX,
);
const rows: string[][] = [["before", "default", ...(await profit(beforeMs, beforeEndMs))]];
if (job.modelHash !== null) {
  const main = join(import.meta.dir, "../src/cli/main.ts");
  Bun.spawnSync([process.execPath, main, "models", "promote", job.modelHash, "--dataDir", run.dataDir]);
  const afterMs = Date.now();
  await Bun.sleep(MINUTES * 60_000);
  rows.push(["after", job.modelHash, ...(await profit(afterMs, Date.now()))]);
}
process.stdout.write(
  `\n${table(["half", "model", "sent", "landed", "SOL per hour", "95 % from", "to"], rows)}\n\n${machine()}\n`,
);
await run.stop();
await run.discard();
process.exit(job.modelHash === null ? 1 : 0);

/** Sent, landed, realised profit per hour, and the ends of its interval. */
async function profit(fromMs: number, toMs: number): Promise<string[]> {
  const outcomes = await run.store.query<{ at_ms: string; lamports: string; landed: boolean }>(
    `SELECT toUnixTimestamp64Milli(at) AS at_ms, realised_net_lamports AS lamports, landed
     FROM sandpiper.bundle_outcomes_typed WHERE at_ms >= {from:Int64} AND at_ms < {to:Int64}`,
    { from: fromMs, to: toMs },
  );
  const slices = new Array<number>(SLICES).fill(0);
  for (const { at_ms: at, lamports } of outcomes) {
    const slice = Math.floor(((Number(at) - fromMs) * SLICES) / (toMs - fromMs));
    slices[slice] = (slices[slice] ?? 0) + Number(lamports);
  }
  const perHour = (sum: number) => (sum / SOL) * (HOUR_MS / (toMs - fromMs));
  const random = seededRandom("bootstrap");
  const sums = Array.from({ length: RESAMPLES }, () => slices.reduce((sum) => sum + random.pick(slices), 0));
  sums.sort((a, b) => a - b);
  const at = (share: number) => perHour(sums[Math.floor(RESAMPLES * share)] as number).toFixed(4);
  const total = perHour(slices.reduce((sum, one) => sum + one, 0)).toFixed(4);
  return [String(outcomes.length), String(outcomes.filter(({ landed }) => landed).length), total, at(0.025), at(0.975)];
}
