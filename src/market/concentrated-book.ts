/**
 * What the feed knows of pools of concentrated liquidity (Raydium CLMM), out of account bytes: configs, pool states, tick
 * arrays and the vaults' token programs. All writes of one transaction go in together; what leaves is the state of each
 * pool and only those of its ticks whose liquidity changed.
 */
import type { SandpiperError } from "#core/error.ts";
import type { ConcentratedFacts, PoolFacts } from "#core/pool.ts";
import type { Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { startsWith } from "#dex/bytes.ts";
import { RAYDIUM_CLMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import {
  type ClmmAmmConfig,
  type ClmmPoolState,
  decodeAmmConfig,
  decodeObservation,
  decodePoolState,
} from "#dex/raydium-clmm/decode.ts";
import { type ClmmTickArray, decodeBitmapExtension, decodeTickArray } from "#dex/raydium-clmm/decode-ticks.ts";
import { CLMM_DISCRIMINATOR, FEE_RATE_DENOMINATOR, POOL_STATUS_NO_SWAP } from "#dex/raydium-clmm/layout.ts";
import { arrayOf, inPoolBitmap } from "#dex/raydium-clmm/tick-map.ts";
import type { PoolCatalogueBook } from "./catalogue.ts";
import type { AccountWrite } from "./source.ts";

export type ConcentratedState = {
  readonly sqrtPriceX64: bigint;
  /** 0n where nobody may swap. */
  readonly liquidity: bigint;
  readonly tickCurrent: number;
};

/** `liquidityNet` is undefined where a tick is gone. */
export type TickChange = { readonly index: number; readonly liquidityNet: bigint | undefined };

type Array = { readonly address: Address; readonly firstTick: number; readonly nets: ReadonlyMap<number, bigint> };

type Pool = {
  state: ClmmPoolState | undefined;
  index: number | undefined;
  build: ConcentratedFacts["build"];
  /** The bitmaps of the arrays beyond the pool's own, once there are such. */
  extension: Address | undefined;
  /** By the first tick. */
  readonly arrays: Map<number, Array>;
  /** Whether its ticks were told once; only changes follow then. */
  told: boolean;
  /** Changes that no record told yet. */
  readonly pending: Map<number, bigint | undefined>;
};

export type ConcentratedBookCounters = { malformedAccounts: number; refusedPools: number };

export class ConcentratedBook {
  readonly #catalogue: PoolCatalogueBook;
  readonly #counters: ConcentratedBookCounters;
  readonly #unixSeconds: () => number;
  readonly #configs = new Map<Address, ClmmAmmConfig>();
  readonly #pools = new Map<Address, Pool>();
  readonly #poolByIndex = new Map<number, Address>();
  /** The pool of each tick array. */
  readonly #arrayPool = new Map<Address, Address>();
  readonly #vaultPrograms = new Map<Address, Address>();
  readonly #poolOfVault = new Map<Address, Address>();

  constructor(catalogue: PoolCatalogueBook, counters: ConcentratedBookCounters, unixSeconds: () => number) {
    this.#catalogue = catalogue;
    this.#counters = counters;
    this.#unixSeconds = unixSeconds;
  }

  /** Numbers of the pools that are followed. */
  known(): number[] {
    return [...this.#poolByIndex.keys()];
  }

  /** Forgets what accounts said; pools stay listed, without liquidity, until a snapshot says that they are still there. */
  clear(): void {
    this.#configs.clear();
    this.#vaultPrograms.clear();
    this.#arrayPool.clear();
    for (const pool of this.#pools.values()) {
      pool.state = undefined;
      pool.arrays.clear();
      pool.told = false;
      pool.pending.clear();
    }
  }

  /** Takes in the writes of one transaction, or of a snapshot. Answers the numbers of the pools that changed. */
  apply(writes: readonly AccountWrite[]): readonly number[] {
    const touched = new Set<Address>();
    for (const write of writes) {
      if (write.owner === RAYDIUM_CLMM_PROGRAM) this.#applyAccount(write, touched);
      else this.#applyClosed(write, touched);
    }
    for (const { address, owner } of writes) {
      const pool = this.#poolOfVault.get(address);
      if (pool === undefined || this.#vaultPrograms.get(address) === owner) continue;
      this.#vaultPrograms.set(address, owner);
      touched.add(pool);
    }
    return [...touched].flatMap((address) => this.#settle(address));
  }

  state(index: number): ConcentratedState | undefined {
    const address = this.#poolByIndex.get(index);
    const pool = address === undefined ? undefined : this.#pools.get(address);
    if (pool === undefined) return undefined;
    const { state } = pool;
    if (state === undefined) return { sqrtPriceX64: 0n, liquidity: 0n, tickCurrent: 0 };
    const { sqrtPriceX64, tickCurrent } = state;
    return { sqrtPriceX64, tickCurrent, liquidity: this.#swaps(state, pool) ? state.liquidity : 0n };
  }

  /** The changes since they were last taken; `first` when none ever were, so that these are all. */
  takeChanges(index: number): { readonly first: boolean; readonly ticks: readonly TickChange[] } {
    const pool = this.#poolAt(index);
    const ticks = [...(pool?.pending ?? [])].map(([tick, liquidityNet]) => ({ index: tick, liquidityNet }));
    const first = pool?.told === false;
    pool?.pending.clear();
    if (pool !== undefined) pool.told = true;
    return { first, ticks };
  }

  /** All ticks, for a snapshot. */
  allTicks(index: number): readonly TickChange[] {
    const pool = this.#poolAt(index);
    return [...(pool?.arrays.values() ?? [])].flatMap(({ nets }) =>
      [...nets].map(([tick, liquidityNet]) => ({ index: tick, liquidityNet })),
    );
  }

  #poolAt(index: number): Pool | undefined {
    const address = this.#poolByIndex.get(index);
    return address === undefined ? undefined : this.#pools.get(address);
  }

  #pool(address: Address): Pool {
    let pool = this.#pools.get(address);
    if (pool === undefined) {
      pool = {
        state: undefined,
        index: undefined,
        build: "2026",
        extension: undefined,
        arrays: new Map(),
        told: false,
        pending: new Map(),
      };
      this.#pools.set(address, pool);
    }
    return pool;
  }

  #applyAccount({ address, data }: AccountWrite, touched: Set<Address>): void {
    if (startsWith(data, CLMM_DISCRIMINATOR.ammConfig)) {
      const config = this.#counted(decodeAmmConfig(data));
      if (config === undefined) return;
      this.#configs.set(address, config);
      for (const [pool, { state }] of this.#pools) if (state?.ammConfig === address) touched.add(pool);
    } else if (startsWith(data, CLMM_DISCRIMINATOR.poolState)) {
      const state = this.#counted(decodePoolState(data));
      if (state === undefined) return;
      this.#pool(address).state = state;
      for (const vault of state.vaults) this.#poolOfVault.set(vault, address);
      touched.add(address);
    } else if (startsWith(data, CLMM_DISCRIMINATOR.tickArrayState)) {
      const array = this.#counted(decodeTickArray(data));
      if (array !== undefined) this.#putArray(address, array, touched);
    } else if (startsWith(data, CLMM_DISCRIMINATOR.tickArrayBitmapExtension)) {
      const extension = this.#counted(decodeBitmapExtension(data));
      if (extension === undefined || this.#pool(extension.poolId).extension === address) return;
      this.#pool(extension.poolId).extension = address;
      touched.add(extension.poolId);
    } else if (startsWith(data, CLMM_DISCRIMINATOR.observationState)) {
      const observation = this.#counted(decodeObservation(data));
      if (observation === undefined) return;
      const pool = this.#pool(observation.poolId);
      if (pool.build === observation.build) return;
      pool.build = observation.build;
      touched.add(observation.poolId);
    }
  }

  /** An account of ours that now belongs to somebody else was closed. */
  #applyClosed({ address }: AccountWrite, touched: Set<Address>): void {
    const owner = this.#arrayPool.get(address);
    if (owner !== undefined) {
      this.#arrayPool.delete(address);
      const pool = this.#pool(owner);
      const array = [...pool.arrays.values()].find((one) => one.address === address);
      if (array !== undefined) {
        pool.arrays.delete(array.firstTick);
        for (const tick of array.nets.keys()) pool.pending.set(tick, undefined);
        touched.add(owner);
      }
    }
    const pool = this.#pools.get(address);
    if (pool?.state === undefined) return;
    pool.state = undefined;
    touched.add(address);
  }

  #putArray(address: Address, array: ClmmTickArray, touched: Set<Address>): void {
    const pool = this.#pool(array.poolId);
    const nets = new Map<number, bigint>();
    for (const tick of array.ticks)
      if (tick !== undefined && tick.liquidityGross > 0n) nets.set(tick.index, tick.liquidityNet);
    const before = pool.arrays.get(array.startTickIndex);
    for (const [tick, net] of nets) if (before?.nets.get(tick) !== net) pool.pending.set(tick, net);
    for (const tick of before?.nets.keys() ?? []) if (!nets.has(tick)) pool.pending.set(tick, undefined);
    pool.arrays.set(array.startTickIndex, { address, firstTick: array.startTickIndex, nets });
    this.#arrayPool.set(address, array.poolId);
    touched.add(array.poolId);
  }

  /** Lists a pool whose accounts changed; nothing while a part of it is still unknown. */
  #settle(address: Address): readonly number[] {
    const pool = this.#pools.get(address);
    const { state } = pool ?? {};
    if (pool === undefined) return [];
    if (state === undefined) return pool.index === undefined ? [] : [pool.index];
    const config = this.#configs.get(state.ammConfig);
    const programs = state.vaults.map((vault) => this.#vaultPrograms.get(vault));
    if (config === undefined || programs.includes(undefined)) return [];
    const facts = concentratedFacts(address, state, config, pool, programs);
    const listed = facts && this.#catalogue.put(facts);
    if (listed === undefined) {
      this.#counters.refusedPools++;
      return [];
    }
    pool.index = listed.index;
    this.#poolByIndex.set(listed.index, address);
    return [listed.index];
  }

  #swaps({ tickCurrent, tickSpacing, status, openTime }: ClmmPoolState, { extension }: Pool): boolean {
    // Beyond the pool's own bitmap the program asks for the extension's account.
    const reachable = extension !== undefined || inPoolBitmap(arrayOf(tickCurrent, tickSpacing));
    return reachable && (status & POOL_STATUS_NO_SWAP) === 0 && BigInt(this.#unixSeconds()) > openTime;
  }

  #counted<T>(result: Result<T, SandpiperError>): T | undefined {
    if (result.ok) return result.value;
    this.#counters.malformedAccounts++;
    return undefined;
  }
}

/** Undefined for what the facts have no words for: transfer fees, fees on one token, fees that follow volatility. */
function concentratedFacts(
  address: Address,
  state: ClmmPoolState,
  config: ClmmAmmConfig,
  pool: Pool,
  programs: readonly (Address | undefined)[],
): Omit<PoolFacts, "index"> | undefined {
  const plain = pool.build === "2024" || (state.feeOn === 0 && state.dynamicFee === undefined);
  if (!plain || programs.includes(TOKEN_2022_PROGRAM)) return undefined;
  return {
    dex: "raydium-clmm",
    address,
    mints: state.mints,
    decimals: state.decimals,
    vaults: state.vaults,
    tokenPrograms: [TOKEN_PROGRAM, TOKEN_PROGRAM],
    feeNumerator: Number(config.tradeFeeRate),
    feeDenominator: Number(FEE_RATE_DENOMINATOR),
    accounts: {
      ammConfig: state.ammConfig,
      observationState: state.observationState,
      ...(pool.extension !== undefined && { bitmapExtension: pool.extension }),
    },
    concentrated: {
      build: pool.build,
      tickSpacing: state.tickSpacing,
      tickArrays: [...pool.arrays.values()]
        .filter(({ firstTick }) => pool.extension !== undefined || inPoolBitmap(arrayOf(firstTick, state.tickSpacing)))
        .map(({ firstTick, address: account }) => ({ firstTick, address: account }))
        .sort((a, b) => a.firstTick - b.firstTick),
    },
  };
}
