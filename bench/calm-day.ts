/**
 * False alarms of the guard over a simulated day. A real run of the market in the box is measured for some minutes, as the
 * guard measures it; from its seconds a day is put together, 86,400 of them, in stretches of a minute from anywhere in the
 * run (so that what belongs together stays together), and the guard's own evaluation goes through that day on a clock of
 * its own: the real windows, levels, state machine and guard line. Nothing of that day really happened; what is real are its
 * seconds, with the noise of the machine that they were measured on. The second day has a stall of the whole box every
 * ten minutes besides: for one second every decision and every send takes STALL_MS longer.
 *
 *   bun bench/calm-day.ts [seconds to measure = 240] [days = 1]
 */
import { ManualClock } from "#core/clock.ts";
import { loadConfig } from "#core/config.ts";
import { seededRandom } from "#core/random.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { GUARD_LINE_BYTES } from "#memory/guard-line.ts";
import { Histogram, type HistogramView } from "#memory/histogram.ts";
import { openRegion } from "#memory/region.ts";
import {
  hotPathHistogram,
  TELEMETRY_BYTES,
  TelemetryDesk,
  TelemetryReader,
  type TelemetryWindow,
} from "#memory/telemetry.ts";
import { objectivesOf } from "#slo/objectives.ts";
import { Watch } from "#slo/watch.ts";
import { SupervisedRun } from "../test/support/supervised-run.ts";
import { machine, table } from "./report.ts";

const MEASURED_SECONDS = Number(process.argv[2] ?? 240);
const DAY_SECONDS = 86_400 * Number(process.argv[3] ?? 1);
const STRETCH_SECONDS = 60;
const STALL_EVERY_SECONDS = 600;
const STALL_MS = 500;
/** Prometheus lets a level be red for so long before its alarm sounds. */
const SOUNDS_AFTER_SECONDS = 10;
const SECOND_NS = 1e9;
const ADDED = ["settled", "landed", "lostTrades", "gainedLamports", "lostLamports"] as const;
/** Where the buckets of the two histograms begin: behind figures and headers, see telemetry.ts and histogram.ts. */
const HOT_PATH_AT = TELEMETRY_BYTES - 2 * Histogram.bytes;
const BUCKETS_AT = 64;

/** A measured second, its stamps as ages. */
type Measured = {
  readonly window: TelemetryWindow;
  readonly marketAgeNs: number;
  readonly chainAgeNs: number;
  readonly writtenAgeNs: number;
};

async function measure(): Promise<readonly Measured[]> {
  const run = await SupervisedRun.start(["--guard.acts", "no"]);
  try {
    await run.allReady();
    const clock = createSystemClock();
    const reader = new TelemetryReader(openRegion(run.paths.telemetry("arbitrage")));
    const seconds: Measured[] = [];
    let dueMs = performance.now();
    while (seconds.length < MEASURED_SECONDS) {
      dueMs += 1_000;
      await Bun.sleep(Math.max(0, dueMs - performance.now()));
      const nowNs = clock.monotonicNs();
      const window = reader.takeWindow();
      seconds.push({
        window,
        marketAgeNs: nowNs - window.newestFeedNs,
        chainAgeNs: nowNs - window.chainReadNs,
        writtenAgeNs: nowNs - window.writtenNs,
      });
    }
    return seconds;
  } finally {
    await run.stop();
    await run.discard();
  }
}

/** The day as an agent would have told it, second by second, to the guard that judges it. */
class Day {
  readonly #clock = new ManualClock(1_790_000_000_000_000_000n, 5_000 * SECOND_NS);
  readonly #telemetry = new ArrayBuffer(TELEMETRY_BYTES);
  readonly #desk = new TelemetryDesk(this.#telemetry);
  readonly #hotPath = hotPathHistogram(this.#telemetry);
  readonly #watch = new Watch({
    agent: "arbitrage",
    objectives: objectivesOf(loadConfig({ environment: {}, flags: [] }).config),
    telemetry: this.#telemetry,
    line: new ArrayBuffer(GUARD_LINE_BYTES),
    clock: this.#clock,
    clockQuality: () => undefined,
    acts: true,
  });
  /** By level: seconds red, red seconds in a row now, and how often there were enough in a row for an alarm. */
  readonly red = new Map<string, { seconds: number; row: number; alarms: number }>();
  readonly actions: string[] = [];
  ended = 0;

  second({ window, marketAgeNs, chainAgeNs, writtenAgeNs }: Measured, isStalled: boolean): void {
    this.#clock.advanceNs(SECOND_NS);
    const nowNs = this.#clock.monotonicNs();
    const { figures, sends } = this.#desk;
    for (const figure of ADDED) figures.add(figure, window[figure]);
    figures.set("newestFeedNs", nowNs - marketAgeNs);
    figures.set("chainReadNs", nowNs - chainAgeNs);
    figures.set("writtenNs", nowNs - writtenAgeNs);
    figures.set("falseQuotesPct", window.falseQuotesPct);
    figures.set("falseQuotesSamples", window.falseQuotesSamples);
    this.ended += window.settled;
    if (isStalled) {
      for (let i = 0; i < window.hotPath.count; i++) this.#hotPath.record(STALL_MS * 1e6);
      for (let i = 0; i < window.send.count; i++) sends.record(STALL_MS * 1e6);
    } else {
      this.#add(window.hotPath, HOT_PATH_AT);
      this.#add(window.send, HOT_PATH_AT + Histogram.bytes);
    }
    const action = this.#watch.second();
    if (action !== undefined) this.actions.push(`${action.kind} for ${action.because?.objective.name ?? "nothing"}`);
    for (const { objective, state } of this.#watch.verdicts)
      this.#note(objective.name, state === "violated" || state === "severe");
  }

  /** The recordings of a measured second, into the buckets that they were in. */
  #add({ counts, first, last, count }: HistogramView, at: number): void {
    const totals = new Float64Array(this.#telemetry, at, 1);
    const buckets = new Uint32Array(this.#telemetry, at + BUCKETS_AT, counts.length);
    totals[0] = (totals[0] as number) + count;
    for (let i = Math.max(0, first); i <= last; i++) buckets[i] = (buckets[i] as number) + (counts[i] as number);
  }

  #note(name: string, isRed: boolean): void {
    const noted = this.red.get(name) ?? { seconds: 0, row: 0, alarms: 0 };
    noted.row = isRed ? noted.row + 1 : 0;
    if (isRed) noted.seconds++;
    if (noted.row === SOUNDS_AFTER_SECONDS) noted.alarms++;
    this.red.set(name, noted);
  }
}

function live(name: string, measured: readonly Measured[], withStalls: boolean): readonly string[] {
  const day = new Day();
  const random = seededRandom(`calm day ${name}`);
  for (let second = 0; second < DAY_SECONDS; ) {
    const from = Math.floor(random.unit() * (measured.length - STRETCH_SECONDS));
    for (let i = 0; i < STRETCH_SECONDS && second < DAY_SECONDS; i++, second++)
      day.second(
        measured[from + i] as Measured,
        withStalls && second % STALL_EVERY_SECONDS === STALL_EVERY_SECONDS - 1,
      );
  }
  const red = [...day.red].filter(([, { seconds }]) => seconds > 0);
  const of = (which: "seconds" | "alarms") => red.map(([level, noted]) => `${level} ${noted[which]}`).join(", ") || "0";
  const alarms = red.reduce((sum, [, noted]) => sum + noted.alarms, 0);
  const actions = day.actions.length === 0 ? "0" : `${day.actions.length}: ${[...new Set(day.actions)].join(", ")}`;
  return [name, String(day.ended), of("seconds"), alarms === 0 ? "0" : of("alarms"), actions];
}

const measured = await measure();
const head = ["day", "bundles ended", "seconds red", `alarms (${SOUNDS_AFTER_SECONDS} s red)`, "what the guard did"];
const rows = [live("as measured", measured, false), live("with stalls", measured, true)];
console.log(`${table(head, rows)}\n\n${measured.length} seconds measured, ${DAY_SECONDS} simulated. ${machine()}`);
process.exit(0);
