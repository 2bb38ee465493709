/**
 * The people: orders of every size, straight to a program, through an aggregator or a trading terminal, some split over two
 * pools, some that fail; scalpers who are out again within slots, and followers of a few well-known wallets. Their orders
 * are seen by others before they are executed.
 */
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { type Market, partOf } from "./market.ts";
import { fillOf, type PaperOrder, type PaperPool } from "./paper-pool.ts";
import { AGGREGATOR, programOfVenue, tipTransfer } from "./programs.ts";
import type { Executed, Planned, Stage } from "./stage.ts";

const WALLETS = 6_000;
const TERMINALS = 6;
const EXCHANGES = 3;
const STARS = 8;
const FOLLOWERS_PER_STAR = 6;
/** Shares of orders or wallets. */
const SHARE = {
  aggregated: 0.33,
  terminal: 0.25,
  tipped: 0.12,
  exactOut: 0.05,
  scalper: 0.03,
  twoPools: 0.15,
  newWallet: 0.1,
  fromExchange: 0.5,
  fromFriend: 0.05,
  star: 0.004,
} as const;
const TRADE_SHARE_MAX = 0.08;
const SCALP_SLOTS_MEAN = 5;

/** One person's order, with what it takes to execute it. */
export type CrowdOrder = {
  readonly planned: Planned;
  readonly pool: PaperPool;
  readonly order: PaperOrder;
  readonly limit: bigint;
};
/** Who sees an order first; true when it takes care of its execution. */
export type Watcher = (order: CrowdOrder) => boolean;
export type Listener = (order: CrowdOrder) => void;

export class Crowd {
  readonly #random: Random;
  readonly #stage: Stage;
  readonly #market: Market;
  readonly #wallets: Address[];
  readonly #terminals: Address[];
  readonly #exchanges: Address[];
  readonly #stars: { wallet: Address; followers: Address[] }[];
  watcher: Watcher = () => false;
  /** Told after a person's order was executed. */
  listener: Listener = () => undefined;

  constructor(seed: string, stage: Stage, market: Market) {
    this.#random = seededRandom(`${seed}/crowd`);
    this.#stage = stage;
    this.#market = market;
    const some = (count: number) => Array.from({ length: count }, () => stage.address());
    this.#wallets = some(WALLETS);
    this.#terminals = some(TERMINALS);
    this.#exchanges = some(EXCHANGES);
    this.#stars = Array.from({ length: STARS }, () => ({
      wallet: stage.person("star"),
      followers: Array.from({ length: FOLLOWERS_PER_STAR }, () => stage.person("follower")),
    }));
  }

  /** An order out of the blue. */
  arrive(): void {
    if (this.#random.unit() < SHARE.star) {
      this.#follow();
      return;
    }
    const pool = this.#market.pick(this.#random);
    const buy = this.#random.unit() < 0.5 + clamp(this.#market.cheapness(pool) * 2, 0.4);
    this.submit(this.order(pool, buy));
  }

  order(pool: PaperPool, buy: boolean, trader = this.#wallet(), size = this.#size()): CrowdOrder {
    const amount = partOf(buy ? pool.reserves[0] : pool.reserves[1], size);
    const exact = this.#random.unit() < SHARE.exactOut ? "out" : "in";
    const expected = fillOf(pool, pool.reserves, { buy, exact: "in", amount });
    const order: PaperOrder =
      exact === "in" || expected === undefined
        ? { buy, exact: "in", amount }
        : { buy, exact, amount: expected.amountOut };
    return this.#orderOf(pool, order, trader);
  }

  submit(order: CrowdOrder): void {
    if (!this.watcher(order)) this.execute(order);
  }

  execute(order: CrowdOrder): Executed {
    const done = this.#stage.execute(order.planned);
    if (done.fills.length === 0) return done;
    this.listener(order);
    if (this.#random.unit() < SHARE.scalper) this.#scalp(order, done.fills.at(-1)?.amountOut ?? 0n);
    return done;
  }

  #orderOf(pool: PaperPool, order: PaperOrder, trader: Address): CrowdOrder {
    const tolerance = Math.min(0.3, Math.exp(Math.log(0.02) + this.#random.normal() * 0.9));
    const expected = fillOf(pool, pool.reserves, order);
    const [got, paid] = [expected?.amountOut ?? 1n, expected?.amountIn ?? order.amount];
    const limit = order.exact === "in" ? partOf(got, 1 - tolerance) : partOf(paid, 1 + tolerance);
    const through = this.#random.unit();
    const aggregated = through < SHARE.aggregated;
    const terminal = !aggregated && through < SHARE.aggregated + SHARE.terminal;
    const program = aggregated
      ? AGGREGATOR
      : terminal
        ? this.#random.pick(this.#terminals)
        : programOfVenue(pool.venue);
    const main = { pool, order, trader, program, limit };
    const twin = aggregated && this.#random.unit() < SHARE.twoPools ? this.#market.twinsOf(pool)[0] : undefined;
    const side = twin && {
      pool: twin,
      order: {
        ...order,
        exact: "in" as const,
        amount: partOf(order.buy ? twin.reserves[0] : twin.reserves[1], this.#size()),
      },
      trader,
      program,
    };
    const tips =
      terminal && this.#random.unit() < SHARE.tipped
        ? [tipTransfer(this.#random, trader, BigInt(this.#random.between(10_000, 2_000_000)))]
        : [];
    const priorityFeeLamports = BigInt(Math.floor(Math.exp(this.#random.unit() * 12)));
    const planned = { feePayer: trader, swaps: side ? [side, main] : [main], transfers: tips, priorityFeeLamports };
    return { planned, pool, order, limit };
  }

  /** Out again after a few slots, with all that was got. */
  #scalp({ pool, order: { buy }, planned: { feePayer } }: CrowdOrder, amount: bigint): void {
    const slots = Math.floor(-Math.log(1 - this.#random.unit()) * SCALP_SLOTS_MEAN);
    this.#stage.plan(this.#stage.slot + slots, this.#random.unit(), () =>
      this.submit(this.#orderOf(pool, { buy: !buy, exact: "in", amount }, feePayer)),
    );
  }

  /** A well-known wallet buys, others buy after it, and all sell when it does. */
  #follow(): void {
    const { wallet, followers } = this.#random.pick(this.#stars);
    const pool = this.#market.pick(this.#random);
    const held = new Map<Address, bigint>();
    const buy = (trader: Address, size: number) => {
      const done = this.execute(this.order(pool, true, trader, size));
      held.set(trader, done.fills.at(-1)?.amountOut ?? 0n);
    };
    const sell = (trader: Address) => {
      const amount = held.get(trader) ?? 0n;
      if (amount > 0n) this.execute(this.#orderOf(pool, { buy: false, exact: "in", amount }, trader));
    };
    const stage = this.#stage;
    buy(wallet, 0.02);
    const exit = stage.slot + this.#random.between(2, 40);
    const place = this.#random.unit() * 0.5;
    stage.plan(exit, place, () => sell(wallet));
    for (const follower of followers) {
      if (this.#random.unit() < 0.4) continue;
      stage.plan(stage.slot + this.#random.between(0, 3), stage.place + this.#random.unit() * 0.1, () =>
        buy(follower, this.#size()),
      );
      stage.plan(exit + this.#random.between(0, 3), place + this.#random.unit() * 0.5, () => sell(follower));
    }
  }

  #wallet(): Address {
    const at = this.#random.between(0, this.#wallets.length);
    if (this.#random.unit() >= SHARE.newWallet) return this.#wallets[at] as Address;
    const old = this.#wallets[at] as Address;
    const wallet = this.#stage.address();
    this.#wallets[at] = wallet;
    const from = this.#random.unit();
    const exchange = from < SHARE.fromExchange;
    if (exchange || from < SHARE.fromExchange + SHARE.fromFriend) {
      const payer = exchange ? this.#random.pick(this.#exchanges) : old;
      const lamports = BigInt(this.#random.between(100_000_000, 2_000_000_000));
      this.#stage.execute({ feePayer: payer, swaps: [], transfers: [{ from: payer, to: wallet, lamports }] });
      // Who was set up by a friend often trades what the friend does: it stays among the wallets.
      if (!exchange) this.#wallets[this.#random.between(0, this.#wallets.length)] = old;
    }
    return wallet;
  }

  #size(): number {
    return Math.min(TRADE_SHARE_MAX, Math.exp(-6 + this.#random.normal() * 1.2));
  }
}

const clamp = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));
