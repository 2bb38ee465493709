/**
 * What every room means by a pool: its fixed facts, known once, and the number the hot path knows it by. The feed
 * discovers pools, numbers them and writes the catalogue; agents load it. A number is never given to another pool
 * within one data folder.
 */
import type { Address } from "./units.ts";

export const DEX_NAMES = ["raydium-amm-v4", "raydium-cpmm"] as const;
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
};

export type PoolCatalogue = {
  /** Grows with each change. */
  readonly version: number;
  readonly pools: readonly PoolFacts[];
};
