/** The pools of a labelled run and what their tokens are worth elsewhere, a slow random walk that the pools follow. */
import type { Random } from "#core/random.ts";
import { seededRandom } from "#core/random.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import type { VenueName } from "#dex/venue.ts";
import type { PaperPool } from "./paper-pool.ts";
import type { Stage } from "./stage.ts";

const SOL = 1_000_000_000n;
const POOLS = 240;
const TWIN_SHARE = 0.3;
const DOLLAR_SHARE = 0.06;
const DOLLARS_PER_SOL = 150;
const DOLLAR_UNITS = 1_000_000;
/** One standard deviation of a token's worth, per slot. */
const DRIFT = 0.0004;
/** Launched pools beyond this many end the oldest. */
const LAUNCHED_MAX = 60;
/** Pools are chosen by rank to this power: a few take most of the flow. */
const RANK_POWER = 2.2;

const VENUES: readonly (readonly [VenueName, number, number, number])[] = [
  ["raydium-amm-v4", 0.42, 25, 10_000],
  ["raydium-cpmm", 0.23, 2_500, 1_000_000],
  ["pumpswap", 0.13, 25, 10_000],
  ["raydium-clmm", 0.1, 2_500, 1_000_000],
  ["orca-whirlpool", 0.07, 3_000, 1_000_000],
  ["meteora-dlmm", 0.05, 2_000, 1_000_000],
];

export class Market {
  readonly dollar: Address;
  readonly random: Random;
  /** The most traded first. */
  readonly pools: PaperPool[] = [];
  readonly launched: PaperPool[] = [];
  readonly #stage: Stage;
  readonly #byToken = new Map<Address, PaperPool[]>();
  /** Money units per token unit. */
  readonly #worth = new Map<PaperPool, number>();

  constructor(seed: string, stage: Stage) {
    this.#stage = stage;
    this.random = seededRandom(`${seed}/market`);
    this.dollar = stage.address();
    this.#open("raydium-amm-v4", WSOL_MINT, this.dollar, [
      20_000n * SOL,
      BigInt(20_000 * DOLLARS_PER_SOL * DOLLAR_UNITS),
    ]);
    while (this.pools.length < POOLS) {
      const token = stage.address();
      const money = this.random.unit() < DOLLAR_SHARE ? this.dollar : WSOL_MINT;
      const first = this.#openSized(money, token, undefined);
      if (this.random.unit() < TWIN_SHARE) this.#openSized(money, token, first);
    }
  }

  /** Some pool that people trade on, popular ones more often. */
  pick(random: Random): PaperPool {
    if (this.launched.length > 0 && random.unit() < 0.15) return random.pick(this.launched);
    return this.pools[Math.floor(random.unit() ** RANK_POWER * this.pools.length)] as PaperPool;
  }

  /** A pool nobody is excited about. */
  pickQuiet(random: Random): PaperPool {
    return this.pools[random.between(Math.floor(this.pools.length / 2), this.pools.length)] as PaperPool;
  }

  twinsOf(pool: PaperPool): readonly PaperPool[] {
    return (this.#byToken.get(pool.token) ?? []).filter((other) => other !== pool && other.money === pool.money);
  }

  /** Logarithm of its worth over its price: above 0 it is cheap. */
  cheapness(pool: PaperPool): number {
    return Math.log((this.#worth.get(pool) ?? 1) / priceOf(pool));
  }

  launch(): PaperPool {
    const money = BigInt(this.random.between(30, 90)) * SOL;
    const venue = this.random.pick(["raydium-cpmm", "raydium-amm-v4", "pumpswap"] as const);
    const pool = this.#make(venue, WSOL_MINT, this.#stage.address(), [money, 1_000_000_000_000_000n]);
    this.launched.push(pool);
    if (this.launched.length > LAUNCHED_MAX) this.#worth.delete(this.launched.shift() as PaperPool);
    return pool;
  }

  /** Excitement about a token that makes it worth more, or less. */
  moveWorth(pool: PaperPool, factor: number): void {
    this.#worth.set(pool, (this.#worth.get(pool) ?? priceOf(pool)) * factor);
  }

  drift(): void {
    for (const [pool, worth] of this.#worth) this.#worth.set(pool, worth * Math.exp(this.random.normal() * DRIFT));
  }

  /** What an amount of a pool's money is in lamports now. */
  lamportsOf(pool: PaperPool, money: bigint): bigint {
    if (pool.money === WSOL_MINT) return money;
    const [lamports, dollars] = (this.pools[0] as PaperPool).reserves;
    return (money * lamports) / dollars;
  }

  #openSized(money: Address, token: Address, like: PaperPool | undefined): PaperPool {
    const sol = Math.exp(Math.log(30) + this.random.unit() * Math.log(150));
    const units = money === WSOL_MINT ? 1e9 : DOLLARS_PER_SOL * DOLLAR_UNITS;
    const price = like === undefined ? 10 ** (this.random.unit() * 4 - 3) : priceOf(like);
    const amount = sol * units;
    return this.#open(this.#venue(), money, token, [BigInt(Math.floor(amount)), BigInt(Math.floor(amount / price))]);
  }

  #venue(): VenueName {
    let left = this.random.unit();
    for (const [venue, share] of VENUES) {
      left -= share;
      if (left < 0) return venue;
    }
    return "raydium-amm-v4";
  }

  #open(venue: VenueName, money: Address, token: Address, reserves: readonly [bigint, bigint]): PaperPool {
    const pool = this.#make(venue, money, token, reserves);
    this.pools.push(pool);
    this.#byToken.set(token, [...(this.#byToken.get(token) ?? []), pool]);
    return pool;
  }

  #make(venue: VenueName, money: Address, token: Address, reserves: readonly [bigint, bigint]): PaperPool {
    const [, , feeNumerator, feeDenominator] = VENUES.find(([name]) => name === venue) as (typeof VENUES)[number];
    const address = this.#stage.address();
    const pool = { address, venue, money, token, feeNumerator, feeDenominator, reserves, history: [], watchers: 0 };
    this.#worth.set(pool, priceOf(pool));
    return pool;
  }
}

/** Money units per token unit. */
const priceOf = ({ reserves: [money, tokens] }: PaperPool): number => Number(money) / Number(tokens);

export const partOf = (amount: bigint, share: number): bigint =>
  (amount * BigInt(Math.round(share * 1e9))) / 1_000_000_000n;
