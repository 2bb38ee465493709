/**
 * The service levels, as data: what is measured over which window, what is asked for, from where on it is severe, and
 * how far the guard may go. The limits come from the options guard.*; severe is a fixed multiple of them.
 */
import type { Config } from "#core/config.ts";
import type { Windows } from "./windows.ts";

export type ObjectiveName =
  | "hot-path-p99"
  | "send-p99"
  | "landed-share"
  | "lost-trades"
  | "market-lag"
  | "chain-lag"
  | "false-quotes"
  | "clock-step"
  | "clock-error"
  | "loss-per-hour"
  | "budget-burn";

export type Objective = {
  readonly name: ObjectiveName;
  /** What it asks for, for people. */
  readonly about: string;
  readonly unit: "ms" | "%" | "lamports" | "times";
  /** On which side of the limit the trouble is. */
  readonly bad: "above" | "below";
  readonly limit: number;
  /** Beyond this the guard does not climb its steps but kills (or pauses) at once after its patience. */
  readonly severeLimit: number;
  /** Fewer samples than this say nothing. */
  readonly samplesMin: number;
  /** How far the guard may go: a pause ends by itself, a kill waits for an operator. */
  readonly ends: "kill" | "pause";
  readonly measure: (windows: Windows) => { readonly value: number; readonly samples: number };
};

/** A verdict on one objective in one second. */
export type Verdict = {
  readonly objective: Objective;
  readonly value: number;
  readonly samples: number;
  readonly state: "good" | "violated" | "severe" | "unknown";
};

const MINUTE = 60;
/**
 * Latencies are judged over less than the guard's patience: a single stall of the box, which makes a p99 as bad as it was
 * for as long as it is in the window, is then over before anything is done about it.
 */
const LATENCY_SECONDS = 20;
/** Share of decisions that may be slower than the limit, over a month: the error budget. It cannot burn faster than 1 / this. */
const SLOW_BUDGET = 0.01;
/** A figure that stands as it is; where there is none yet, nothing to judge. */
const newest = (value: number | undefined) => ({ value: value ?? 0, samples: value === undefined ? 0 : 1 });
const percent = (part: number, whole: number): number => (whole === 0 ? 0 : (100 * part) / whole);

/** How many times too fast so many slow decisions use up the budget. */
const burnOf = (slow: number, decided: number): number => (decided === 0 ? 0 : slow / decided / SLOW_BUDGET);

export function objectivesOf(config: Config): readonly Objective[] {
  const hotPathMsMax = config["guard.hotPathMsMax"];
  const sendMsMax = config["guard.sendMsMax"];
  const landedPctMin = config["guard.landedPctMin"];
  const lostTradesPctMax = config["guard.lostTradesPctMax"];
  const marketLagMsMax = config["guard.marketLagMsMax"];
  const chainLagMsMax = config["guard.chainLagMsMax"];
  const falseQuotesPctMax = config["guard.falseQuotesPctMax"];
  const clockErrorMsMax = config["guard.clockErrorMsMax"];
  const lossMax = config["guard.lossPerHourLamportsMax"];
  const burnMax = config["guard.budgetBurnMax"];
  return [
    {
      ...{ name: "hot-path-p99", unit: "ms", bad: "above", limit: hotPathMsMax, severeLimit: 10 * hotPathMsMax },
      about: `p99 from the feed's stamp to the decision, over ${LATENCY_SECONDS} seconds`,
      samplesMin: 20,
      ends: "kill",
      measure: (windows) => {
        const view = windows.latency("hotPath", LATENCY_SECONDS);
        return { value: view.quantile(0.99) / 1e6, samples: view.count };
      },
    },
    {
      ...{ name: "send-p99", unit: "ms", bad: "above", limit: sendMsMax, severeLimit: 10 * sendMsMax },
      about: `p99 from the decision to the route's acknowledgement, over ${LATENCY_SECONDS} seconds`,
      samplesMin: 20,
      ends: "kill",
      measure: (windows) => {
        const view = windows.latency("send", LATENCY_SECONDS);
        return { value: view.quantile(0.99) / 1e6, samples: view.count };
      },
    },
    {
      ...{ name: "landed-share", unit: "%", bad: "below", limit: landedPctMin, severeLimit: landedPctMin / 7 },
      about: "share of ended bundles that landed, over five minutes",
      samplesMin: 50,
      ends: "kill",
      measure: (windows) => {
        const settled = windows.recent("settled", 5 * MINUTE);
        return { value: percent(windows.recent("landed", 5 * MINUTE), settled), samples: settled };
      },
    },
    {
      ...{ name: "lost-trades", unit: "%", bad: "above", limit: lostTradesPctMax, severeLimit: 10 * lostTradesPctMax },
      about: "share of landed bundles that lost money, over five minutes",
      samplesMin: 20,
      ends: "kill",
      measure: (windows) => {
        const landed = windows.recent("landed", 5 * MINUTE);
        return { value: percent(windows.recent("lostTrades", 5 * MINUTE), landed), samples: landed };
      },
    },
    {
      ...{ name: "market-lag", unit: "ms", bad: "above", limit: marketLagMsMax, severeLimit: 5 * marketLagMsMax },
      about: "age of the newest market event",
      samplesMin: 1,
      ends: "pause",
      measure: ({ last }) => newest(last?.marketLagMs),
    },
    {
      ...{ name: "chain-lag", unit: "ms", bad: "above", limit: chainLagMsMax, severeLimit: 5 * chainLagMsMax },
      about: "time since the cluster last answered the agent: without it nothing can be signed or followed",
      samplesMin: 1,
      ends: "pause",
      measure: ({ last }) => newest(last?.chainLagMs),
    },
    {
      ...{
        name: "false-quotes",
        unit: "%",
        bad: "above",
        limit: falseQuotesPctMax,
        severeLimit: (falseQuotesPctMax + 100) / 2,
      },
      about:
        "of the pool that it is the most of, one way: share of its newest dozen quotes that the chain's own accounts disprove",
      samplesMin: 10,
      ends: "kill",
      measure: ({ last }) => ({ value: last?.falseQuotesPct ?? 0, samples: last?.falseQuotesSamples ?? 0 }),
    },
    {
      ...{ name: "clock-step", unit: "ms", bad: "above", limit: clockErrorMsMax, severeLimit: 100 * clockErrorMsMax },
      about: "how far the wall clock jumped within a second, over a minute",
      samplesMin: 1,
      ends: "pause",
      measure: (windows) => ({ value: windows.clockStepMs(), samples: windows.last === undefined ? 0 : 1 }),
    },
    {
      ...{ name: "clock-error", unit: "ms", bad: "above", limit: clockErrorMsMax, severeLimit: 100 * clockErrorMsMax },
      about: "how wrong the kernel believes the wall clock to be, where somebody keeps it",
      samplesMin: 1,
      ends: "pause",
      measure: ({ last }) => newest(last?.clockErrorMs),
    },
    {
      ...{ name: "loss-per-hour", unit: "lamports", bad: "above", limit: lossMax, severeLimit: 2 * lossMax },
      about: "what landed bundles lost within an hour, gains not counted against it",
      samplesMin: 1,
      ends: "kill",
      measure: (windows) => ({
        value: windows.sum("lostLamports", 60 * MINUTE),
        samples: windows.sum("landed", 60 * MINUTE),
      }),
    },
    {
      ...{ name: "budget-burn", unit: "times", bad: "above", limit: burnMax, severeLimit: 1 / SLOW_BUDGET },
      about: "how many times too fast slow decisions use up their budget, the smaller of five minutes and an hour",
      samplesMin: 500,
      ends: "kill",
      measure: (windows) => ({
        value: Math.min(
          burnOf(windows.recent("slow", 5 * MINUTE), windows.recent("decided", 5 * MINUTE)),
          burnOf(windows.sum("slow", 60 * MINUTE), windows.sum("decided", 60 * MINUTE)),
        ),
        // In the first minutes there are no two windows yet, and the stall of a start would be all of both.
        samples: windows.recentSeconds < 5 * MINUTE ? 0 : windows.sum("decided", 60 * MINUTE),
      }),
    },
  ];
}

/** The verdict on each objective, on what the windows hold now. */
export function judge(objectives: readonly Objective[], windows: Windows): readonly Verdict[] {
  return objectives.map((objective) => {
    const { value, samples } = objective.measure(windows);
    return { objective, value, samples, state: stateOf(objective, value, samples) };
  });
}

function stateOf({ bad, limit, severeLimit, samplesMin }: Objective, value: number, samples: number): Verdict["state"] {
  if (samples < samplesMin) return "unknown";
  const beyond = (edge: number) => (bad === "above" ? value > edge : value < edge);
  if (beyond(severeLimit)) return "severe";
  return beyond(limit) ? "violated" : "good";
}
