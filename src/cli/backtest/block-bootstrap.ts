/**
 * Intervals by a block bootstrap: neighbouring slots share their market, so whole blocks of them are drawn with
 * replacement, not single attempts (Künsch 1989, with blocks that do not overlap). Seeded: the same figures each time.
 */
import { seededRandom } from "#core/random.ts";

export type Interval = { readonly low: number; readonly high: number };
export type SlotSum = {
  readonly slot: number;
  readonly netLamports: number;
  readonly attempts: number;
  readonly landed: number;
};

const DRAWS = 2_000;
const BLOCK_SLOTS_MAX = 150;
/** As few blocks as still vary. */
const BLOCKS_MIN = 20;
const [LOW, HIGH] = [0.025, 0.975];

/** Slots in a block for a recording of that many. */
export const blockSlotsOf = (slots: number): number =>
  Math.max(1, Math.min(BLOCK_SLOTS_MAX, Math.floor(slots / BLOCKS_MIN)));

/** 95 % intervals of the whole profit, and of the landed share. */
export function bootstrap(sums: readonly SlotSum[], firstSlot: number, slots: number, seed: string) {
  const blockSlots = blockSlotsOf(slots);
  const count = Math.max(1, Math.ceil(slots / blockSlots));
  const blocks = Array.from({ length: count }, () => ({ netLamports: 0, attempts: 0, landed: 0 }));
  for (const { slot, netLamports, attempts, landed } of sums) {
    const block = blocks[Math.min(count - 1, Math.max(0, Math.floor((slot - firstSlot) / blockSlots)))];
    if (block === undefined) continue;
    block.netLamports += netLamports;
    block.attempts += attempts;
    block.landed += landed;
  }
  const random = seededRandom(`bootstrap ${seed}`);
  const profits: number[] = [];
  const shares: number[] = [];
  for (let draw = 0; draw < DRAWS; draw++) {
    let [profit, attempts, landed] = [0, 0, 0];
    for (let i = 0; i < count; i++) {
      const block = random.pick(blocks);
      profit += block.netLamports;
      attempts += block.attempts;
      landed += block.landed;
    }
    profits.push(profit);
    if (attempts > 0) shares.push(landed / attempts);
  }
  return { blockSlots, netLamports: intervalOf(profits), landedShare: intervalOf(shares) };
}

function intervalOf(values: number[]): Interval {
  const sorted = values.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { low: at(LOW), high: at(HIGH) };
}
