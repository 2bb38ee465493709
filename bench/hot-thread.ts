/**
 * How long does the hot thread take from a market event to its decision, beside the same work in C?
 * `bun bench/hot-thread.ts [EVENTS = 2000000] [RUNS = 5]`, about a minute; 50 million events in one run take two.
 *
 * Both sides read the same records from a ring, one at a time, and are timed from the publish of a record to the end of
 * the loop's turn on it: plain events only screen the pool's cycles, deciding ones also size, score and write a decision.
 * First both run under a counted clock and every byte of every decision record is compared: the C side counts only
 * because it does the same work. It has no split hops, bandit and risk gate, so ours run without for the comparison, and
 * once more as shipped, with all of them. Ours and C take turns, each run in a process of its own; medians over the runs,
 * and the largest of all. The hop between two processes is not in these figures: bench/ring.ts has it.
 *
 * What the timed pass allocates is what the heap grew by, and how often the engine's own log says that it collected; once
 * more where nothing is ever found.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDefaultModel, loadModel } from "#model/default-model.ts";
import { runHotThread } from "./hot-thread-run.ts";
import {
  BENCH_SETTINGS,
  type HotThreadResult,
  type HotThreadSetupName,
  POLICY,
  SETUPS,
  TIMED_PASS,
  WARM_UP_EVENTS,
} from "./hot-thread-settings.ts";
import { makeWorkload, type Workload } from "./hot-thread-workload.ts";
import { compileNative } from "./native.ts";
import { machine, median, short, table } from "./report.ts";

/** Of the workload: one lap. */
const LAP_EVENTS = 300_000;

/** The workload as bench/native/hot-loop.c reads it. */
function fileOf({ pools, index, records, snapshotRecords, events }: Workload, modelHash: string): Uint8Array[] {
  const hash = [modelHash.slice(0, 8), modelHash.slice(8, 16)].map((part) => Number.parseInt(part, 16));
  const counts = [pools.length, index.places, ...hash, snapshotRecords, events];
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

type Run = HotThreadResult & { readonly collections: number };

function spawnResult(command: readonly string[]): Run {
  const ran = Bun.spawnSync([...command], { env: { ...process.env, BUN_JSC_logGC: "1" } });
  const said = ran.stderr.toString();
  if (!ran.success)
    throw new Error(`Cannot run ${command[0]}: exit 0, was ${ran.signalCode ?? ran.exitCode}: ${said.slice(-2_000)}`);
  const timed = said.slice(said.indexOf(TIMED_PASS.begins), said.indexOf(TIMED_PASS.ends));
  return { ...(JSON.parse(ran.stdout.toString()) as HotThreadResult), collections: timed.split("GC END!").length - 1 };
}

const TIMES = [
  ["p50", "p50"],
  ["p99", "p99"],
  ["p999", "p99.9"],
  ["max", "largest"],
] as const;

function timeRows(ours: readonly Run[], theirs: readonly Run[], shipped: readonly Run[]): string[][] {
  return (["plain", "deciding"] as const).flatMap((kind) =>
    TIMES.map(([key, name]) => {
      const of = (runs: readonly Run[]) => {
        const values = runs.map((result) => result[kind][key]);
        return key === "max" ? Math.max(...values) : median(values);
      };
      const [a, b] = [of(ours), of(theirs)];
      return [kind, name, short(a), short(b), short(a / b), short(of(shipped))];
    }),
  );
}

/** What each side's timed passes allocated, per event. */
function heapRows(events: number, sides: readonly (readonly [string, readonly Run[]])[]): string[][] {
  return sides.map(([name, runs]) => {
    const growth = Math.max(...runs.map(({ heapGrowthBytes }) => heapGrowthBytes ?? 0));
    const collections = Math.max(...runs.map((run) => run.collections));
    const perEvent = collections === 0 ? short(growth / events) : "collected";
    return [name, String(events), String(collections), String(growth), perEvent];
  });
}

function main(): void {
  const events = Number(process.argv[2] ?? 2_000_000);
  const runs = Number(process.argv[3] ?? 5);
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-hot-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  ensureDefaultModel(folder);
  const workload = makeWorkload(LAP_EVENTS, BENCH_SETTINGS.hopsMax);
  const workloadPath = join(folder, "workload");
  writeFileSync(workloadPath, Buffer.concat(fileOf(workload, loadModel(folder, "arb").hash)));
  const flags = ["-O3", "-ffp-contract=off", "-ldl", "-lm"];
  const library = realpathSync(join(folder, "libarb_latest.so"));
  const native = [compileNative("hot-loop.c", flags), workloadPath, library, String(events)];
  const self = (setup: HotThreadSetupName) =>
    spawnResult([process.execPath, import.meta.path, "run", folder, String(events), setup]);
  const ours: Run[] = [];
  const theirs: Run[] = [];
  const shipped: Run[] = [];
  const nothingFound: Run[] = [];
  for (let run = 0; run < runs; run++) {
    ours.push(self("own"));
    theirs.push(spawnResult(native));
    shipped.push(self("as shipped"));
    nothingFound.push(self("nothing found"));
  }
  const [mine, other] = [ours[0] as Run, theirs[0] as Run];
  const same = mine.hash === other.hash && mine.decisions === other.decisions && mine.sends === other.sends;
  const head = ["event", "time", "Sandpiper, ns", "C, ns", "ratio", "as shipped, ns"];
  console.log(`${table(head, timeRows(ours, theirs, shipped))}\n`);
  const sides = [
    ["Sandpiper", ours],
    ["as shipped", shipped],
    ["nothing found", nothingFound],
  ] as const;
  const heapHead = ["heap", "events", "collections", "growth, bytes", "bytes per event"];
  console.log(`${table(heapHead, heapRows(events, sides))}\n`);
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
        makeWorkload(LAP_EVENTS, BENCH_SETTINGS.hopsMax),
        process.argv[3] ?? "",
        SETUPS[process.argv[5] as HotThreadSetupName],
        Number(process.argv[4]),
      ),
    ),
  );
else main();
