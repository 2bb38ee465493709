/**
 * The guard, fault by fault, each on a whole run: how long until an alarm shows the fault, until something is done and
 * until the agent sends no more (or is careful), and what landed bundles lost.
 *
 *   bun bench/faults.ts [FAULT …] [--walkthrough FILE]     all of them without names, half an hour on a quiet machine
 *
 * With --walkthrough a browser has the page open, and what page and `sandpiper doctor` say when the fault is first seen
 * and when it is over goes into the fault's section of FILE (docs/fault-walkthrough.md).
 *
 * The step of the clock, the small disk and the bad line need root: the clock goes half a second to the front, and back
 * afterwards. A machine that is busy with something else breaks the hot path's level by itself: the calm run shows it.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runFindings } from "#cli/doctor.ts";
import { loadConfig } from "#core/config.ts";
import { readGuardReport } from "#slo/report.ts";
import { freeMiB } from "#supervise/preflight.ts";
import { smallDisk } from "../test/support/small-disk.ts";
import { SupervisedRun } from "../test/support/supervised-run.ts";
import { FAULTS, type Fault, type Stage } from "./fault-list.ts";
import { FaultPage } from "./fault-page.ts";
import { machine, table } from "./report.ts";

/** How long a fault may last before it counts as not found, or not acted on. */
const FAULT_MS_MAX = 240_000;
const CALM_MS = 150_000;
/** A fault that comes later comes after so long without an alarm; a start is slow for some seconds by itself. */
const CALM_BEFORE_MS = 5_000;
const CALM_WAIT_MS_MAX = 60_000;
const POLL_MS = 50;
const HEALTH_MS_MAX = 1_000;
const HEALTH_EVERY_MS = 1_000;
const MAIN = join(import.meta.dir, "../src/cli/main.ts");
const CALM = "calm";
const NOTHING = "none";

const { values: options, positionals } = parseArgs({
  options: { walkthrough: { type: "string" } },
  allowPositionals: true,
});

/** What has to be taken back when this bench is ended from outside: the fault, then the run. */
const leftovers: (() => void)[] = [];
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    for (const leftover of leftovers.splice(0).toReversed()) leftover();
    process.exit(1);
  });

/** A moment of a fault. */
type Found = { readonly what: string; readonly afterMs: number };
type Scene = { readonly page: string; readonly doctor: string };

class Meeting {
  readonly #config: ReturnType<typeof loadConfig>["config"];
  #fromMs = 0;
  #health: string | undefined;
  #healthAtMs = 0;

  constructor(
    private readonly run: SupervisedRun,
    private readonly page: FaultPage | undefined,
  ) {
    this.#config = loadConfig({ environment: {}, flags: ["--dataDir", run.dataDir] }).config;
  }

  begin(): void {
    this.#fromMs = performance.now();
  }

  /** What the first alarm is, as doctor would find it now. */
  async alarm(): Promise<string | undefined> {
    if (freeMiB(this.run.dataDir) < this.#config["data.freeMiBMin"]) return "disk";
    const [found] = runFindings(this.#config, Date.now()).filter(({ state }) => state === "wrong");
    if (found !== undefined) return found.part;
    if (performance.now() - this.#healthAtMs < HEALTH_EVERY_MS) return this.#health;
    this.#healthAtMs = performance.now();
    this.#health = await this.#askHealth();
    return this.#health;
  }

  async #askHealth(): Promise<string | undefined> {
    try {
      const answer = await fetch(`${this.run.gateway}/health`, { signal: AbortSignal.timeout(HEALTH_MS_MAX) });
      const { ok } = (await answer.json()) as { readonly ok?: boolean };
      return ok === true ? undefined : "gateway";
    } catch {
      return "gateway";
    }
  }

  async calm(): Promise<void> {
    const fromMs = performance.now();
    for (let redMs = fromMs, nowMs = fromMs; nowMs - fromMs < CALM_WAIT_MS_MAX; nowMs = performance.now()) {
      if ((await this.alarm()) !== undefined) redMs = nowMs;
      if (nowMs - redMs > CALM_BEFORE_MS) return;
      await Bun.sleep(POLL_MS);
    }
  }

  actions(sinceMs: number) {
    return (readGuardReport(this.run.paths.guardReport)?.actions ?? []).filter(({ atMs }) => atMs >= sinceMs);
  }

  async until(look: () => Promise<string | undefined> | string | undefined): Promise<Found | undefined> {
    while (performance.now() - this.#fromMs < FAULT_MS_MAX) {
      const what = await look();
      if (what !== undefined) return { what, afterMs: performance.now() - this.#fromMs };
      await Bun.sleep(POLL_MS);
    }
    return undefined;
  }

  async scene(): Promise<Scene | undefined> {
    if (this.page === undefined) return undefined;
    return { page: await this.page.words(), doctor: await this.#doctor() };
  }

  /** Not awaited by blocking: the market may live in this process. */
  async #doctor(): Promise<string> {
    const port = new URL(this.run.gateway).port;
    const command = [process.execPath, MAIN, "doctor", "--dataDir", this.run.dataDir, "--gateway.port", port];
    const child = Bun.spawn(command, { cwd: this.run.dataDir, stdout: "pipe", stderr: "ignore" });
    const said = await new Response(child.stdout).text();
    return said.replaceAll(this.run.dataDir, "data").replaceAll(`:${port}/`, ":8080/").trimEnd();
  }

  /** Of bundles that landed since: the sums of those that lost, and how many landed and were sent. */
  async money(sinceMs: number): Promise<string> {
    const sql = `SELECT toString(-sumIf(realised_net_lamports, realised_net_lamports < 0)) AS lost,
      toString(countIf(state = 'landed')) AS landed, toString(count()) AS ended
      FROM sandpiper.bundle_outcomes_typed WHERE at >= fromUnixTimestamp64Milli({sinceMs:Int64})`;
    try {
      const [row] = await this.run.store.query<{ lost: string; landed: string; ended: string }>(sql, { sinceMs });
      return row === undefined ? "–" : `${row.lost} (${row.landed} of ${row.ended} landed)`;
    } catch {
      return "–";
    }
  }
}

const seconds = (found: Found | undefined) => (found === undefined ? "–" : `${(found.afterMs / 1_000).toFixed(1)} s`);

/** A row of the table. */
async function meet(name: string, fault: Fault): Promise<readonly string[]> {
  const disk = fault.diskMiB === undefined ? undefined : smallDisk(fault.diskMiB);
  const dataDir = disk?.folder ?? mkdtempSync(join(tmpdir(), "sandpiper-fault-"));
  fault.prepare?.(dataDir);
  const stage = await fault.stage?.(dataDir);
  const flags = ["--guard.acts", "yes", ...(fault.flags ?? []), ...(stage?.flags ?? [])];
  const run = await SupervisedRun.start(flags, undefined, dataDir);
  leftovers.push(() => void run.stop("SIGKILL"));
  let page: FaultPage | undefined;
  try {
    await run.allReady();
    await stage?.ready(run);
    if (options.walkthrough !== undefined) page = await FaultPage.open(run.gateway);
    const meeting = new Meeting(run, page);
    return name === CALM ? await watchCalm(run, meeting) : await watch(name, fault, stage, run, meeting);
  } finally {
    // First of all: whatever else fails, no run must be left behind.
    await run.stop("SIGKILL");
    leftovers.length = 0;
    await run.discard();
    await page?.close();
    await stage?.stop();
    disk?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function watchCalm(run: SupervisedRun, meeting: Meeting): Promise<readonly string[]> {
  const sinceMs = Date.now();
  const alarms = new Set<string>();
  for (const endMs = performance.now() + CALM_MS; performance.now() < endMs; await Bun.sleep(POLL_MS)) {
    const alarm = await meeting.alarm();
    if (alarm !== undefined) alarms.add(alarm);
  }
  const done = meeting.actions(sinceMs).map(({ kind, because }) => `${kind}: ${because}`);
  const seen = alarms.size === 0 ? "no alarm" : [...alarms].join(", ");
  return [CALM, seen, "–", "–", done.join("; ") || NOTHING, await meeting.money(sinceMs), String(run.report().mode)];
}

async function watch(
  name: string,
  fault: Fault,
  stage: Stage | undefined,
  run: SupervisedRun,
  meeting: Meeting,
): Promise<readonly string[]> {
  if (fault.prepare === undefined && fault.flags === undefined) await meeting.calm();
  const sinceMs = Date.now();
  const before = await meeting.alarm();
  let undo: (() => void) | undefined;
  try {
    meeting.begin();
    undo = stage?.inject() ?? fault.inject?.(run);
    leftovers.push(() => undo?.());
    const acting = meeting.until(() => meeting.actions(sinceMs)[0]?.kind);
    const ending = meeting.until(() =>
      fault.safe === undefined
        ? meeting.actions(sinceMs).find(({ kind }) => kind === "kill" || kind === "pause")?.kind
        : fault.safe(run),
    );
    const detected = await meeting.until(async () => {
      const alarm = await meeting.alarm();
      return alarm === before ? undefined : alarm;
    });
    const first = await meeting.scene();
    const ended = await ending;
    const kinds = meeting.actions(sinceMs).map(({ kind, throttlePct }) => `${kind} ${throttlePct}`);
    const acted = fault.safe === undefined || kinds.length > 0 ? await acting : ended;
    const last = await meeting.scene();
    const lost = await meeting.money(sinceMs);
    if (options.walkthrough !== undefined && first !== undefined)
      writeSection(options.walkthrough, sectionOf(name, fault, [detected, first], [ended, last]));
    const done = fault.safe === undefined ? kinds.toReversed() : [ended?.what ?? NOTHING, ...kinds];
    const found = detected === undefined ? "–" : `${seconds(detected)} (${detected.what})`;
    const red = before === undefined ? "" : `${before} was red before`;
    const at = (moment: Found | undefined) => (moment?.what.startsWith(NOTHING) ? "–" : seconds(moment));
    return [name, found, at(acted), at(ended), done.join(", ") || NOTHING, lost, red];
  } finally {
    undo?.();
    undo = undefined;
  }
}

function sectionOf(
  name: string,
  { about, reading }: Fault,
  ...scenes: readonly (readonly [Found | undefined, Scene | undefined])[]
): string {
  const shown = scenes.flatMap(([found, scene], i) => {
    if (scene === undefined || found === undefined) return [];
    const what = i === 0 ? `first alarm: \`${found.what}\`` : found.what;
    const head = `After ${seconds(found)}: ${what}.`;
    return [head, `The page:`, fenced(scene.page), `\`sandpiper doctor\`:`, fenced(scene.doctor)];
  });
  return [`## ${name}`, `The fault: ${about}.`, ...shown, `**Reading.** ${reading}`].join("\n\n");
}

const fenced = (text: string): string => `\`\`\`text\n${text}\n\`\`\``;

/** Replaces the section of this name, or adds it. */
function writeSection(path: string, section: string): void {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  const parts = before.split(/^(?=## )/m).map((part) => part.trimEnd());
  const head = section.slice(0, section.indexOf("\n"));
  const at = parts.findIndex((part) => part.split("\n", 1)[0] === head);
  const all = at < 0 ? [...parts, section] : parts.with(at, section);
  writeFileSync(path, `${all.filter((part) => part !== "").join("\n\n")}\n`);
}

const rows: (readonly string[])[] = [];
for (const [name, fault] of Object.entries({ [CALM]: { about: "nothing happens", reading: "" }, ...FAULTS })) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  rows.push(await meet(name, fault));
  console.error(rows.at(-1)?.join(" | "));
}
const head = ["fault", "seen after", "acted on after", "safe after", "what was done", "lamports lost", ""];
console.log(`${table(head, rows)}\n\n${machine()}`);
// What still polls for an action that never came has nothing more to say.
process.exit(0);
