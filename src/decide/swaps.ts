/** The swaps of a decision in the order of their instructions: one per hop, and behind a split hop that of its second pool. */
import type { Decision, DecisionHop } from "./decision-record.ts";

export type DecisionSwap = {
  readonly hop: DecisionHop;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
};

export function swapsOf({ hops, amounts, split }: Pick<Decision, "hops" | "amounts" | "split">): DecisionSwap[] {
  return hops.flatMap((hop, i): DecisionSwap[] => {
    const [amountIn, amountOut] = [amounts[i] as bigint, amounts[i + 1] as bigint];
    if (split?.place !== i) return [{ hop, amountIn, amountOut }];
    return [
      { hop, amountIn: amountIn - split.amountIn, amountOut: amountOut - split.amountOut },
      { hop: split.second, amountIn: split.amountIn, amountOut: split.amountOut },
    ];
  });
}
