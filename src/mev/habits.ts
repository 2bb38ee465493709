/** What each wallet did before: its trades, those of them that were legs of candidates, and round trips that were no attack. Bounded; those that were quiet longest go first. */
import type { Address } from "#core/units.ts";

const WALLETS_MAX = 32_768;

type Habit = { trades: number; legs: number; roundTrips: number };

export class Habits {
  readonly #habits = new Map<Address, Habit>();
  readonly #walletsMax: number;

  constructor(walletsMax = WALLETS_MAX) {
    this.#walletsMax = walletsMax;
  }

  note(wallet: Address, what: keyof Habit, count = 1): void {
    const habit = this.#habits.get(wallet) ?? { trades: 0, legs: 0, roundTrips: 0 };
    habit[what] += count;
    this.#habits.delete(wallet);
    this.#habits.set(wallet, habit);
    if (this.#habits.size <= this.#walletsMax) return;
    const [oldest] = this.#habits.keys();
    if (oldest !== undefined) this.#habits.delete(oldest);
  }

  /** Together. */
  of(wallets: readonly Address[]): Readonly<Habit> {
    const all = { trades: 0, legs: 0, roundTrips: 0 };
    for (const wallet of wallets) {
      const { trades = 0, legs = 0, roundTrips = 0 } = this.#habits.get(wallet) ?? {};
      all.trades += trades;
      all.legs += legs;
      all.roundTrips += roundTrips;
    }
    return all;
  }
}
