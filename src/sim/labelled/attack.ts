/**
 * One sandwich while it happens: its legs and victims as they are executed, and at the end what it took from whom, by
 * replay of the pools without it.
 */
import type { Address } from "#core/units.ts";
import type { Market } from "./market.ts";
import { type PaperFill, type PaperPool, type PoolSwap, replayWithout, unwatch, watch } from "./paper-pool.ts";
import type { AttackKind, AttackRow } from "./run-rows.ts";
import type { Executed } from "./stage.ts";

/** One pool of an attack. */
export type Target = { readonly pool: PaperPool; readonly buy: boolean; readonly first: number };
type Leg = {
  readonly role: "front" | "back";
  readonly done: Executed;
  readonly pools: readonly PaperPool[];
  readonly tipLamports: bigint;
};

export class Attack {
  readonly targets: Target[] = [];
  readonly #legs: Leg[] = [];
  readonly attackers = new Set<Address>();

  constructor(
    readonly kind: AttackKind,
    readonly variants: readonly string[],
  ) {}

  open(pool: PaperPool, buy: boolean): void {
    watch(pool);
    this.targets.push({ pool, buy, first: pool.history.length });
  }

  /** `pools` are those of the leg's swaps, in their order. */
  leg(role: Leg["role"], wallet: Address, done: Executed, pools: readonly PaperPool[], tipLamports: bigint): void {
    if (done.fills.length === 0) return;
    this.attackers.add(wallet);
    this.#legs.push({ role, done, pools, tipLamports });
  }

  /** What the fronts got on a pool. */
  held(pool: PaperPool): bigint {
    return this.#fills("front", pool).reduce((sum, { amountOut }) => sum + amountOut, 0n);
  }

  close(market: Market): AttackRow {
    const victims = this.targets.flatMap((target) => this.#hurt(target));
    const gross = this.targets.reduce((sum, target) => sum + this.#gross(market, target), 0n);
    const costs = this.#legs.reduce((sum, { done, tipLamports }) => sum + done.feeLamports + tipLamports, 0n);
    for (const { pool } of this.targets) unwatch(pool);
    const signatures = (role: Leg["role"]) =>
      this.#legs.filter((leg) => leg.role === role).map(({ done }) => done.signature);
    const [fronts, backs] = [signatures("front"), signatures("back")];
    return {
      type: "attack",
      sandwich: fronts.length > 0 && backs.length > 0 && victims.length > 0 && gross > costs,
      kind: this.kind,
      variants: this.variants,
      attackers: [...this.attackers],
      fronts,
      backs,
      victims,
      gross_lamports: `${gross}`,
      net_lamports: `${gross - costs}`,
    };
  }

  /** Whoever else traded in its direction between the first front and the last back and would have done better alone. */
  #hurt({ pool, first, buy }: Target): AttackRow["victims"] {
    const [fronts, backs] = [this.#fills("front", pool), this.#fills("back", pool)];
    const own = new Set([...fronts, ...backs]);
    const alone = replayWithout(pool, first, own);
    const swaps = pool.history.slice(first).filter((event): event is PoolSwap => "fill" in event);
    const end = swaps.findIndex(({ fill }) => fill === backs.at(-1));
    return swaps.slice(0, Math.max(end, 0)).flatMap(({ order, fill, signature, cyclic }) => {
      const undisturbed = alone.get(fill);
      if (cyclic || order.buy !== buy || undisturbed === undefined) return [];
      const loss = order.exact === "in" ? undisturbed.amountOut - fill.amountOut : fill.amountIn - undisturbed.amountIn;
      return loss > 0n ? [{ signature, pool: pool.address, loss: `${loss}` }] : [];
    });
  }

  /** Money of the legs, and what is left of the token at the price there is. */
  #gross(market: Market, { pool, buy }: Target): bigint {
    let [money, tokens] = [0n, 0n];
    for (const role of ["front", "back"] as const)
      for (const { amountIn, amountOut } of this.#fills(role, pool))
        if ((role === "front") === buy) [money, tokens] = [money - amountIn, tokens + amountOut];
        else [money, tokens] = [money + amountOut, tokens - amountIn];
    const [reserveMoney, reserveTokens] = pool.reserves;
    return market.lamportsOf(pool, money + (tokens * reserveMoney) / reserveTokens);
  }

  #fills(role: Leg["role"], pool: PaperPool): PaperFill[] {
    return this.#legs
      .filter((leg) => leg.role === role)
      .flatMap(({ done, pools }) => done.fills.filter((_, i) => pools[i] === pool));
  }
}
