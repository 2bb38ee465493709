/**
 * The trades of one pool within the window of slots, in the order of their execution, and each wallet's own among them.
 * Bounded: the oldest leave first, and what leaves before its time is counted.
 */
import type { Address } from "#core/units.ts";
import type { Trade } from "./trade.ts";

/** A trade at its place in the stream. */
export type PlacedTrade = {
  readonly trade: Trade;
  readonly order: number;
  /** It is a leg of a finding, or of a round trip that was none. */
  settled: boolean;
};

const TRADES_MAX = 8_192;

export class PoolWindow {
  newestSlot = 0;
  readonly #trades: PlacedTrade[] = [];
  readonly #byActor = new Map<Address, PlacedTrade[]>();
  readonly #tradesMax: number;
  #dropped = 0;

  constructor(tradesMax = TRADES_MAX) {
    this.#tradesMax = tradesMax;
  }

  push(placed: PlacedTrade, oldestSlot: number): void {
    this.#expire(oldestSlot);
    if (this.#trades.length === this.#tradesMax) {
      this.#dropOldest();
      this.#dropped++;
    }
    this.newestSlot = placed.trade.transaction.slot;
    this.#trades.push(placed);
    const own = this.#byActor.get(placed.trade.actor);
    if (own === undefined) this.#byActor.set(placed.trade.actor, [placed]);
    else own.push(placed);
  }

  /** How many trades left before their time since it was asked last. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Trades of these wallets that are nobody's legs yet, up to `order`, in order. */
  openTradesOf(actors: Iterable<Address>, order: number): PlacedTrade[] {
    const found: PlacedTrade[] = [];
    for (const actor of actors)
      for (const placed of this.#byActor.get(actor) ?? [])
        if (!placed.settled && placed.order <= order) found.push(placed);
    return found.sort((a, b) => a.order - b.order);
  }

  /** All trades from one place in the stream to another, both included. */
  between(first: number, last: number): PlacedTrade[] {
    return this.#trades.slice(this.#placeOf(first), this.#placeOf(last + 1));
  }

  /** The trade right before this place in the stream; undefined where it is not here any more. */
  before(order: number): Trade | undefined {
    return this.#trades[this.#placeOf(order) - 1]?.trade;
  }

  /** Where the first trade with this order or a later one stands. */
  #placeOf(order: number): number {
    let [low, high] = [0, this.#trades.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#trades[middle] as PlacedTrade).order < order) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #expire(oldestSlot: number): void {
    for (let first = this.#trades[0]; first !== undefined; first = this.#trades[0]) {
      if (first.trade.transaction.slot >= oldestSlot) return;
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    const oldest = this.#trades.shift();
    const own = oldest && this.#byActor.get(oldest.trade.actor);
    own?.shift();
    if (oldest && own?.length === 0) this.#byActor.delete(oldest.trade.actor);
  }
}
