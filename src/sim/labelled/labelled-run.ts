/**
 * A labelled run: a market of many people, some of them sandwichers, told transaction by transaction together with the
 * truth about each attack. The same seed gives the same run. Prices and fills are exact (paper-pool.ts); no SVM runs, so
 * that a million swaps take about a minute.
 */
import { type Random, seededRandom } from "#core/random.ts";
import { Crowd } from "./crowd.ts";
import { Launches } from "./launches.ts";
import { Makers } from "./makers.ts";
import { Market } from "./market.ts";
import { RUN_FORMAT, type RunRow } from "./run-rows.ts";
import { Sandwichers } from "./sandwichers.ts";
import { Stage } from "./stage.ts";

const ORDERS_PER_SLOT = 24;
/** Slots after the last arrival in which what was begun ends. */
const CLOSING_SLOTS = 60;

export type LabelledRunOptions = {
  readonly seed: string;
  /** It ends with the slot in which there are so many, or after so many slots. */
  readonly swaps: number;
  readonly slots?: number;
  /** The crowd's orders per slot, on average. */
  readonly ordersPerSlot?: number;
};

/** Writes rows in execution order; answers how many swaps there are. */
export function writeLabelledRun(options: LabelledRunOptions, write: (row: RunRow) => void): number {
  const { seed, swaps, slots = Number.POSITIVE_INFINITY, ordersPerSlot = ORDERS_PER_SLOT } = options;
  write({ type: "run", format: RUN_FORMAT, seed });
  const stage = new Stage(seed, write);
  const market = new Market(seed, stage);
  const crowd = new Crowd(seed, stage, market);
  const makers = new Makers(seed, stage, market);
  const launches = new Launches(seed, stage, market, crowd);
  const sandwichers = new Sandwichers(seed, stage, market, crowd);
  crowd.watcher = (order) =>
    sandwichers.consider(order) || makers.provideJustInTime(order, () => void crowd.execute(order));
  crowd.listener = (order) => makers.hear(order);
  const arrivals = seededRandom(`${seed}/arrivals`);
  const lastSlot = stage.slot + slots;
  while (stage.swaps < swaps && stage.slot < lastSlot) {
    const next = stage.slot + 1;
    for (let i = poisson(arrivals, ordersPerSlot); i > 0; i--) stage.plan(next, arrivals.unit(), () => crowd.arrive());
    makers.prepare(next);
    launches.prepare(next);
    market.drift();
    stage.runSlot();
  }
  for (let i = 0; i < CLOSING_SLOTS; i++) stage.runSlot();
  return stage.swaps;
}

/** Knuth's way, for small means. */
function poisson(random: Random, mean: number): number {
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random.unit(); product > least; product *= random.unit()) count++;
  return count;
}
