/** A CLMM pool as one value: what never changes while it is followed, and what a swap changes. */

import type { Address } from "#core/units.ts";
import type { TransferFeeConfig } from "#dex/transfer-fee.ts";
import type { ClmmReward } from "./decode.ts";
import type { ClmmBuild } from "./refusals.ts";
import type { TickMap } from "./tick-map.ts";

export type ClmmSide = {
  readonly mint: Address;
  readonly tokenProgram: Address;
  readonly vault: Address;
  readonly transferFee: TransferFeeConfig | undefined;
  /** Why no transfer of this token can succeed, where that is so. */
  readonly blocked: "AccountFrozen" | "MintPaused" | undefined;
};

type ClmmFacts = {
  readonly address: Address;
  readonly build: ClmmBuild;
  readonly ammConfig: Address;
  readonly observationState: Address;
  /** The account of the bitmap extension, where it was at hand. */
  readonly bitmapExtension: Address | undefined;
  /** The accounts of the tick arrays at hand, by number. */
  readonly tickArrays: ReadonlyMap<number, Address>;
  readonly sides: readonly [ClmmSide, ClmmSide];
  readonly openTime: bigint;
  /** The only side that fees are taken in; undefined for whichever comes in. Always undefined in build 2024. */
  readonly feeSide: 0 | 1 | undefined;
  /** Millionths: of the input, and of that fee. */
  readonly tradeFeeRate: bigint;
  readonly protocolFeeRate: bigint;
  readonly fundFeeRate: bigint;
};

export type ClmmState = {
  readonly facts: ClmmFacts;
  readonly status: number;
  readonly liquidity: bigint;
  readonly sqrtPriceX64: bigint;
  readonly tickCurrent: number;
  /** Fees of token 0 and of token 1 per unit of liquidity, since the pool began. */
  readonly feeGrowthGlobalX64: readonly [bigint, bigint];
  readonly protocolFees: readonly [bigint, bigint];
  readonly fundFees: readonly [bigint, bigint];
  /** What lies in the vaults, owed fees included. */
  readonly vaults: readonly [bigint, bigint];
  readonly rewards: readonly ClmmReward[];
  readonly ticks: TickMap;
};

/** The pair with the value of one side replaced. */
export const withSide = <T>(pair: readonly [T, T], side: 0 | 1, value: T): readonly [T, T] =>
  side === 0 ? [value, pair[1]] : [pair[0], value];
