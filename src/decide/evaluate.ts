/**
 * From a screened candidate to a decision: exact amounts on the exact reserves, features, the best tip, then the gates
 * in the order in which an operator would ask. Runs only for a winner, so it may make bigints; it never throws.
 */

import { fillConcentrated } from "#arbitrage/concentrated-quote.ts";
import { type CycleIndex, HOPS_MAX, NO_HOP } from "#arbitrage/cycle-index.ts";
import { findSplit, type Split } from "#arbitrage/find-split.ts";
import type { ParallelPools } from "#arbitrage/parallel-pools.ts";
import type { PoolTable } from "#arbitrage/pool-table.ts";
import { type ExactHop, exactHop, hopAmounts, tickArraysPerHop } from "#arbitrage/quote-cycle.ts";
import { type Sized, sizeCycle } from "#arbitrage/sizing.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { PolicyTarget } from "#memory/switchboard.ts";
import { createFeatureInput, createFeatureRow, type FeatureInput, fillFeatures, inputValues } from "#model/features.ts";
import { chooseTip, type TipChoice, type TipLimits } from "./choose-tip.ts";
import type { Decision, DecisionHop, DecisionSplit } from "./decision-record.ts";
import { IN_FLIGHT_MAX, type InFlight } from "./in-flight.ts";
import type { ReasonName } from "./reasons.ts";
import type { RiskGate } from "./risk/risk-gate.ts";
import type { TipBandit } from "./tips/tip-bandit.ts";
import type { TipAuction } from "./tips/tip-table.ts";

/** What scores: read once per use, so that it may be swapped between two decisions. */
export type Scorer = {
  /** 16 hex digits of the model; "" when there is none. */
  readonly hash: string;
  predict(features: Float32Array): number;
};

/** What the cycles are made of. */
export type DecisionMarket = {
  readonly index: CycleIndex;
  readonly pools: readonly PoolFacts[];
  readonly parallels: ParallelPools;
};

/** Where and when an event happened, as the market's record says. */
export type EventStamps = {
  slot: bigint;
  transactionIndex: number;
  eventNs: number;
  feedNs: number;
};

/** What the last outcomes taught, for the features. */
export type RecentOutcomes = {
  tipMedianLamports: number;
  landedShare: number;
  outbidShare: number;
  /** 75th percentile of the tips that landed lately at the route; 0 unknown. */
  tipFloorLamports: number;
  /** Stands for the leader of the next slot; 0 unknown. */
  leader: number;
};

export class Evaluator {
  readonly #features = createFeatureRow();
  readonly #input: FeatureInput = createFeatureInput();
  readonly #choice: TipChoice = { tipLamports: 0, evLamports: 0, score: 0, rung: 0, propensity: 1 };
  readonly #auction: TipAuction = { grossLamports: 0, feeLamports: 0, congestion: 0, tipFloorLamports: 0, leader: 0 };
  /** Share of opportunities that is owed to the throttle, in percent points; at 100 one is passed over. */
  #throttleOwed = 0;
  readonly #predict: (features: Float32Array) => number;

  constructor(
    private readonly table: PoolTable,
    private readonly inFlight: InFlight,
    private readonly policy: PolicyTarget,
    private readonly limits: TipLimits & { readonly splitGainLamportsMin: number },
    private readonly model: Scorer,
    private readonly shadow: Scorer | undefined,
    private readonly bandit: TipBandit | undefined,
    private readonly risk: Pick<RiskGate, "refusal" | "sent"> | undefined,
  ) {
    this.#predict = (features) => model.predict(features);
  }

  /** The decision that was made last is sent: its tip will be heard of. */
  sent(sequence: number): void {
    this.risk?.sent();
    this.bandit?.sent(sequence, this.#choice.rung, this.#auction);
  }

  /** The decision on one candidate, or undefined when its exact profit does not even pay the least tip and the fee. */
  evaluate(
    candidate: { readonly place: number; readonly input: number; readonly inputMax: number },
    market: DecisionMarket,
    stamps: Readonly<EventStamps>,
    context: { readonly nowNs: number; readonly slotProgress: number; readonly recent: RecentOutcomes },
    sequence: number,
  ): Decision | undefined {
    const hops = this.#exactHops(candidate.place, market);
    const sized = sizeCycle(hops, candidate.input, candidate.inputMax);
    const least = this.limits.feeLamports + (this.policy.tipLadderLamports[0] as number);
    if (sized.output - sized.input <= least) return undefined;
    const split = this.#splitOf(hops, sized, candidate.inputMax, market, context.nowNs);
    const amounts = split?.amounts ?? hopAmounts(hops, BigInt(sized.input));
    const gross = (amounts[hops.length] as bigint) - (amounts[0] as bigint);
    const input = this.#input;
    describe(input, hops, amounts, gross, split);
    input.eventAgeMs = (context.nowNs - stamps.eventNs) / 1e6;
    input.slotProgress = context.slotProgress;
    input.recentTipMedianLamports = context.recent.tipMedianLamports;
    input.recentLandedShare = context.recent.landedShare;
    input.recentOutbidShare = context.recent.outbidShare;
    fillFeatures(this.#features, input);
    this.#describeAuction(input, context.recent);
    chooseTip(this.#choice, this.#features, input, this.policy, this.limits, this.#predict, this.bandit, this.#auction);
    const decisionHops = hops.map((hop, i) => decisionHop(hop, firstPartOf(amounts, i, split)));
    const reason = this.#gate(decisionHops, context.nowNs);
    const fee = BigInt(this.limits.feeLamports);
    const tip = BigInt(this.#choice.tipLamports);
    const affordable = this.#choice.tipLamports > 0;
    return {
      action: reason === "profitable" ? "send" : "skip",
      reason,
      sequence,
      slot: stamps.slot,
      transactionIndex: stamps.transactionIndex,
      eventNs: stamps.eventNs,
      feedNs: stamps.feedNs,
      decideNs: context.nowNs,
      hops: decisionHops,
      amounts,
      ...(split !== undefined && { split: decisionSplit(split) }),
      grossLamports: gross,
      feeLamports: fee,
      tipLamports: tip,
      netLamports: gross - fee - tip,
      evLamports: affordable ? BigInt(Math.round(this.#choice.evLamports)) : 0n,
      score: this.#choice.score,
      tipPolicy: this.bandit?.policy ?? "model",
      tipPropensity: this.#choice.propensity,
      tipLadderLamports: [...this.policy.tipLadderLamports.subarray(0, this.policy.tipCount)].map(BigInt),
      features: [...this.#features],
      terms: {
        modelHash: this.model.hash,
        shadowHash: this.shadow?.hash ?? "",
        shadowScore: this.shadow?.predict(this.#features) ?? Number.NaN,
        inputs: inputValues(input),
        evMinLamports: this.policy.evMinLamports,
        tipShareMax: this.limits.tipShareMax,
        missCostLamports: this.limits.missCostLamports,
      },
    };
  }

  #describeAuction({ grossLamports }: FeatureInput, recent: RecentOutcomes): void {
    const auction = this.#auction;
    auction.grossLamports = grossLamports;
    auction.feeLamports = this.limits.feeLamports;
    auction.congestion = recent.outbidShare;
    auction.tipFloorLamports = recent.tipFloorLamports;
    auction.leader = recent.leader;
  }

  #splitOf(
    hops: readonly ExactHop[],
    sized: Sized,
    inputMax: number,
    { pools, parallels }: DecisionMarket,
    nowNs: number,
  ): Split | undefined {
    const { table, inFlight } = this;
    const gainMin = this.limits.splitGainLamportsMin;
    if (gainMin <= 0) return undefined;
    const isHeld = (pool: number) => inFlight.isHeld(pool, nowNs);
    return findSplit(hops, sized, { inputMax, gainMin }, { table, pools, parallels, isHeld });
  }

  #exactHops(place: number, { index, pools }: Pick<DecisionMarket, "index" | "pools">): ExactHop[] {
    const hops: ExactHop[] = [];
    const numbers = index.hops.subarray(place * HOPS_MAX, (place + 1) * HOPS_MAX).filter((hop) => hop !== NO_HOP);
    const concentrated = numbers.filter((hop) => pools[hop >> 1]?.concentrated !== undefined);
    const tickArraysMax = tickArraysPerHop(numbers.length, concentrated.length);
    for (const hop of numbers)
      hops.push(exactHop(this.table, pools[hop >> 1] as PoolFacts, (hop & 1) as 0 | 1, tickArraysMax));
    return hops;
  }

  #gate(hops: readonly DecisionHop[], nowNs: number): ReasonName {
    if (this.policy.killed) return "killed";
    if (this.policy.stopped) return "stopped";
    if (this.#choice.tipLamports === 0) return "no_affordable_tip";
    if (this.#choice.evLamports < this.policy.evMinLamports) return "ev_below_minimum";
    if (hops.some(({ pool }) => this.inFlight.isHeld(pool, nowNs))) return "in_flight";
    if (this.inFlight.count >= IN_FLIGHT_MAX) return "too_many_in_flight";
    const refusal = this.risk?.refusal(hops, this.inFlight.count, nowNs);
    if (refusal !== undefined) return refusal;
    this.#throttleOwed += this.policy.throttlePct;
    if (this.#throttleOwed < 100) return "profitable";
    this.#throttleOwed -= 100;
    return "throttled";
  }
}

function decisionHop(hop: ExactHop, amountIn: bigint): DecisionHop {
  const { pool, inputSide, reserveIn, reserveOut, concentrated } = hop;
  const plain = { pool: pool.index, inputSide, reserveIn, reserveOut };
  const fill = concentrated && fillConcentrated(concentrated, inputSide, amountIn, "exact-in");
  return fill === undefined ? plain : { ...plain, tickArrays: [fill.firstArray, fill.lastArray] };
}

const decisionSplit = ({ place, second, secondIn, secondOut, gainLamports }: Split): DecisionSplit => ({
  place,
  second: decisionHop(second, secondIn),
  amountIn: secondIn,
  amountOut: secondOut,
  gainLamports,
});

/** What goes into the first pool of a hop: all but what its second one takes. */
const firstPartOf = (amounts: readonly bigint[], place: number, split: Split | undefined): bigint =>
  (amounts[place] as bigint) - (split?.place === place ? split.secondIn : 0n);

/** The features that follow from the amounts alone; a split hop counts with the larger fee and share of its two pools. */
function describe(
  out: FeatureInput,
  hops: readonly ExactHop[],
  amounts: readonly bigint[],
  gross: bigint,
  split: Split | undefined,
): void {
  out.grossLamports = Number(gross);
  out.inputLamports = Number(amounts[0]);
  out.hops = hops.length;
  out.inputShareMax = 0;
  out.feeBpsSum = 0;
  hops.forEach(({ pool, reserveIn }, i) => {
    out.inputShareMax = Math.max(out.inputShareMax, Number(firstPartOf(amounts, i, split)) / Number(reserveIn));
    let feeBps = (pool.feeNumerator / pool.feeDenominator) * 10_000;
    if (split?.place === i) {
      const { second, secondIn } = split;
      out.inputShareMax = Math.max(out.inputShareMax, Number(secondIn) / Number(second.reserveIn));
      feeBps = Math.max(feeBps, (second.pool.feeNumerator / second.pool.feeDenominator) * 10_000);
    }
    out.feeBpsSum += feeBps;
  });
  const first = hops[0]?.reserveIn ?? 0n;
  const last = hops[hops.length - 1]?.reserveOut ?? 0n;
  out.reserveMinLamports = Number(first < last ? first : last);
}
