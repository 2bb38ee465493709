/**
 * Those who trade for a living and take from nobody in particular: market makers that lean against the flow, some with one
 * clip size for both sides; traders who know the price elsewhere; volume bots that trade with themselves; atomic
 * arbitrageurs; and liquidity that comes and goes, also just around one large order.
 */
import { type Random, seededRandom } from "#core/random.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import type { CrowdOrder } from "./crowd.ts";
import { type Market, partOf } from "./market.ts";
import { fillOf, moveLiquidity, type PaperPool } from "./paper-pool.ts";
import { programOfVenue, tipTransfer } from "./programs.ts";
import type { PersonRow } from "./run-rows.ts";
import type { Stage } from "./stage.ts";

const MAKERS = 30;
const POOLS_PER_MAKER = 6;
const REFERENCE_TRADERS = 8;
const VOLUME_BOTS = 24;
const ARBITRAGEURS = 10;
const REFERENCE_LOOKS = 8;
const REFERENCE_GAP = 0.012;
/** Per slot. */
const LIQUIDITY_MOVES = 0.2;
const LARGE_ORDER = 0.02;

type Maker = {
  readonly wallet: Address;
  readonly program: Address | undefined;
  readonly clipShare: number;
  readonly replies: number;
};
type VolumeBot = {
  readonly wallets: readonly Address[];
  readonly pool: PaperPool;
  readonly everySlots: number;
  funded: boolean;
};

export class Makers {
  readonly #random: Random;
  readonly #stage: Stage;
  readonly #market: Market;
  readonly #makers = new Map<PaperPool, Maker[]>();
  readonly #clips = new Map<PaperPool, bigint>();
  readonly #reference: { wallet: Address; program: Address }[];
  readonly #arbitrageurs: { wallet: Address; program: Address }[];
  readonly #volume: VolumeBot[];

  constructor(seed: string, stage: Stage, market: Market) {
    this.#random = seededRandom(`${seed}/makers`);
    this.#stage = stage;
    this.#market = market;
    const pair = (role: PersonRow["role"]) => ({ wallet: stage.person(role), program: stage.address() });
    for (let i = 0; i < MAKERS; i++) {
      const { wallet, program } = pair("market maker");
      const own = this.#random.unit() < 0.5 ? program : undefined;
      const clipShare = this.#random.unit() < 0.35 ? 0.004 : 0;
      for (let k = 0; k < POOLS_PER_MAKER; k++) {
        const pool = market.pick(this.#random);
        const maker = { wallet, program: own, clipShare, replies: 0.15 + this.#random.unit() * 0.5 };
        this.#makers.set(pool, [...(this.#makers.get(pool) ?? []), maker]);
      }
    }
    this.#reference = Array.from({ length: REFERENCE_TRADERS }, () => pair("reference trader"));
    this.#arbitrageurs = Array.from({ length: ARBITRAGEURS }, () => pair("arbitrageur"));
    this.#volume = Array.from({ length: VOLUME_BOTS }, () => ({
      wallets: Array.from({ length: this.#random.between(1, 6) }, () => stage.person("volume bot")),
      pool: market.pickQuiet(this.#random),
      everySlots: this.#random.between(4, 40),
      funded: false,
    }));
  }

  /** What they plan for the slot that comes. */
  prepare(slot: number): void {
    for (let i = 0; i < REFERENCE_LOOKS; i++)
      this.#stage.plan(slot, this.#random.unit(), () => this.#closeGap(this.#market.pick(this.#random)));
    for (const bot of this.#volume)
      if (this.#random.unit() * bot.everySlots < 1)
        this.#stage.plan(slot, this.#random.unit(), () => this.#makeVolume(bot));
    if (this.#random.unit() < LIQUIDITY_MOVES)
      this.#stage.plan(slot, this.#random.unit(), () =>
        this.#moveLiquidity(this.#market.pick(this.#random), BigInt(this.#random.between(900, 1_110)), 1_000n),
      );
  }

  /** Somebody's order was executed. */
  hear({ pool, order }: CrowdOrder): void {
    for (const maker of this.#makers.get(pool) ?? [])
      if (this.#random.unit() < maker.replies) this.#reply(maker, pool, order.buy);
    const twin = this.#market.twinsOf(pool)[0];
    if (twin !== undefined && this.#random.unit() < 0.6) this.#soon(() => this.#arbitrage(pool, twin), 0.02);
  }

  /** Liquidity for one order: there before it, gone behind it. True when it was provided. */
  provideJustInTime({ pool, order }: CrowdOrder, execute: () => void): boolean {
    const reserve = order.buy ? pool.reserves[0] : pool.reserves[1];
    if (order.exact === "out" || order.amount < partOf(reserve, LARGE_ORDER) || this.#random.unit() > 0.02)
      return false;
    this.#moveLiquidity(pool, 1_300n, 1_000n);
    execute();
    this.#moveLiquidity(pool, 1_000n, 1_300n);
    return true;
  }

  /** The other way, for a part of what came, or for the clip that it always trades. */
  #reply({ wallet, program, clipShare }: Maker, pool: PaperPool, bought: boolean): void {
    this.#soon(() => {
      const clip = this.#clips.get(pool) ?? partOf(pool.reserves[1], clipShare || 0.004);
      this.#clips.set(pool, clip);
      const buy = !bought;
      const reserve = buy ? pool.reserves[0] : pool.reserves[1];
      const free = partOf(reserve, Math.min(0.02, Math.exp(-6 + this.#random.normal())));
      // A clip is a number of tokens: sold exactly, bought exactly.
      const order =
        clipShare > 0
          ? { buy, exact: buy ? ("out" as const) : ("in" as const), amount: clip }
          : { buy, exact: "in" as const, amount: free };
      this.#trade(wallet, program, pool, order);
    }, 0.15);
  }

  #closeGap(pool: PaperPool): void {
    const gap = this.#market.cheapness(pool);
    if (Math.abs(gap) < REFERENCE_GAP) return;
    const { wallet, program } = this.#random.pick(this.#reference);
    const buy = gap > 0;
    const amount = partOf(
      buy ? pool.reserves[0] : pool.reserves[1],
      Math.min(0.2, Math.abs(gap) / 2) * (0.3 + this.#random.unit() * 0.6),
    );
    this.#trade(wallet, program, pool, { buy, exact: "in", amount });
  }

  /** Buys, and sells the same a moment later: with the same wallet or another of its own, or in one transaction. */
  #makeVolume(bot: VolumeBot): void {
    const { wallets, pool } = bot;
    if (!bot.funded) this.#fund(bot);
    const [first, second] = [this.#random.pick(wallets), this.#random.pick(wallets)];
    const amount = partOf(pool.reserves[0], 0.002 + this.#random.unit() * 0.01);
    const bought = this.#trade(first, undefined, pool, { buy: true, exact: "in", amount });
    if (bought === undefined) return;
    const sell = () => void this.#trade(second, undefined, pool, { buy: false, exact: "in", amount: bought });
    const way = this.#random.unit();
    if (way < 0.4) sell();
    else if (way < 0.7) this.#soon(sell, 0.3);
    else this.#stage.plan(this.#stage.slot + this.#random.between(1, 6), this.#random.unit(), sell);
  }

  #fund(bot: VolumeBot): void {
    const from = this.#stage.address();
    const transfers = bot.wallets.map((to) => ({ from, to, lamports: 1_000_000_000n }));
    this.#stage.execute({ feePayer: from, swaps: [], transfers });
    bot.funded = true;
  }

  /** Buys where it is cheaper and sells where it is dearer, in one transaction, when that pays. */
  #arbitrage(a: PaperPool, b: PaperPool): void {
    const [cheap, dear] = this.#price(a) < this.#price(b) ? [a, b] : [b, a];
    const { wallet, program } = this.#random.pick(this.#arbitrageurs);
    let best: { amount: bigint; tokens: bigint; profit: bigint } | undefined;
    for (const share of [0.001, 0.002, 0.004, 0.008, 0.016, 0.03]) {
      const amount = partOf(cheap.reserves[0], share);
      const bought = fillOf(cheap, cheap.reserves, { buy: true, exact: "in", amount });
      const sold = bought && fillOf(dear, dear.reserves, { buy: false, exact: "in", amount: bought.amountOut });
      const profit = (sold?.amountOut ?? 0n) - amount;
      if (bought && profit > (best?.profit ?? 0n)) best = { amount, tokens: bought.amountOut, profit };
    }
    if (best === undefined || this.#market.lamportsOf(cheap, best.profit) < 50_000n) return;
    this.#stage.execute({
      feePayer: wallet,
      swaps: [
        { pool: cheap, order: { buy: true, exact: "in", amount: best.amount }, trader: wallet, program },
        { pool: dear, order: { buy: false, exact: "in", amount: best.tokens }, trader: wallet, program },
      ],
      transfers: cheap.money === WSOL_MINT ? [tipTransfer(this.#random, wallet, best.profit / 3n)] : [],
    });
  }

  #trade(
    wallet: Address,
    program: Address | undefined,
    pool: PaperPool,
    order: Parameters<typeof fillOf>[2],
  ): bigint | undefined {
    const swap = { pool, order, trader: wallet, program: program ?? programOfVenue(pool.venue) };
    const priorityFeeLamports = BigInt(this.#random.between(0, 20_000));
    return this.#stage.execute({ feePayer: wallet, swaps: [swap], priorityFeeLamports }).fills[0]?.amountOut;
  }

  #moveLiquidity(pool: PaperPool, numerator: bigint, denominator: bigint): void {
    this.#stage.execute({ feePayer: this.#stage.address(), swaps: [] });
    moveLiquidity(pool, numerator, denominator);
  }

  #soon(act: () => void, within: number): void {
    const place = this.#stage.place + this.#random.unit() * within;
    if (place < 1) this.#stage.plan(this.#stage.slot, place, act);
    else this.#stage.plan(this.#stage.slot + 1, place - 1, act);
  }

  #price({ reserves: [money, tokens] }: PaperPool): number {
    return Number(money) / Number(tokens);
  }
}
