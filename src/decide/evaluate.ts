/**
 * From a screened candidate to a decision: exact amounts on the exact reserves, features, the best tip, then the gates
 * in the order in which an operator would ask. Runs for a winner only; it never throws, and allocates nothing but where
 * a winner needs bigints (arbitrage/winner.ts).
 */
import type { CycleIndex } from "#arbitrage/cycle-index.ts";
import { findSplit, type SplitMarket } from "#arbitrage/find-split.ts";
import type { Winner } from "#arbitrage/winner.ts";
import { readWhole } from "#core/words.ts";
import type { PolicyTarget } from "#memory/switchboard.ts";
import { type FeatureInput, fillFeatures } from "#model/features.ts";
import { chooseTip, type TipLimits } from "./choose-tip.ts";
import type { DecisionDraft } from "./decision-draft.ts";
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
export type DecisionMarket = SplitMarket & { readonly index: CycleIndex };

/** A cycle of the index with the input that the screening found best; one object, reused. */
export type DecisionCandidate = { place: number; input: number; inputMax: number };

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

export type EvaluatorParts = {
  readonly inFlight: InFlight;
  readonly limits: TipLimits & { readonly splitGainLamportsMin: number };
  readonly model: Scorer;
  readonly shadow?: Scorer | undefined;
  readonly tips?: TipBandit | undefined;
  readonly risk?: Pick<RiskGate, "refusal" | "sent"> | undefined;
  /** Written by whoever takes the outcomes. */
  readonly recent: Readonly<RecentOutcomes>;
};

export class Evaluator {
  readonly #parts: EvaluatorParts;
  readonly #auction: TipAuction = { grossLamports: 0, feeLamports: 0, congestion: 0, tipFloorLamports: 0, leader: 0 };
  readonly #splitLimits = { inputMax: 0, gainMin: 0 };
  /** Share of opportunities that is owed to the throttle, in percent points; at 100 one is passed over. */
  #throttleOwed = 0;
  readonly #predict: (features: Float32Array) => number;

  constructor(parts: EvaluatorParts) {
    this.#parts = parts;
    this.#splitLimits.gainMin = parts.limits.splitGainLamportsMin;
    this.#predict = (features) => parts.model.predict(features);
  }

  /** The decision that was made last is sent: its tip will be heard of. */
  sent({ sequence, choice }: DecisionDraft): void {
    this.#parts.risk?.sent();
    this.#parts.tips?.sent(sequence, choice.rung, this.#auction);
  }

  /**
   * Fills in the decision on one candidate: `out` has its event, its policy and, as decideNs, the time. False when the
   * exact profit does not even pay the least tip and the fee.
   */
  evaluate(out: DecisionDraft, candidate: Readonly<DecisionCandidate>, market: DecisionMarket, slotProgress: number) {
    const { limits, recent, tips, model, shadow } = this.#parts;
    const { winner, input, policy } = out;
    winner.load(market.index.hops, candidate.place, market.table, market.pools);
    winner.size(candidate.input, candidate.inputMax);
    const { sized } = winner;
    if (sized.output - sized.input <= limits.feeLamports + (policy.tipLadderLamports[0] as number)) return false;
    this.#splitLimits.inputMax = candidate.inputMax;
    winner.quote(limits.splitGainLamportsMin > 0 ? findSplit(winner, this.#splitLimits, market) : undefined);
    describe(input, winner);
    input.eventAgeMs = (out.decideNs - out.eventNs) / 1e6;
    input.slotProgress = slotProgress;
    input.recentTipMedianLamports = recent.tipMedianLamports;
    input.recentLandedShare = recent.landedShare;
    input.recentOutbidShare = recent.outbidShare;
    fillFeatures(out.features, input);
    this.#describeAuction(winner.grossLamports);
    chooseTip(out.choice, out.features, input, policy, limits, this.#predict, tips, this.#auction);
    out.reason = this.#gate(out, policy);
    out.tipPolicy = tips?.policy ?? "model";
    out.feeLamports = limits.feeLamports;
    out.tipShareMax = limits.tipShareMax;
    out.missCostLamports = limits.missCostLamports;
    out.modelHash = model.hash;
    out.shadowHash = shadow?.hash ?? "";
    out.shadowScore = shadow?.predict(out.features) ?? Number.NaN;
    return true;
  }

  #describeAuction(grossLamports: number): void {
    const { limits, recent } = this.#parts;
    const auction = this.#auction;
    auction.grossLamports = grossLamports;
    auction.feeLamports = limits.feeLamports;
    auction.congestion = recent.outbidShare;
    auction.tipFloorLamports = recent.tipFloorLamports;
    auction.leader = recent.leader;
  }

  #gate({ choice, winner, decideNs }: DecisionDraft, policy: Readonly<PolicyTarget>): ReasonName {
    const { inFlight, risk } = this.#parts;
    const { pools, poolCount } = winner;
    if (policy.killed) return "killed";
    if (policy.stopped) return "stopped";
    if (choice.tipLamports === 0) return "no_affordable_tip";
    if (choice.evLamports < policy.evMinLamports) return "ev_below_minimum";
    for (let i = 0; i < poolCount; i++) if (inFlight.isHeld(pools[i] as number, decideNs)) return "in_flight";
    if (inFlight.count >= IN_FLIGHT_MAX) return "too_many_in_flight";
    const refusal = risk?.refusal(pools, poolCount, inFlight.count, decideNs);
    if (refusal !== undefined) return refusal;
    this.#throttleOwed += policy.throttlePct;
    if (this.#throttleOwed < 100) return "profitable";
    this.#throttleOwed -= 100;
    return "throttled";
  }
}

/** The features that follow from the amounts alone. */
function describe(out: FeatureInput, winner: Winner): void {
  const { hopCount, amounts, reserves } = winner;
  out.grossLamports = winner.grossLamports;
  out.inputLamports = readWhole(amounts, 0);
  out.hops = hopCount;
  out.inputShareMax = 0;
  out.feeBpsSum = 0;
  for (let i = 0; i < hopCount; i++) {
    out.inputShareMax = Math.max(out.inputShareMax, winner.inputShare(i));
    out.feeBpsSum += winner.feeBps(i);
  }
  out.reserveMinLamports = Math.min(readWhole(reserves, 0), readWhole(reserves, 4 * hopCount - 2));
}
