/**
 * The attackers. Each sees the crowd's orders before they are executed, picks those that leave room below their limits, and
 * plays one of the known ways: neighbours in one bundle, within a slot, over several slots, with several wallets; split
 * legs, several victims, two pools in one transaction, a part of the position kept. Some change wallets often; some are
 * careless and lose.
 */
import { type Random, seededRandom } from "#core/random.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { Attack } from "./attack.ts";
import type { Crowd, CrowdOrder } from "./crowd.ts";
import { type Market, partOf } from "./market.ts";
import { fillOf, type PaperPool } from "./paper-pool.ts";
import { programOfVenue, tipTransfer } from "./programs.ts";
import type { AttackKind } from "./run-rows.ts";
import type { Stage } from "./stage.ts";

const BOTS = 70;
const KINDS: readonly AttackKind[] = ["same_slot", "bundle", "wide", "multi_wallet"];
const LINKS = ["token account owner", "token transfer", "funding", "tip payer", "fee payer"] as const;
const SHARE = {
  /** Of the orders that would pay. */
  attacked: 0.22,
  /** Of the sellers: an attacker needs the token first. */
  sellers: 0.3,
  careless: 0.02,
  split: 0.15,
  severalVictims: 0.2,
  twoPools: 0.08,
  kept: 0.1,
  changesWallets: 0.3,
  ownProgram: 0.8,
  ownKind: 0.8,
} as const;
/** Some leaders let more of it through. */
const LEADER_EVERY = 8;
const SIZE_STEPS = 24;
const FRONT_SHARE_MAX = 0.3;
const SLOTS_MAX = 6;

type Link = (typeof LINKS)[number];
type Bot = {
  readonly kind: AttackKind;
  readonly link: Link;
  readonly program: Address | undefined;
  readonly tips: boolean;
  readonly keeps: boolean;
  readonly walletLife: number;
  wallets: readonly [Address, Address];
  payer: Address;
  attacksLeft: number;
};
type Sized = { readonly order: CrowdOrder; readonly amount: bigint; readonly gross: bigint };
type Play = {
  readonly bot: Bot;
  readonly attack: Attack;
  readonly fronts: number;
  readonly backs: number;
  readonly keep: number;
  readonly tipLamports: bigint;
};

export class Sandwichers {
  readonly #random: Random;
  readonly #stage: Stage;
  readonly #market: Market;
  readonly #crowd: Crowd;
  readonly #bots: readonly Bot[];
  attacks = 0;

  constructor(seed: string, stage: Stage, market: Market, crowd: Crowd) {
    this.#random = seededRandom(`${seed}/sandwichers`);
    [this.#stage, this.#market, this.#crowd] = [stage, market, crowd];
    this.#bots = Array.from({ length: BOTS }, (_, i) => this.#newBot(i));
  }

  /** Takes the order if it attacks it. */
  consider(order: CrowdOrder): boolean {
    const random = this.#random;
    const eager = this.#stage.leader() % LEADER_EVERY === 0 ? 1.6 : 0.8;
    if (random.unit() > SHARE.attacked * eager || order.pool.watchers > 3) return false;
    if (!order.order.buy && random.unit() > SHARE.sellers) return false;
    const sized = this.#size(order);
    if (sized === undefined) return false;
    const tipLamports = partOf(sized.gross > 0n ? sized.gross : 100_000n, 0.1 + random.unit() * 0.4);
    if (sized.gross < tipLamports + 100_000n && random.unit() > SHARE.careless) return false;
    this.#begin(random.pick(this.#bots), sized, tipLamports);
    return true;
  }

  #begin(bot: Bot, main: Sized, tipLamports: bigint): void {
    const random = this.#random;
    const kind =
      random.unit() < SHARE.ownKind ? bot.kind : random.pick(KINDS.filter((each) => each !== "multi_wallet"));
    const second = random.unit() < SHARE.twoPools ? this.#secondOf(main) : undefined;
    const split = second === undefined && random.unit() < SHARE.split;
    const victims =
      second === undefined && random.unit() < SHARE.severalVictims
        ? random.between(1, random.unit() < 0.1 ? 12 : 4)
        : 0;
    const keep = bot.keeps ? random.normal() * 0.01 : 0;
    const variants = [
      split && "split",
      victims > 0 && "victims",
      second !== undefined && "pools",
      keep !== 0 && "kept",
      kind === "multi_wallet" && `linked by ${bot.link}`,
      !main.order.order.buy && "sells",
      main.order.pool.money !== WSOL_MINT && "dollar",
    ].filter((variant) => variant !== false);
    const attack = new Attack(kind, variants);
    this.attacks++;
    if (bot.attacksLeft-- === 0) this.#changeWallets(bot);
    const [fronts, backs] = split ? [random.between(1, 4), random.between(2, 4)] : [1, 1];
    const tips = kind === "bundle" || bot.tips || (kind === "multi_wallet" && bot.link === "tip payer");
    const play = { bot, attack, fronts, backs, keep, tipLamports: tips ? tipLamports : 0n };
    const targets = second === undefined ? [main] : [main, second];
    const more = Array.from({ length: victims }, () =>
      this.#crowd.order(main.order.pool, main.order.order.buy, undefined, 0.001 + random.unit() * 0.015),
    );
    this.#play(play, targets, [...targets.map(({ order }) => order), ...more]);
  }

  /** Fronts now; victims and backs when the way of this attack says. */
  #play(play: Play, targets: readonly Sized[], orders: readonly CrowdOrder[]): void {
    const [stage, random] = [this.#stage, this.#random];
    const { kind } = play.attack;
    for (const { order } of targets) play.attack.open(order.pool, order.order.buy);
    const timing = kind === "multi_wallet" ? random.pick(["bundle", "same_slot", "wide"] as const) : kind;
    const steps: (() => void)[] = [
      ...Array.from({ length: play.fronts }, (_, i) => () => this.#front(play, targets, i)),
      ...orders.map((order) => () => void this.#crowd.execute(order)),
      ...Array.from({ length: play.backs }, (_, i) => () => this.#back(play, targets, i)),
    ];
    const last = steps.length - 1;
    const end = steps[last] as () => void;
    steps[last] = () => {
      end();
      this.#finish(play.attack);
    };
    if (timing === "bundle") {
      for (const step of steps) step();
      return;
    }
    let [slot, place] = [stage.slot, stage.place];
    const slotsApart =
      timing === "wide" ? (random.unit() < 0.6 ? random.between(1, 3) : random.between(2, SLOTS_MAX + 1)) : 0;
    const victimSlot = slot + random.between(0, slotsApart + 1);
    steps.forEach((step, i) => {
      const next = i < play.fronts ? stage.slot : i <= last - play.backs ? victimSlot : stage.slot + slotsApart;
      if (i > 0)
        place = next > slot ? random.unit() * 0.8 : Math.min(0.9999, place - Math.log(1 - random.unit()) * 0.02);
      slot = next;
      if (i === 0) step();
      else stage.plan(slot, place, step);
    });
  }

  #front({ bot, attack, fronts }: Play, targets: readonly Sized[], part: number): void {
    const [wallet, other] = bot.wallets;
    const byOwner = attack.kind === "multi_wallet" && bot.link === "token account owner";
    const swaps = targets.map(({ order: { pool, order }, amount }) => {
      const share =
        part === fronts - 1 ? amount - (amount / BigInt(fronts)) * BigInt(fronts - 1) : amount / BigInt(fronts);
      const swap = { pool, order: { buy: order.buy, exact: "in" as const, amount: share }, trader: wallet };
      return { ...swap, program: bot.program ?? programOfVenue(pool.venue), ...(byOwner ? { paidTo: other } : {}) };
    });
    const moved = attack.kind === "multi_wallet" && bot.link === "token transfer";
    const atOnce = moved && this.#random.unit() < 0.5;
    const sharedTip = attack.kind === "multi_wallet" && bot.link === "tip payer" ? 10_000n : 0n;
    const done = this.#stage.execute({
      feePayer: attack.kind === "multi_wallet" && bot.link === "fee payer" ? bot.payer : wallet,
      swaps,
      priorityFeeLamports: this.#priorityFee(),
      transfers: sharedTip > 0n ? [tipTransfer(this.#random, bot.payer, sharedTip)] : [],
      tokenTransfers: atOnce ? [{ from: wallet, to: other }] : [],
    });
    attack.leg(
      "front",
      wallet,
      done,
      targets.map(({ order }) => order.pool),
      sharedTip,
    );
    if (moved && !atOnce)
      this.#stage.execute({ feePayer: wallet, swaps: [], tokenTransfers: [{ from: wallet, to: other }] });
  }

  #back({ bot, attack, backs, keep, tipLamports }: Play, targets: readonly Sized[], part: number): void {
    const several = attack.kind === "multi_wallet";
    const wallet = bot.wallets[several ? 1 : 0];
    const swaps = targets.map(({ order: { pool, order } }) => {
      const all = partOf(attack.held(pool), 1 - keep);
      const amount = part === backs - 1 ? all - (all / BigInt(backs)) * BigInt(backs - 1) : all / BigInt(backs);
      const swap = { pool, order: { buy: !order.buy, exact: "in" as const, amount }, trader: wallet };
      return { ...swap, program: bot.program ?? programOfVenue(pool.venue) };
    });
    if (swaps.some(({ order }) => order.amount === 0n)) return;
    const tip = part === backs - 1 ? tipLamports : 0n;
    const tipPayer = several && bot.link === "tip payer" ? bot.payer : wallet;
    const done = this.#stage.execute({
      feePayer: several && bot.link === "fee payer" ? bot.payer : wallet,
      swaps,
      priorityFeeLamports: this.#priorityFee(),
      transfers: tip > 0n ? [tipTransfer(this.#random, tipPayer, tip)] : [],
    });
    attack.leg(
      "back",
      wallet,
      done,
      targets.map(({ order }) => order.pool),
      tip,
    );
  }

  #finish(attack: Attack): void {
    this.#stage.write(attack.close(this.#market));
  }

  /** The largest front that leaves the order its limit, less some caution, and what it would bring. */
  #size(order: CrowdOrder): Sized | undefined {
    const { pool, limit } = order;
    const { buy, exact } = order.order;
    const reserve = buy ? pool.reserves[0] : pool.reserves[1];
    const allowed = (amount: bigint) => {
      const front = fillOf(pool, pool.reserves, { buy, exact: "in", amount });
      const victim = front && fillOf(pool, front.after, order.order);
      if (front === undefined || victim === undefined) return undefined;
      return (exact === "in" ? victim.amountOut >= limit : victim.amountIn <= limit) ? { front, victim } : undefined;
    };
    let [low, high] = [0n, partOf(reserve, FRONT_SHARE_MAX)];
    for (let step = 0; step < SIZE_STEPS; step++) {
      const middle = (low + high) / 2n;
      if (allowed(middle) === undefined) high = middle;
      else low = middle;
    }
    const amount = partOf(low, 0.5 + this.#random.unit() * 0.5);
    const told = amount > 0n ? allowed(amount) : undefined;
    const back = told && fillOf(pool, told.victim.after, { buy: !buy, exact: "in", amount: told.front.amountOut });
    if (back === undefined) return undefined;
    const gain = back.amountOut - amount;
    const money = buy ? gain : (gain * pool.reserves[0]) / pool.reserves[1];
    return { order, amount, gross: this.#market.lamportsOf(pool, money) };
  }

  /** Another order on another pool that can be taken in the same transactions. */
  #secondOf({ order: { pool, order } }: Sized): Sized | undefined {
    const other: PaperPool = this.#market.pick(this.#random);
    if (other === pool || other.money !== pool.money || other.token === pool.token) return undefined;
    const sized = this.#size(this.#crowd.order(other, order.buy, undefined, 0.01 + this.#random.unit() * 0.03));
    return sized !== undefined && sized.gross > 100_000n ? sized : undefined;
  }

  #priorityFee(): bigint {
    return BigInt(this.#random.between(0, 100_000));
  }

  #newBot(i: number): Bot {
    const random = this.#random;
    const address = () => this.#stage.address();
    const walletLife = random.unit() < SHARE.changesWallets ? random.between(4, 20) : Number.POSITIVE_INFINITY;
    return {
      kind: KINDS[i % KINDS.length] as AttackKind,
      link: LINKS[Math.floor(i / KINDS.length) % LINKS.length] as Link,
      program: random.unit() < SHARE.ownProgram ? address() : undefined,
      tips: random.unit() < 0.5,
      keeps: random.unit() < SHARE.kept,
      walletLife,
      wallets: [address(), address()],
      payer: address(),
      attacksLeft: 0,
    };
  }

  /** New wallets, and where money ties them, the payment that does. */
  #changeWallets(bot: Bot): void {
    const [first, second] = [this.#stage.address(), this.#stage.address()];
    bot.wallets = [first, second];
    bot.payer = this.#stage.address();
    bot.attacksLeft = bot.walletLife;
    if (bot.kind !== "multi_wallet" || bot.link !== "funding") return;
    const lamports = 5_000_000_000n;
    const direct = this.#random.unit() < 0.5;
    const pay = (from: Address, to: Address) =>
      this.#stage.execute({ feePayer: from, swaps: [], transfers: [{ from, to, lamports }] });
    if (!direct) pay(bot.payer, first);
    pay(direct ? first : bot.payer, second);
  }
}
