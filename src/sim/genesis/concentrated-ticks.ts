/**
 * What positions leave in a pool: at each end a tick with its net and gross liquidity, over the current price their sum,
 * and in the vaults what they could take out. Whole numbers; what the vaults hold is rounded up.
 */
import { SandpiperError } from "#core/error.ts";
import { amountInBetween } from "#dex/raydium-clmm/amounts.ts";
import { arrayOf } from "#dex/raydium-clmm/tick-map.ts";
import { sqrtPriceAtTick } from "#dex/raydium-clmm/tick-math.ts";
import { SIM_ERROR } from "#sim/errors.ts";

export type Position = { readonly lower: number; readonly upper: number; readonly liquidity: bigint };
export type PlacedTick = { readonly index: number; readonly net: bigint; readonly gross: bigint };

export type PlacedLiquidity = {
  /** Ticks that positions begin or end at, by the number of their array. */
  readonly arrays: ReadonlyMap<number, readonly PlacedTick[]>;
  /** Of the positions around the current tick. */
  readonly liquidity: bigint;
  readonly amounts: readonly [bigint, bigint];
};

export function placePositions(
  positions: readonly Position[],
  sqrtPriceX64: bigint,
  tickCurrent: number,
  spacing: number,
): PlacedLiquidity {
  const ticks = new Map<number, PlacedTick>();
  const touch = (index: number, net: bigint, gross: bigint) => {
    const { net: netBefore, gross: grossBefore } = ticks.get(index) ?? { net: 0n, gross: 0n };
    ticks.set(index, { index, net: netBefore + net, gross: grossBefore + gross });
  };
  let liquidity = 0n;
  const amounts: [bigint, bigint] = [0n, 0n];
  for (const position of positions) {
    touch(position.lower, position.liquidity, position.liquidity);
    touch(position.upper, -position.liquidity, position.liquidity);
    if (position.lower <= tickCurrent && tickCurrent < position.upper) liquidity += position.liquidity;
    const [amount0, amount1] = amountsOf(position, sqrtPriceX64);
    amounts[0] += amount0;
    amounts[1] += amount1;
  }
  const inOrder = [...ticks.values()].sort((a, b) => a.index - b.index);
  return { arrays: Map.groupBy(inOrder, ({ index }) => arrayOf(index, spacing)), liquidity, amounts };
}

/** Token 0 from the price up to the position's end, token 1 from its beginning up to the price. */
export function amountsOf({ lower, upper, liquidity }: Position, sqrtPriceX64: bigint): readonly [bigint, bigint] {
  const [low, high] = [sqrtPriceAtTick(lower), sqrtPriceAtTick(upper)];
  const price = sqrtPriceX64 < low ? low : sqrtPriceX64 > high ? high : sqrtPriceX64;
  const amount0 = amountInBetween(price, high, liquidity, true, "2024");
  const amount1 = amountInBetween(low, price, liquidity, false, "2024");
  if (amount0 === undefined || amount1 === undefined)
    throw new SandpiperError(
      SIM_ERROR.genesis,
      `Cannot write genesis: positions that a u64 of each token covers, was liquidity ${liquidity} from ${lower} to ${upper}`,
    );
  return [amount0, amount1];
}
