/**
 * Finds sandwiches in a stream of transactions in execution order. A sandwich is: one trader's front legs, trades of others
 * in the same direction behind them, and the trader's back legs the other way, on one pool and in different transactions,
 * that took from those others and left a profit after fees and tips. Pure: time is slots, memory is bounded by the window
 * and by the limits of its parts.
 *
 * Legs that use up all of a trader's open trades on a pool are judged at once. Others wait a few slots for the rest of a
 * split leg and are then matched as well as they can be.
 */
import type { Address } from "#core/units.ts";
import { type Candidate, type IdleLegs, judgeLegs } from "./candidate.ts";
import type { SandwichFinding } from "./finding.ts";
import { Habits } from "./habits.ts";
import { joinCandidates } from "./join-candidates.ts";
import { matchLegs } from "./match-legs.ts";
import { type PlacedTrade, PoolWindow } from "./pool-window.ts";
import { PriceTable } from "./price-table.ts";
import type { MevTransaction } from "./trade.ts";
import { WalletLinks } from "./wallet-links.ts";

export type DetectorOptions = {
  /** Slots from the first front leg to the last back leg. */
  readonly windowSlots: number;
  /** Findings below this score are counted, not given. */
  readonly scoreMin: number;
  /** How far the amounts of front and back legs may be apart, as a part of the larger. */
  readonly amountTolerance: number;
};

export const DETECTOR_DEFAULTS: DetectorOptions = { windowSlots: 8, scoreMin: 0.7, amountTolerance: 0.05 };

/** Slots that a back leg waits for the rest of its set. */
const SPLIT_LEG_SLOTS = 2;
const POOLS_MAX = 65_536;
const WAITING_MAX = 65_536;

type Waiting = { readonly window: PoolWindow; readonly last: PlacedTrade };

export class SandwichDetector {
  readonly counters = { trades: 0, belowScore: 0, netLosses: 0, droppedTrades: 0 };
  readonly prices = new PriceTable();
  readonly #options: DetectorOptions;
  readonly #pools = new Map<Address, PoolWindow>();
  readonly #links = new WalletLinks();
  readonly #habits = new Habits();
  /** Possible back legs whose set was not whole, oldest first. */
  readonly #waiting = new Set<Waiting>();
  #slot = 0;
  #order = 0;

  constructor(options: Partial<DetectorOptions> = {}) {
    this.#options = { ...DETECTOR_DEFAULTS, ...options };
  }

  /** Findings that became certain with this transaction. */
  see(transaction: MevTransaction): SandwichFinding[] {
    const found = transaction.slot > this.#slot ? this.#advance(transaction.slot) : [];
    if (transaction.failed) return found;
    for (const link of transaction.links) this.#links.see(link);
    const judged: (Candidate | IdleLegs)[] = [];
    for (const trade of transaction.trades) {
      this.counters.trades++;
      this.prices.see(trade);
      this.#habits.note(trade.actor, "trades");
      const window = this.#windowOf(trade.pool);
      const placed = { trade, order: this.#order++, settled: trade.aggregated || trade.cyclic };
      window.push(placed, this.#oldestSlot());
      if (placed.settled) continue;
      const legs = this.#close(window, placed, true);
      if (legs !== undefined) judged.push(legs);
    }
    return [...found, ...this.#conclude(judged)];
  }

  /** What is left when the stream ends. */
  flush(): SandwichFinding[] {
    for (const window of this.#pools.values()) this.counters.droppedTrades += window.takeDropped();
    return this.#settle(Number.POSITIVE_INFINITY);
  }

  #advance(slot: number): SandwichFinding[] {
    this.#slot = slot;
    const found = this.#settle(slot - SPLIT_LEG_SLOTS);
    for (const [pool, window] of this.#pools) {
      if (window.newestSlot >= this.#oldestSlot() && this.#pools.size <= POOLS_MAX) break;
      this.counters.droppedTrades += window.takeDropped();
      this.#pools.delete(pool);
    }
    return found;
  }

  /** Judges the back legs that waited since before `slot`. */
  #settle(slot: number): SandwichFinding[] {
    const judged: (Candidate | IdleLegs)[] = [];
    for (const waiting of this.#waiting) {
      if (waiting.last.trade.transaction.slot >= slot && this.#waiting.size <= WAITING_MAX) break;
      this.#waiting.delete(waiting);
      const legs = waiting.last.settled ? undefined : this.#close(waiting.window, waiting.last, false);
      if (legs !== undefined) judged.push(legs);
    }
    return this.#conclude(judged);
  }

  #close(window: PoolWindow, last: PlacedTrade, whole: boolean): Candidate | IdleLegs | undefined {
    const { actor } = last.trade;
    const group = new Set([actor, ...this.#links.related(actor).keys()]);
    const oldest = last.trade.transaction.slot - this.#options.windowSlots;
    const open = (wallets: Iterable<Address>) =>
      window.openTradesOf(wallets, last.order).filter(({ trade }) => trade.transaction.slot >= oldest);
    // Its own trades before those of wallets that are only tied to it.
    let legs = matchLegs(open([actor]), this.#options.amountTolerance, whole);
    if (legs === undefined && group.size > 1) legs = matchLegs(open(group), this.#options.amountTolerance, whole);
    const first = legs?.fronts[0];
    if (legs === undefined || first === undefined) {
      if (whole && open(group).length > 1) this.#waiting.add({ window, last });
      return undefined;
    }
    const placed = [...legs.fronts, ...legs.backs];
    const wallets = [...new Set(placed.map(({ trade }) => trade.actor))];
    for (const leg of placed) leg.settled = true;
    const between = window.between(first.order, last.order);
    const judged = judgeLegs(legs, between, group, this.prices, window.before(first.order));
    if (judged.kind === "idle") for (const wallet of wallets) this.#habits.note(wallet, "roundTrips");
    return judged;
  }

  /** Puts together what one set of transactions did on several pools, and keeps what paid. */
  #conclude(judged: readonly (Candidate | IdleLegs)[]): SandwichFinding[] {
    return joinCandidates(judged, this.#links, this.#habits).flatMap((finding) => {
      if (finding.netLamports <= 0n) {
        this.counters.netLosses++;
        for (const wallet of finding.attackers) this.#habits.note(wallet, "roundTrips");
        return [];
      }
      for (const { trade } of finding.legs) this.#habits.note(trade.actor, "legs");
      if (finding.score < this.#options.scoreMin) {
        this.counters.belowScore++;
        return [];
      }
      return [finding];
    });
  }

  /** The window of a pool, put last among them: the first is the one that was quiet longest. */
  #windowOf(pool: Address): PoolWindow {
    const window = this.#pools.get(pool) ?? new PoolWindow();
    this.#pools.delete(pool);
    this.#pools.set(pool, window);
    return window;
  }

  #oldestSlot(): number {
    // A back leg may wait before it is judged, and its fronts must still be there.
    return this.#slot - this.#options.windowSlots - SPLIT_LEG_SLOTS - 1;
  }
}
