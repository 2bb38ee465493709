/**
 * A pool's trades told again, exactly: as they were, without the attacker, and without the victims. It takes anything that
 * swaps on a state, so a venue from account bytes and reserves out of a log are told in the same way.
 */
import type { SwapOrder } from "#dex/venue.ts";

export type Step = { readonly order: SwapOrder; readonly part: "attacker" | "victim" | "other" };
export type Fill = { readonly amountIn: bigint; readonly amountOut: bigint };
/** Undefined where the program would refuse. */
export type Run<State> = (state: State, order: SwapOrder) => (Fill & { readonly after: State }) | undefined;

export type Counterfactual = {
  /** By step; undefined where it did not take part or was refused. */
  readonly recorded: readonly (Fill | undefined)[];
  readonly withoutAttacker: readonly (Fill | undefined)[];
  readonly withoutVictims: readonly (Fill | undefined)[];
};

export function counterfactual<State>(start: State, steps: readonly Step[], run: Run<State>): Counterfactual {
  const tell = (leaveOut: Step["part"] | undefined) => {
    let state = start;
    return steps.map(({ order, part }) => {
      const filled = part === leaveOut ? undefined : run(state, order);
      if (filled === undefined) return undefined;
      state = filled.after;
      return { amountIn: filled.amountIn, amountOut: filled.amountOut };
    });
  };
  return { recorded: tell(undefined), withoutAttacker: tell("attacker"), withoutVictims: tell("victim") };
}

/** What the attacker has more in each of the pool's two tokens, before fees and tips. */
export function attackerProfit(
  steps: readonly Step[],
  fills: readonly (Fill | undefined)[],
): readonly [bigint, bigint] {
  const profit: [bigint, bigint] = [0n, 0n];
  steps.forEach(({ order, part }, i) => {
    const fill = fills[i];
    if (part !== "attacker" || fill === undefined) return;
    profit[order.inputSide] -= fill.amountIn;
    profit[order.inputSide === 0 ? 1 : 0] += fill.amountOut;
  });
  return profit;
}

/** What a trader lost to the attacker: output where the input was exact, else input. Undefined where either was refused. */
export function lossOf(step: Step, index: number, told: Counterfactual): bigint | undefined {
  const [was, alone] = [told.recorded[index], told.withoutAttacker[index]];
  if (was === undefined || alone === undefined) return undefined;
  return step.order.mode === "exact-in" ? alone.amountOut - was.amountOut : was.amountIn - alone.amountIn;
}
