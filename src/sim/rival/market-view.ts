/** The reserves of every pool as the last transaction left them, read from what transactions write. */
import type { Address } from "#core/units.ts";
import { decodePoolState, decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import type { Cluster, ExecutedTransaction } from "#sim/cluster/cluster.ts";
import type { SimPool } from "#sim/genesis/genesis.ts";

export type Reserves = readonly [bigint, bigint];
type Mutable = { vaults: [bigint, bigint]; owed: readonly [bigint, bigint] };

export class MarketView {
  readonly #state: Mutable[];
  readonly #placeOf = new Map<Address, { readonly pool: number; readonly part: 0 | 1 | "pool" }>();
  readonly #changed = new Set<number>();
  readonly stop: () => void;

  constructor(cluster: Cluster, pools: readonly SimPool[]) {
    this.#state = pools.map(({ reserves }) => ({ vaults: [...reserves], owed: [0n, 0n] }));
    for (const [pool, { facts }] of pools.entries()) {
      this.#placeOf.set(facts.address, { pool, part: "pool" });
      this.#placeOf.set(facts.vaults[0], { pool, part: 0 });
      this.#placeOf.set(facts.vaults[1], { pool, part: 1 });
    }
    this.stop = cluster.onTransaction((transaction) => this.#apply(transaction));
  }

  reserves(pool: number): Reserves {
    const { vaults, owed } = this.#state[pool] as Mutable;
    return [vaults[0] - owed[0], vaults[1] - owed[1]];
  }

  /** The pools that changed since the last call. */
  takeChanged(): number[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  #apply({ error, written }: ExecutedTransaction): void {
    if (error !== null) return;
    for (const { address, data } of written) {
      const place = this.#placeOf.get(address);
      if (place === undefined) continue;
      const state = this.#state[place.pool] as Mutable;
      if (place.part === "pool") {
        const pool = decodePoolState(data);
        if (pool.ok) state.owed = pool.value.feesOwed;
      } else {
        const amount = decodeTokenAmount(data);
        if (amount.ok) state.vaults[place.part] = amount.value;
      }
      this.#changed.add(place.pool);
    }
  }
}
