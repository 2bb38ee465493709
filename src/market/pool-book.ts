/**
 * What the feed knows of every pool: its reserves (or, where liquidity is concentrated, price and ticks), made from account bytes (CP-Swap) or from what its swaps say (AMM v4
 * in recordings). All writes of one transaction go in together, and only then are reserves made: a vault without its pool
 * would be a price that never was.
 */
import type { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { startsWith } from "#dex/bytes.ts";
import { RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { ammV4PoolFacts } from "#dex/raydium-amm-v4/facts.ts";
import {
  type CpmmAmmConfig,
  type CpmmPoolState,
  decodeAmmConfig,
  decodePoolState,
  decodeTokenAmount,
} from "#dex/raydium-cpmm/decode.ts";
import { cpmmPoolFacts, cpmmReserve, cpmmSwaps } from "#dex/raydium-cpmm/facts.ts";
import { CPMM_DISCRIMINATOR } from "#dex/raydium-cpmm/layout.ts";
import type { PoolCatalogueBook } from "./catalogue.ts";
import { ConcentratedBook } from "./concentrated-book.ts";
import type { AccountWrite } from "./source.ts";
import type { MarketSwap } from "./swaps.ts";
import type { MarketTransaction } from "./transaction.ts";

export type Reserves = readonly [bigint, bigint];

type CpmmPool = { state: CpmmPoolState; readonly amounts: [bigint | undefined, bigint | undefined] };

export type PoolBookCounters = {
  /** Accounts that are not what they claim to be. */
  malformedAccounts: number;
  /** Pools of kinds that cannot be followed, or beyond the catalogue's room. */
  refusedPools: number;
};

export class PoolBook {
  readonly counters: PoolBookCounters = { malformedAccounts: 0, refusedPools: 0 };
  /** Pools of concentrated liquidity, which have prices and ticks instead of reserves. */
  readonly concentrated: ConcentratedBook;
  readonly #catalogue: PoolCatalogueBook;
  readonly #cpmmAuthority: Address;
  readonly #unixSeconds: () => number;
  readonly #configs = new Map<Address, CpmmAmmConfig>();
  readonly #cpmmPools = new Map<Address, CpmmPool>();
  readonly #vaults = new Map<Address, { readonly pool: Address; readonly side: 0 | 1 }>();
  /** By pool number; undefined until both sides are known. */
  readonly #reserves: (Reserves | undefined)[] = [];

  /** A pool that does not swap, or not yet, counts as empty until it is written again: its first swap does that. */
  constructor(catalogue: PoolCatalogueBook, cpmmAuthority: Address, unixSeconds: () => number) {
    this.#catalogue = catalogue;
    this.concentrated = new ConcentratedBook(catalogue, this.counters, unixSeconds);
    this.#unixSeconds = unixSeconds;
    this.#cpmmAuthority = cpmmAuthority;
  }

  /** Reserves by pool number. */
  reserves(index: number): Reserves | undefined {
    return this.#reserves[index];
  }

  /** Numbers of all pools whose state is known. */
  known(): number[] {
    return [...this.#withReserves(), ...this.concentrated.known()];
  }

  #withReserves(): number[] {
    return this.#reserves.flatMap((reserves, index) => (reserves === undefined ? [] : [index]));
  }

  /** Forgets all state, and what had reserves now has none: a snapshot follows that says what is still there. */
  clear(): void {
    this.#configs.clear();
    this.#cpmmPools.clear();
    this.#vaults.clear();
    this.concentrated.clear();
    for (const index of this.#withReserves()) this.#reserves[index] = [0n, 0n];
  }

  /** Takes in the writes of one transaction, or of a snapshot. Answers the numbers of the pools whose state changed. */
  apply(writes: readonly AccountWrite[]): readonly number[] {
    const touched = new Set<Address>();
    for (const write of writes) if (write.owner === RAYDIUM_CPMM_PROGRAM) this.#applyCpmm(write, touched);
    for (const write of writes) {
      const vault = this.#vaults.get(write.address);
      const pool = vault && this.#cpmmPools.get(vault.pool);
      if (vault === undefined || pool === undefined) continue;
      const amount = this.#counted(decodeTokenAmount(write.data));
      if (amount === undefined) continue;
      pool.amounts[vault.side] = amount;
      touched.add(vault.pool);
    }
    return [...[...touched].flatMap((address) => this.#settle(address)), ...this.concentrated.apply(writes)];
  }

  /** Takes in a recorded AMM v4 swap: the pool's facts at its first sight, the reserves that the swap leaves. */
  applyAmmV4Swap(swap: MarketSwap, transaction: MarketTransaction): number | undefined {
    const pool = this.#catalogue.find(swap.pool) ?? this.#discoverAmmV4(swap, transaction);
    if (pool === undefined) return undefined;
    const [reserve0, reserve1] = swap.reservesBefore;
    this.#reserves[pool.index] =
      swap.inputSide === 0
        ? [reserve0 + swap.amountIn, reserve1 - swap.amountOut]
        : [reserve0 - swap.amountOut, reserve1 + swap.amountIn];
    return pool.index;
  }

  #applyCpmm(write: AccountWrite, touched: Set<Address>): void {
    if (startsWith(write.data, CPMM_DISCRIMINATOR.ammConfig)) {
      const config = this.#counted(decodeAmmConfig(write.data));
      if (config === undefined) return;
      this.#configs.set(write.address, config);
      for (const [address, pool] of this.#cpmmPools) if (pool.state.ammConfig === write.address) touched.add(address);
    } else if (startsWith(write.data, CPMM_DISCRIMINATOR.poolState)) {
      const state = this.#counted(decodePoolState(write.data));
      if (state === undefined) return;
      const known = this.#cpmmPools.get(write.address);
      if (known !== undefined) known.state = state;
      else this.#cpmmPools.set(write.address, { state, amounts: [undefined, undefined] });
      state.vaults.forEach((vault, side) => {
        this.#vaults.set(vault, { pool: write.address, side: side === 0 ? 0 : 1 });
      });
      touched.add(write.address);
    }
  }

  /** Makes the reserves of a pool whose accounts changed; nothing while a part of it is still unknown. */
  #settle(address: Address): readonly number[] {
    const pool = this.#cpmmPools.get(address);
    const config = pool && this.#configs.get(pool.state.ammConfig);
    if (pool === undefined || config === undefined) return [];
    const [amount0, amount1] = pool.amounts;
    if (amount0 === undefined || amount1 === undefined) return [];
    const facts = cpmmPoolFacts(address, pool.state, config, this.#cpmmAuthority);
    const listed = facts.ok ? this.#catalogue.put(facts.value) : undefined;
    if (listed === undefined) {
      this.counters.refusedPools++;
      return [];
    }
    const now: Reserves = cpmmSwaps(pool.state, this.#unixSeconds())
      ? [cpmmReserve(pool.state, 0, amount0), cpmmReserve(pool.state, 1, amount1)]
      : [0n, 0n];
    const before = this.#reserves[listed.index];
    this.#reserves[listed.index] = now;
    return before !== undefined && before[0] === now[0] && before[1] === now[1] ? [] : [listed.index];
  }

  #discoverAmmV4(swap: MarketSwap, transaction: MarketTransaction): PoolFacts | undefined {
    const coin = swap.ammV4 && transaction.tokenAccounts.get(swap.ammV4.coinVault);
    const pc = swap.ammV4 && transaction.tokenAccounts.get(swap.ammV4.pcVault);
    const facts = swap.ammV4 && coin && pc ? ammV4PoolFacts(swap.ammV4, coin, pc) : undefined;
    const pool = facts && this.#catalogue.put(facts);
    if (pool === undefined) this.counters.refusedPools++;
    return pool;
  }

  #counted<T>(result: Result<T, SandpiperError>): T | undefined {
    if (result.ok) return result.value;
    this.counters.malformedAccounts++;
    return undefined;
  }
}
