/**
 * The mev agent's own work on the live market: counts every swap, finds sandwiches, and hands out each finding as the fields
 * of an mev envelope. The pools' mints come out of the catalogue; what it does not have yet is counted and passed over.
 */
import type { PoolCatalogue } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { findingFields } from "./finding-fields.ts";
import { fromRing, type SeenTransaction } from "./ring-transaction.ts";
import { SandwichDetector } from "./sandwich-detector.ts";
import { SwapCounter } from "./swap-counter.ts";

export type FindingFields = ReturnType<typeof findingFields>;

export class MevWatch {
  readonly swaps = new SwapCounter();
  /** Swaps on pools that the catalogue did not have. */
  unknownPools = 0;
  readonly #detector = new SandwichDetector();
  readonly #give: (finding: FindingFields) => void;
  #mints: readonly (readonly [Address, Address])[] = [];

  constructor(give: (finding: FindingFields) => void) {
    this.#give = give;
  }

  setCatalogue({ pools }: PoolCatalogue): void {
    this.#mints = pools.map(({ mints }) => mints);
  }

  see(transaction: SeenTransaction): void {
    for (const { dex, pool } of transaction.swaps) this.swaps.see(dex, pool);
    const read = fromRing(transaction, (index) => this.#mints[index]);
    this.unknownPools += transaction.swaps.length - read.trades.length;
    for (const finding of this.#detector.see(read)) this.#give(findingFields(finding));
  }

  /** What waited for a leg that cannot come any more. */
  flush(): void {
    for (const finding of this.#detector.flush()) this.#give(findingFields(finding));
  }
}
