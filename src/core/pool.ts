/**
 * What every room means by a pool: its fixed facts, known once, and the number the hot path knows it by. The feed
 * discovers pools, numbers them and writes the catalogue; agents load it. A number is never given to another pool
 * within one data folder.
 */
import type { Address } from "./units.ts";

export const DEX_NAMES = ["raydium-amm-v4", "raydium-cpmm", "raydium-clmm"] as const;
export type DexName = (typeof DEX_NAMES)[number];

/** Fixed facts of one pool. Side 0 and side 1 are the program's own token order. */
export type PoolFacts = {
  /** Dense, from 0: the pool's place in the catalogue and in every table of the hot path. */
  readonly index: number;
  readonly dex: DexName;
  readonly address: Address;
  readonly mints: readonly [Address, Address];
  readonly decimals: readonly [number, number];
  readonly vaults: readonly [Address, Address];
  readonly tokenPrograms: readonly [Address, Address];
  /** Trade fee taken from the input, as a fraction: numerator over denominator, rounded up by the program. */
  readonly feeNumerator: number;
  readonly feeDenominator: number;
  /** The further accounts of the swap instruction, by the program's own names (config, authority, observation …). */
  readonly accounts: Readonly<Record<string, Address>>;
  /** Only in pools of concentrated liquidity; all others are constant products. */
  readonly concentrated?: ConcentratedFacts;
};

export type ConcentratedFacts = {
  /** Whose rules hold: builds of the program differ where amounts overflow. */
  readonly build: "2024" | "2026";
  /** Ticks that can be initialized are multiples of it. */
  readonly tickSpacing: number;
  /** The tick arrays that exist, ascending: a swap names those it walks over. They come while the pool is followed. */
  readonly tickArrays: readonly { readonly firstTick: number; readonly address: Address }[];
};

export type PoolCatalogue = {
  /** Grows with each change. */
  readonly version: number;
  readonly pools: readonly PoolFacts[];
};
