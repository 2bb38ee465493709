/**
 * Every process of a running sim is killed, crashed, stopped, crashed in a loop and run out of memory, and all of them are
 * restarted in turn: how long until the supervisor reports it, how long until the process serves again, how many market
 * events the feed missed meanwhile, and whether anything acknowledged is missing from ClickHouse afterwards. Nothing to
 * compare it with; the limits are 100 ms for a stall of a hot process and 2 s for a restart.
 *
 *   bun bench/recovery.ts [PROCESS,… [FAULT,…]]        all of them when left out, some twelve minutes
 *
 * Fault by fault, and of a fault process by process: so nobody waits for the supervisor to forget the fault before, and no
 * fault is measured with the longer pause that comes after another one. Where a fault comes in rounds, times are medians.
 *
 * Out of memory needs root and the memory cgroup of version 1 (/sys/fs/cgroup/memory); it says so where there is none.
 */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { errorText } from "#core/error.ts";
import type { ProcessName, ProcessReport } from "#core/run-report.ts";
import { eventually, SupervisedRun } from "../test/support/supervised-run.ts";
import { EventWatch } from "./recovery-watch.ts";
import { machine, median, table } from "./report.ts";

const LANDED_FIRST = 20;
const LOOP_CRASHES = 5;
/** What happened in the fault may still be on its way into the ring for so long: a new feed reads it block by block. */
const SETTLE_MS_MAX = 10_000;
const OUT_OF_MEMORY_MS_MAX = 20_000;
const MEMORY_CGROUP = `/sys/fs/cgroup/memory/sandpiper-recovery-${process.pid}`;
/** Below what any of them needs: the first page more is one too many. */
const MEMORY_BYTES = 1 << 20;
const LIMIT_MS = 60_000;
/** A process that serves for so long is started again at once after its next end (RESTART_FORGET_MS, and some more). */
const FORGOTTEN_MS = 11_000;

type Times = { readonly atMs: number; readonly seenMs: number; readonly backMs: number };

const run = await SupervisedRun.start();
const first = await run.allReady();
await run.landed(LANDED_FIRST);
const watch = new EventWatch(`ws://127.0.0.1:${run.ports["sim.wsPort"]}`, run.paths);

const reportOf = (name: ProcessName) => run.report().processes.find((one) => one.name === name) as ProcessReport;

/** Looks every other millisecond: eventually() is too slow for a figure, and more looks would take time from what is measured. */
async function soon(what: string, condition: () => boolean, limitMs = LIMIT_MS): Promise<number> {
  const deadline = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come true in ${limitMs} ms`);
    await Bun.sleep(2);
  }
  return performance.now();
}

async function follow(name: ProcessName, before: ProcessReport, atMs: number): Promise<Times> {
  const seen = await soon(`${name}'s fault seen`, () => {
    const { pid, state, stalls } = reportOf(name);
    return pid !== before.pid || state === "restarting" || stalls.count > before.stalls.count;
  });
  const back = await soon(`${name} back`, () => {
    const { pid } = reportOf(name);
    return pid !== 0 && pid !== before.pid && run.isReady(name);
  });
  return { atMs, seenMs: seen - atMs, backMs: back - atMs };
}

/** Not in the middle of a stall of its own, which would be taken for the one to come. */
async function beating(name: ProcessName): Promise<ProcessReport> {
  for (let i = 0; i < 3; i++) {
    const { beats } = run.heartbeat(name);
    await soon(`${name} beats`, () => run.heartbeat(name).beats !== beats);
  }
  return reportOf(name);
}

async function signalled(name: ProcessName, signal: NodeJS.Signals): Promise<Times> {
  const before = await beating(name);
  const atMs = performance.now();
  process.kill(before.pid, signal);
  return await follow(name, before, atMs);
}

/** Goes on by itself as soon as the stall is seen. */
async function shortStall(name: ProcessName): Promise<Times> {
  const before = await beating(name);
  const atMs = performance.now();
  process.kill(before.pid, "SIGSTOP");
  const seen = await soon(`${name}'s stall seen`, () => reportOf(name).stalls.count > before.stalls.count);
  process.kill(before.pid, "SIGCONT");
  const { beats } = run.heartbeat(name);
  const back = await soon(`${name} beats`, () => run.heartbeat(name).beats !== beats);
  return { atMs, seenMs: seen - atMs, backMs: back - atMs };
}

/** From the last crash of a row of them, each as soon as the process serves. */
async function crashLoop(name: ProcessName): Promise<Times> {
  for (let i = 1; i < LOOP_CRASHES; i++) await signalled(name, "SIGKILL");
  return await signalled(name, "SIGKILL");
}

/** From the kernel's kill; what it was that asked for the page is the process's own doing. */
async function outOfMemory(name: ProcessName): Promise<Times | string> {
  try {
    mkdirSync(MEMORY_CGROUP);
    writeFileSync(`${MEMORY_CGROUP}/memory.limit_in_bytes`, String(MEMORY_BYTES));
  } catch (thrown) {
    return `no memory cgroup: ${(thrown as Error).message}`;
  }
  const kills = () => Number(/oom_kill (\d+)/.exec(readFileSync(`${MEMORY_CGROUP}/memory.oom_control`, "utf8"))?.[1]);
  const before = reportOf(name);
  try {
    // ClickHouse is a child of its own process.
    const children = Bun.spawnSync(["pgrep", "-P", String(before.pid)])
      .stdout.toString()
      .split("\n")
      .filter(Boolean);
    for (const pid of [String(before.pid), ...children]) writeFileSync(`${MEMORY_CGROUP}/cgroup.procs`, pid);
    const atMs = await soon("out of memory", () => kills() > 0, OUT_OF_MEMORY_MS_MAX);
    return await follow(name, before, atMs);
  } catch (thrown) {
    return (thrown as Error).message;
  } finally {
    await leaveCgroup();
  }
}

/** What lives on goes back to where this process is; one that was killed may still be on its way out. */
async function leaveCgroup(): Promise<void> {
  const own = /^\d+:memory:(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "/";
  await eventually("the cgroup is empty", () => {
    for (const pid of readFileSync(`${MEMORY_CGROUP}/cgroup.procs`, "utf8").split("\n").filter(Boolean))
      writeFileSync(`/sys/fs/cgroup/memory${own}/cgroup.procs`, pid);
    rmdirSync(MEMORY_CGROUP);
    return true;
  });
}

async function rollingRestart(): Promise<Times> {
  const rolled = first.processes.filter(({ name }) => name !== "supervisor" && name !== "sim");
  const before = new Map(rolled.map(({ name }) => [name, reportOf(name).pid]));
  const atMs = performance.now();
  process.kill(reportOf("supervisor").pid, "SIGUSR2");
  const back = await soon("every process anew", () =>
    rolled.every(({ name }) => ![0, before.get(name)].includes(reportOf(name).pid) && run.isReady(name)),
  );
  return { atMs, seenMs: 0, backMs: back - atMs };
}

type Fault = { readonly rounds: number; cause(name: ProcessName): Promise<Times | string> };

const FAULTS: Readonly<Record<string, Fault>> = {
  kill: { rounds: 3, cause: (name) => signalled(name, "SIGKILL") },
  crash: { rounds: 3, cause: (name) => signalled(name, "SIGABRT") },
  "short stall": { rounds: 3, cause: shortStall },
  // It never goes on by itself: the supervisor ends it after 15 s.
  stall: { rounds: 1, cause: (name) => signalled(name, "SIGSTOP") },
  "crash loop": { rounds: 1, cause: crashLoop },
  "out of memory": { rounds: 1, cause: outOfMemory },
};

type Seen = ReturnType<EventWatch["between"]> & {
  readonly times: Times | string;
  /** From the fault until every event of it was in the ring. */
  readonly wholeMs: number;
};

/** A fault that ends otherwise than it should is a line of the table, not the end of the run. */
async function measure(cause: () => Promise<Times | string>): Promise<Seen> {
  const fromMs = performance.now();
  const times = await cause().catch((thrown: unknown) => errorText(thrown));
  const toMs = performance.now();
  await soon("every event in the ring", () => watch.between(fromMs, toMs).missed === 0, SETTLE_MS_MAX).catch(() => {});
  const faultMs = typeof times === "string" ? fromMs : times.atMs;
  return { times, ...watch.between(fromMs, toMs), wholeMs: performance.now() - faultMs };
}

function rowOf(name: string, fault: string, rounds: readonly Seen[]): string[] {
  const times = rounds.flatMap((round) => (typeof round.times === "string" ? [] : [round.times]));
  const wrong = rounds.flatMap((round) => (typeof round.times === "string" ? [round.times] : []));
  const middle = (of: (one: Times) => number) => median(times.map(of)).toFixed(0);
  const sum = (of: (one: Seen) => number) => rounds.reduce((all, one) => all + of(one), 0);
  const longest = Math.max(...times.map(({ backMs }) => backMs)).toFixed(0);
  const figures =
    times.length === 0 ? ["", "", ""] : [middle((one) => one.seenMs), middle((one) => one.backMs), longest];
  const events = `${sum((one) => one.missed)} of ${sum((one) => one.told)}, ${sum((one) => one.twice)} twice`;
  // Only without a feed do events come late. With the sim the market itself is away.
  const whole = name === "feed" ? `, all after ${median(rounds.map(({ wholeMs }) => wholeMs)).toFixed(0)} ms` : "";
  return [name, fault, ...figures, [...wrong, name === "sim" ? "no market" : events + whole].join("; ")];
}

const cells: { readonly name: string; readonly fault: string; readonly seen: Seen[] }[] = [];

async function measureCell(name: string, fault: string, cause: () => Promise<Times | string>): Promise<void> {
  await run.allReady();
  const seen = await measure(cause);
  const known = cells.find((cell) => cell.name === name && cell.fault === fault);
  if (known === undefined) cells.push({ name, fault, seen: [seen] });
  else known.seen.push(seen);
  process.stderr.write(`${rowOf(name, fault, [seen]).join("  ")}\n`);
}

const names = first.processes.map(({ name }) => name).filter((name) => name !== "supervisor");
const chosen = names.filter((name) => process.argv[2]?.split(",").includes(name) ?? true);
const faults = process.argv[3]?.split(",") ?? Object.keys(FAULTS);
const fromMs = performance.now();
try {
  await measureCell("all but sim", "rolling restart", rollingRestart);
  for (const [fault, { rounds, cause }] of Object.entries(FAULTS).filter(([one]) => faults.includes(one)))
    for (let round = 0; round < rounds; round++)
      for (const name of chosen) {
        await eventually(`${name}'s last fault forgotten`, () =>
          Date.now() - reportOf(name).startedAtMs > FORGOTTEN_MS ? true : undefined,
        );
        await measureCell(name, fault, () => cause(name));
      }
} finally {
  watch.stop();
  const order = ["all but sim", ...names];
  const rows = cells
    .toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
    .map(({ name, fault, seen }) => rowOf(name, fault, seen));
  const head = ["process", "fault", "seen after, ms", "serves again after, ms", "longest, ms", "market events missed"];
  process.stdout.write(`${table(head, rows)}\n`);
  process.stdout.write(`${((performance.now() - fromMs) / 60_000).toFixed(1)} minutes; ${machine()}\n`);
}

const ids = {
  arb_opportunities: new Set<string>(),
  bundle_outcomes_typed: new Set<string>(),
};
for (const { payload } of await run.onBus("arbitrage-decisions-proto"))
  if (payload.case === "arb") ids.arb_opportunities.add(payload.value.decisionId);
for (const { payload } of await run.onBus("bundle-outcomes-proto"))
  if (payload.case === "outcome") ids.bundle_outcomes_typed.add(payload.value.decisionId);
for (const [name, acknowledged] of Object.entries(ids)) {
  const recorded = await eventually(`${name} complete`, async () => {
    const found = await run.store.query<{ id: string }>(`SELECT decision_id AS id FROM sandpiper.${name}`);
    const there = new Set(found.map(({ id }) => id));
    return [...acknowledged].every((id) => there.has(id)) ? { rows: found.length, ids: there.size } : undefined;
  });
  process.stdout.write(
    `${name}: ${acknowledged.size} acknowledged, 0 missing, ${recorded.rows - recorded.ids} twice in ClickHouse\n`,
  );
}
await run.stop("SIGINT");
await run.discard();
