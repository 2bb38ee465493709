/**
 * The script of the market: which trader swaps how much, where and when in each slot. It follows from the seed and the
 * slot's number alone, never from the state of the market, so that two runs see the same flow whatever the agents do.
 *
 * Prices stay bounded without anybody watching them: sellers sell as many tokens as the script's price says their SOL is
 * worth, so when a token is dear its sellers take more SOL out than its buyers put in, and its price falls; and the other
 * way round. Trends tilt buyers against sellers by a bounded sum of waves, and so move the price within bounds too.
 */
import { type Random, seededRandom } from "#core/random.ts";

/** What the script needs to know of the market. */
export type FlowMarket = {
  readonly tokens: readonly { readonly unitsPerSol: number }[];
  readonly pools: readonly { readonly tokens: readonly [number, number]; readonly depthSol: number }[];
};

export type PlannedTrade = {
  readonly trader: number;
  readonly pool: number;
  readonly inputSide: 0 | 1;
  readonly amountIn: bigint;
  /** When in its slot: 0 at the start, 1 at the end. Ascending within a slot. */
  readonly atShare: number;
};

/** Who trades: how often, and how large against one side of the pool (log-normal, cut off). Whales open arbitrages. */
const CROWD = [
  { share: 0.7, traders: [0, 10], sizeMedian: 0.0008, sizeDeviation: 0.8 },
  { share: 0.27, traders: [10, 14], sizeMedian: 0.004, sizeDeviation: 0.5 },
  { share: 0.03, traders: [14, 16], sizeMedian: 0.018, sizeDeviation: 0.4 },
] as const;
export const TRADERS = 16;
const SIZE_MAX = 0.04;
/** The most one trade brings, in SOL: deep pools are not moved by anybody alone. */
const SIZE_SOL_MAX = 45;
/** Deeper pools trade more often, but not in proportion. */
const DEPTH_POWER = 0.45;
/** The last part of a slot stays free, so that a slightly late clock still gets every trade into its slot. */
const LAST_SHARE = 0.92;
/** Each token's trend: two waves that together tilt buyers against sellers by at most this. */
const TREND_TILT_MAX = 0.08;
const TREND_SLOTS = [400, 12_000] as const;
const TRADES_PER_SLOT_MAX = 1_000;

type Wave = { readonly slots: number; readonly phase: number };

export class Flow {
  readonly #cumulative: readonly number[];
  readonly #waves: readonly (readonly [Wave, Wave])[];

  constructor(
    readonly seed: string,
    readonly market: FlowMarket,
    readonly tradesPerSlot: number,
  ) {
    let sum = 0;
    this.#cumulative = market.pools.map(({ depthSol }) => {
      sum += depthSol ** DEPTH_POWER;
      return sum;
    });
    const random = seededRandom(`${seed}/trends`);
    const wave = (): Wave => ({ slots: random.between(...TREND_SLOTS), phase: random.unit() });
    this.#waves = market.tokens.map(() => [wave(), wave()]);
  }

  /** The same for the same seed, market, rate and slot, in whatever order slots are asked for. */
  tradesOf(slot: bigint): readonly PlannedTrade[] {
    const random = seededRandom(`${this.seed}/flow/${slot}`);
    const count = Math.min(poisson(random, this.tradesPerSlot), TRADES_PER_SLOT_MAX);
    const times = Array.from({ length: count }, () => random.unit() * LAST_SHARE).sort((a, b) => a - b);
    return times.map((atShare) => this.#trade(random, slot, atShare));
  }

  #trade(random: Random, slot: bigint, atShare: number): PlannedTrade {
    const { traders, sizeMedian, sizeDeviation } = pickCrowd(random);
    const pool = this.#pickPool(random);
    const { tokens, depthSol } = this.market.pools[pool] as FlowMarket["pools"][number];
    const tilt = this.#tilt(tokens[0], slot) - this.#tilt(tokens[1], slot);
    // Wanted: the token whose trend is up; paid with the other.
    const inputSide = random.unit() < 0.5 + tilt / 2 ? 1 : 0;
    const size = Math.min(SIZE_MAX, sizeMedian * Math.exp(sizeDeviation * random.normal()));
    const { unitsPerSol } = this.market.tokens[tokens[inputSide]] as FlowMarket["tokens"][number];
    const amountIn = BigInt(Math.max(1, Math.floor(Math.min(size * depthSol, SIZE_SOL_MAX) * unitsPerSol)));
    return { trader: random.between(traders[0], traders[1]), pool, inputSide, amountIn, atShare };
  }

  #pickPool(random: Random): number {
    const drawn = random.unit() * (this.#cumulative.at(-1) ?? 0);
    return this.#cumulative.findIndex((sum) => drawn < sum);
  }

  /** Between -TREND_TILT_MAX and TREND_TILT_MAX; wrapped SOL, what everything is measured in, has no trend. */
  #tilt(token: number, slot: bigint): number {
    if (token === 0) return 0;
    const [slow, fast] = this.#waves[token] as readonly [Wave, Wave];
    const turn = ({ slots, phase }: Wave) => Math.sin(2 * Math.PI * (Number(slot % 1_000_000_000n) / slots + phase));
    return (TREND_TILT_MAX * (turn(slow) + turn(fast))) / 2;
  }
}

function pickCrowd(random: Random): (typeof CROWD)[number] {
  let drawn = random.unit();
  for (const crowd of CROWD) {
    drawn -= crowd.share;
    if (drawn < 0) return crowd;
  }
  return CROWD[0];
}

/** How many of many rare events happen, `mean` on average: normal above 30, where the product would underflow slowly. */
function poisson(random: Random, mean: number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  const floor = Math.exp(-mean);
  let count = 0;
  for (let product = random.unit(); product > floor; product *= random.unit()) count++;
  return count;
}
