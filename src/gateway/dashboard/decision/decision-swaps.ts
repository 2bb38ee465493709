/** The swaps of a decision on record, in their order: one per hop, two where a hop is split over two pools. */
import type { Arb } from "#wire/envelope.ts";

export type RecordedSwap = {
  /** "2", or "2a" and "2b" where the hop is split. */
  readonly name: string;
  /** From 0. */
  readonly hop: number;
  readonly amountIn: bigint | undefined;
  readonly amountOut: bigint | undefined;
  readonly dex: string;
  readonly pool: string;
};

export function swapsOf(decision: Arb): RecordedSwap[] {
  const { pools, dexes, hopAmounts, splitHop, splitPool, splitDex, splitAmountIn, splitAmountOut } = decision;
  return pools.flatMap((pool, hop): RecordedSwap[] => {
    const [amountIn, amountOut] = [hopAmounts[hop], hopAmounts[hop + 1]];
    const name = String(hop + 1);
    const first = { name, hop, amountIn, amountOut, dex: dexes[hop] ?? "", pool };
    if (splitHop !== hop + 1) return [first];
    const rest = (whole: bigint | undefined, part: bigint) => (whole === undefined ? undefined : whole - part);
    return [
      {
        ...first,
        name: `${name}a`,
        amountIn: rest(amountIn, splitAmountIn),
        amountOut: rest(amountOut, splitAmountOut),
      },
      { name: `${name}b`, hop, amountIn: splitAmountIn, amountOut: splitAmountOut, dex: splitDex, pool: splitPool },
    ];
  });
}
