/** What each wallet did before: findings that name it, and round trips that were no attack. Bounded; the oldest go first. */
import type { Address } from "#core/units.ts";

const WALLETS_MAX = 65_536;
/** A wallet with this many idle round trips, and more than twice its findings, makes markets or volume. */
const IDLE_ROUND_TRIPS_MAX = 4;

type Habit = { findings: number; roundTrips: number };

export class Habits {
  readonly #habits = new Map<Address, Habit>();

  note(wallets: readonly Address[], what: keyof Habit): void {
    for (const wallet of wallets) {
      const habit = this.#habits.get(wallet) ?? { findings: 0, roundTrips: 0 };
      habit[what]++;
      this.#habits.delete(wallet);
      this.#habits.set(wallet, habit);
      if (this.#habits.size <= WALLETS_MAX) continue;
      const [oldest] = this.#habits.keys();
      if (oldest !== undefined) this.#habits.delete(oldest);
    }
  }

  /** Together. */
  of(wallets: readonly Address[]): Readonly<Habit> {
    const all = wallets.map((wallet) => this.#habits.get(wallet) ?? { findings: 0, roundTrips: 0 });
    return {
      findings: all.reduce((sum, { findings }) => sum + findings, 0),
      roundTrips: all.reduce((sum, { roundTrips }) => sum + roundTrips, 0),
    };
  }

  /** Whether these wallets trade back and forth for a living, as market makers and volume bots do. */
  goBackAndForth(wallets: readonly Address[]): boolean {
    const { findings, roundTrips } = this.of(wallets);
    return roundTrips >= IDLE_ROUND_TRIPS_MAX && roundTrips > 2 * findings;
  }
}
