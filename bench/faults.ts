/**
 * The guard, fault by fault, each on a whole run: how long until a service level shows the fault, until something is done
 * and until the agent sends no more (or is careful), what landed bundles lost, and what `sandpiper doctor` says first.
 *
 *   bun bench/faults.ts [FAULT …]     all of them without names, a quarter of an hour on a quiet machine
 *
 * The step of the clock and the small disk need root: the clock goes half a second to the front, and back afterwards.
 * A machine that is busy with something else breaks the hot path's level by itself: the calm run shows it.
 */
import { Database } from "bun:sqlite";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPaths } from "#core/paths.ts";
import type { ProcessName } from "#core/run-report.ts";
import { readGuardReport } from "#slo/report.ts";
import { fillDisk, smallDisk } from "../test/support/small-disk.ts";
import { SupervisedRun } from "../test/support/supervised-run.ts";
import { machine, table } from "./report.ts";

/** How long a fault may last before it counts as not found. */
const FAULT_MS_MAX = 150_000;
/** Trading before a fault that comes later. */
const BEFORE_MS = 20_000;
const POLL_MS = 50;
const ROOT = join(import.meta.dir, "..");

type Fault = {
  readonly flags?: readonly string[];
  /** Before the start, into the data folder; the fault is then there from the first decision on. */
  readonly prepare?: (dataDir: string) => void;
  /** Into the running system; answers how to take it back. */
  readonly inject?: (run: SupervisedRun) => () => void;
  /** Where the guard is not the one to act: the words of the run's log that tell it is safe, and what they mean. */
  readonly safe?: { readonly words: string; readonly means: string };
  readonly diskMiB?: number;
};

const pidOf = (run: SupervisedRun, name: ProcessName) =>
  run.report().processes.find((process) => process.name === name)?.pid ?? 0;

/** The process stands still until it is let go. */
const freeze = (name: ProcessName) => (run: SupervisedRun) => {
  const pid = pidOf(run, name);
  process.kill(pid, "SIGSTOP");
  return () => void process.kill(pid, "SIGCONT");
};

/** A model that answers after 20 ms a rung of the tip ladder, in a folder as an operator would leave it. */
function slowModel(dataDir: string): void {
  const { models } = runPaths(dataDir);
  mkdirSync(models, { recursive: true });
  const source = join(models, "slow.c");
  writeFileSync(
    source,
    `#include "model_abi.h"
#include <time.h>
static float predict(const float *features, size_t length) {
  struct timespec from, now;
  (void)features; (void)length;
  clock_gettime(CLOCK_MONOTONIC, &from);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < 20000000L);
  return 0.9f;
}
static const model_abi_v1 table = {1, 15, 0.5f, predict, predict, 0};
const model_abi_v1 *model_abi_v1_export(void) { return &table; }
`,
  );
  const library = join(models, "libarb_v0123456789abcdef.so");
  const made = Bun.spawnSync(["gcc", "-shared", "-fPIC", "-O2", `-I${join(ROOT, "abi")}`, source, "-o", library]);
  if (!made.success) throw new Error(made.stderr.toString());
  symlinkSync("libarb_v0123456789abcdef.so", join(models, "libarb_latest.so"));
}

/** Somebody holds the bus's file: nothing can be published or read from it. */
function lockBus(run: SupervisedRun): () => void {
  const database = new Database(run.paths.bus);
  database.run("PRAGMA busy_timeout = 20000");
  database.run("BEGIN EXCLUSIVE");
  return () => database.close();
}

const CLOCK_STEP_S = 0.5;

function setClock(bySeconds: number): void {
  const { success, stderr } = Bun.spawnSync(["date", "-s", `@${(Date.now() / 1_000 + bySeconds).toFixed(3)}`]);
  if (!success) throw new Error(`Cannot set the clock: root on this machine must hold, was ${stderr}`);
}

function stepClock(): () => void {
  setClock(CLOCK_STEP_S);
  return () => setClock(-CLOCK_STEP_S);
}

function fullDisk(run: SupervisedRun): () => void {
  const filler = fillDisk(run.dataDir);
  return () => rmSync(filler, { force: true });
}

const FAULTS: Readonly<Record<string, Fault>> = {
  calm: {},
  "slow model": { prepare: slowModel },
  "slow model, bus down": { prepare: slowModel, inject: lockBus },
  "market silent": { inject: freeze("sim") },
  "feed stalled": { inject: freeze("feed") },
  "guard frozen": { inject: freeze("guard"), safe: { words: "guardSilent=true", means: "75 % passed over" } },
  "clock step": { inject: stepClock },
  "disk full": {
    inject: fullDisk,
    diskMiB: 700,
    safe: { words: "MiB must stay free under", means: "run stopped, nothing lost" },
  },
  "tables down": { inject: freeze("clickhouse") },
  "sixteen rivals": { flags: ["--sim.rivals", "16"] },
};

async function until<T>(look: () => T | undefined): Promise<{ value: T; ms: number } | undefined> {
  const from = performance.now();
  while (performance.now() - from < FAULT_MS_MAX) {
    const value = look();
    if (value !== undefined) return { value, ms: performance.now() - from };
    await Bun.sleep(POLL_MS);
  }
  return undefined;
}

const seconds = (found: { ms: number } | undefined) =>
  found === undefined ? "–" : `${(found.ms / 1_000).toFixed(1)} s`;

/** The first finding of doctor, beside the run that it looks at. */
function doctor(run: SupervisedRun): string {
  const command = [process.execPath, join(ROOT, "src/cli/main.ts"), "doctor", "--dataDir", run.dataDir];
  const port = new URL(run.gateway).port;
  const said = Bun.spawnSync([...command, "--gateway.port", port], { cwd: run.dataDir }).stdout.toString();
  return (
    said
      .split("\n")
      .find((line) => line.includes("WRONG"))
      ?.trim()
      .replace(/ +/g, " ") ?? "nothing is wrong"
  );
}

async function lostLamports(run: SupervisedRun): Promise<string> {
  try {
    const sql = `SELECT toString(-sumIf(realised_net_lamports, realised_net_lamports < 0)) AS lost FROM sandpiper.bundle_outcomes_typed`;
    return (await run.store.query<{ lost: string }>(sql))[0]?.lost ?? "–";
  } catch {
    return "–";
  }
}

async function meet(name: string, { prepare, inject, flags = [], safe, diskMiB }: Fault): Promise<readonly string[]> {
  const disk = diskMiB === undefined ? undefined : smallDisk(diskMiB);
  const dataDir = disk?.folder ?? mkdtempSync(join(tmpdir(), "sandpiper-fault-"));
  prepare?.(dataDir);
  const run = await SupervisedRun.start(["--guard.acts", "yes", ...flags], undefined, dataDir);
  let undo = () => {};
  try {
    await run.allReady();
    if (prepare === undefined) await Bun.sleep(BEFORE_MS);
    const report = () => readGuardReport(run.paths.guardReport);
    const fromMs = Date.now();
    undo = inject?.(run) ?? undo;
    if (name === "calm") {
      await Bun.sleep(FAULT_MS_MAX);
      return [
        name,
        "–",
        "–",
        "–",
        (report()?.actions.length ?? 0) === 0 ? "none" : "FALSE ALARM",
        await lostLamports(run),
        doctor(run),
      ];
    }
    const detecting = until(() => {
      const found = report()
        ?.agents.flatMap(({ objectives }) => objectives)
        .find(({ state }) => state === "violated" || state === "severe");
      return found?.name;
    });
    const acting = until(() => report()?.actions.find(({ atMs }) => atMs >= fromMs));
    const telling = until(() => (safe && run.output().slice(-200_000).includes(safe.words) ? true : undefined));
    const ending = until(() =>
      report()?.actions.find(({ atMs, kind }) => atMs >= fromMs && (kind === "kill" || kind === "pause")),
    );
    const [detected, action, told, ended] = safe
      ? [undefined, undefined, await telling, undefined]
      : [await detecting, await acting, undefined, await ending];
    const done = told
      ? (safe?.means ?? "")
      : ended
        ? `${action?.value.kind}, ${ended.value.kind}`
        : (action?.value.kind ?? "none");
    const says = doctor(run);
    undo();
    undo = () => {};
    return [
      name,
      detected ? `${seconds(detected)} (${detected.value})` : seconds(told),
      seconds(action ?? told),
      seconds(ended ?? told),
      done,
      await lostLamports(run),
      says,
    ];
  } finally {
    undo();
    await run.stop("SIGKILL");
    await run.discard();
    disk?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const asked = process.argv.slice(2);
const rows: (readonly string[])[] = [];
for (const [name, fault] of Object.entries(FAULTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  rows.push(await meet(name, fault));
  console.error(rows.at(-1)?.join(" | "));
}
const head = [
  "fault",
  "seen after",
  "acted on after",
  "safe after",
  "what was done",
  "lamports lost",
  "doctor's first word",
];
console.log(`${table(head, rows)}\n\n${machine()}`);
