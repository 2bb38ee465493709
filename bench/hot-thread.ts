/**
 * How long does the hot thread take from a market event to its decision, beside the same work in C?
 * `bun bench/hot-thread.ts [RUNS]`, under two minutes.
 *
 * Both sides read the same records from a ring, one at a time, and are timed from the publish of a record to the end of
 * the loop's turn on it: plain events only screen the pool's cycles, deciding ones also size, score and write a decision.
 * First both run under a counted clock and every byte of every decision record is compared: the C side counts only
 * because it does the same work. It has no split hops, so ours run without for the comparison, and once more with. Ours and C take turns, each run in a process of its own; medians over the runs. The hop
 * between two processes is not in these figures: bench/ring.ts has it.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDefaultModel } from "#model/default-model.ts";
import { runHotThread } from "./hot-thread-run.ts";
import {
  BENCH_SETTINGS,
  type HotThreadResult,
  POLICY,
  SPLITTING_SETTINGS,
  WARM_UP_EVENTS,
} from "./hot-thread-settings.ts";
import { makeWorkload, type Workload } from "./hot-thread-workload.ts";
import { compileNative } from "./native.ts";
import { machine, median, short, table } from "./report.ts";

const EVENTS = 300_000;

/** The workload as bench/native/hot-loop.c reads it. */
function fileOf({ pools, index, records, snapshotRecords, events }: Workload): Uint8Array[] {
  const counts = [pools.length, index.places, 0, 0, snapshotRecords, events];
  const ladder = new Float64Array(16);
  ladder.set(POLICY.tipLadderLamports);
  const { inputLamportsMax, feeLamports, tipShareMax, missCostLamports, slotMs } = BENCH_SETTINGS;
  const numbers = [
    inputLamportsMax,
    feeLamports,
    tipShareMax,
    missCostLamports,
    POLICY.evMinLamports,
    slotMs,
    ...ladder,
  ];
  const parts = [
    Uint32Array.from([...counts, POLICY.tipLadderLamports.length, WARM_UP_EVENTS]),
    Float64Array.from(numbers),
    Uint32Array.from(pools, (pool) => pool.feeNumerator),
    Uint32Array.from(pools, (pool) => pool.feeDenominator),
    index.hops,
    index.starts,
    records,
  ];
  return parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
}

function spawnResult(command: readonly string[]): HotThreadResult {
  const ran = Bun.spawnSync([...command], { stderr: "inherit" });
  if (!ran.success) throw new Error(`Cannot run ${command[0]}: exit 0, was ${ran.signalCode ?? ran.exitCode}`);
  return JSON.parse(ran.stdout.toString()) as HotThreadResult;
}

function main(): void {
  const runs = Number(process.argv[2] ?? 5);
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-hot-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  ensureDefaultModel(folder);
  const workload = makeWorkload(EVENTS, BENCH_SETTINGS.hopsMax);
  const workloadPath = join(folder, "workload");
  writeFileSync(workloadPath, Buffer.concat(fileOf(workload)));
  const flags = ["-O3", "-ffp-contract=off", "-ldl", "-lm"];
  const native = [compileNative("hot-loop.c", flags), workloadPath, realpathSync(join(folder, "libarb_latest.so"))];
  const self = [process.execPath, import.meta.path, "run", folder];
  const ours: HotThreadResult[] = [];
  const theirs: HotThreadResult[] = [];
  const splitting: HotThreadResult[] = [];
  for (let run = 0; run < runs; run++) {
    ours.push(spawnResult(self));
    theirs.push(spawnResult(native));
    splitting.push(spawnResult([...self, "splitting"]));
  }
  const [mine, other] = [ours[0] as HotThreadResult, theirs[0] as HotThreadResult];
  const same = mine.hash === other.hash && mine.decisions === other.decisions && mine.sends === other.sends;
  const rows = (["plain", "deciding"] as const).flatMap((kind) =>
    (
      [
        ["p50", "p50"],
        ["p99", "p99"],
        ["p999", "p99.9"],
      ] as const
    ).map(([key, name]) => {
      const a = median(ours.map((result) => result[kind][key]));
      const b = median(theirs.map((result) => result[kind][key]));
      const c = median(splitting.map((result) => result[kind][key]));
      return [kind, name, short(a), short(b), short(a / b), short(c)];
    }),
  );
  console.log(`${table(["event", "time", "Sandpiper, ns", "C, ns", "ratio", "splitting, ns"], rows)}\n`);
  console.log(
    `Events: ${mine.plain.count} plain, ${mine.deciding.count} deciding; cycles ${workload.index.places} places, pools ${workload.pools.length}.`,
  );
  console.log(
    `Decision records of both: ${same ? `equal, ${mine.decisions} of them` : `DIFFERENT, compare nothing: ${JSON.stringify([mine, other])}`}.`,
  );
  console.log(`Medians of ${runs} runs. ${machine()}`);
  if (!same) process.exitCode = 1;
}

if (process.argv[2] === "run")
  process.stdout.write(
    JSON.stringify(
      runHotThread(
        makeWorkload(EVENTS, BENCH_SETTINGS.hopsMax),
        process.argv[3] ?? "",
        process.argv[4] === "splitting" ? SPLITTING_SETTINGS : BENCH_SETTINGS,
      ),
    ),
  );
else main();
