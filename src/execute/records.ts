/** Decisions and outcomes as the Envelopes that go on record. Plain functions: the same input gives the same bytes. */
import type { ClockQuality } from "#core/clock.ts";
import type { PoolFacts } from "#core/pool.ts";
import { type Address, lamportsToSol } from "#core/units.ts";
import { type Decision, decisionId, featureHash } from "#decide/decision-record.ts";
import { type ArbFields, arbEnvelope, encodeEnvelope, type OutcomeFields, outcomeEnvelope } from "#wire/envelope.ts";
import type { SentBundle, Settlement } from "./bundle.ts";
import type { Simulation } from "./simulate/simulator.ts";

/** Who decides, the same for every record of one life of the agent. */
export type AgentIdentity = {
  readonly agent: string;
  readonly mode: string;
  readonly version: string;
  readonly runStartMs: number;
};

export type ArbRecordParts = {
  readonly identity: AgentIdentity;
  readonly pool: (index: number) => PoolFacts | undefined;
  /** Unix ns of a monotonic stamp. */
  readonly unixNs: (monotonicNs: number) => bigint;
  /** What was sent; undefined when nothing was. */
  readonly sent?: Pick<SentBundle, "bundleId" | "signature" | "sendNs">;
  /** Overrides the decision's own, when it was to be sent and could not be. */
  readonly notSentBecause?: string;
  /** Of the built transaction; undefined where there was none. */
  readonly simulation?: Simulation | undefined;
  /** At the route when it was recorded; 0 unknown. */
  readonly tipFloorLamports: number;
  /** Of the clock that gave the stamps; undefined where nobody can say. */
  readonly wallClock?: ClockQuality | undefined;
};

export type KeyedRecord = { readonly key: string; readonly bytes: Uint8Array };

/** The Arb envelope, keyed by the pair of its first and last pool. */
export function arbRecord(decision: Decision, parts: ArbRecordParts): KeyedRecord {
  const { identity, sent, simulation, unixNs } = parts;
  const pools = decision.hops.map(({ pool }) => parts.pool(pool));
  const addresses = pools.map((pool) => pool?.address ?? ("" as Address));
  const fields: ArbFields = {
    version: identity.version,
    slot: decision.slot,
    txSignature: sent?.signature ?? "",
    netSol: lamportsToSol(decision.netLamports),
    classification: `cycle-${decision.hops.length}`,
    pLandEst: landingChance(decision),
    tipLadder: [...decision.tipLadderLamports],
    decisionId: decisionId(identity.agent, identity.runStartMs, decision.sequence),
    agent: identity.agent,
    mode: identity.mode,
    modelHash: decision.terms.modelHash,
    action: sent === undefined ? "skip" : "send",
    reason: parts.notSentBecause ?? decision.reason,
    bundleId: sent?.bundleId ?? "",
    pools: addresses,
    mints: decision.hops.map((hop, i) => pools[i]?.mints[hop.inputSide] ?? ""),
    dexes: pools.map((pool) => pool?.dex ?? ""),
    hopAmounts: [...decision.amounts],
    grossLamports: decision.grossLamports,
    feeLamports: decision.feeLamports,
    tipLamports: decision.tipLamports,
    netLamports: decision.netLamports,
    evLamports: decision.evLamports,
    score: decision.score,
    features: [...decision.features],
    eventNs: unixNs(decision.eventNs),
    feedNs: unixNs(decision.feedNs),
    decideNs: unixNs(decision.decideNs),
    sendNs: sent?.sendNs ?? 0n,
    sequence: BigInt(decision.sequence),
    simNetLamports: simulation?.netLamports ?? 0n,
    simComputeUnits: BigInt(simulation?.computeUnits ?? 0),
    simNs: BigInt(simulation?.tookNs ?? 0),
    simError: simulation?.error ?? "",
    tipPolicy: decision.tipPolicy,
    tipPropensity: decision.tipPropensity,
    tipFloorLamports: BigInt(parts.tipFloorLamports),
    ...splitFields(decision, parts),
    ...termsFields(decision),
  };
  return { key: `${addresses[0]}/${addresses.at(-1)}`, bytes: encodeEnvelope(arbEnvelope(fields), parts.wallClock) };
}

/** What a bandit believed is in its expected value; without one it is the model's score. */
function landingChance({ tipPolicy, score, evLamports, netLamports }: Decision): number {
  if (tipPolicy === "model" || netLamports <= 0n) return score;
  return Math.min(1, Math.max(0, Number(evLamports) / Number(netLamports)));
}

/** What the decision was made from. The hash is of the row's 32-bit floats, little endian. */
function termsFields({ terms, features }: Decision): ArbFields {
  return {
    featureInputs: [...terms.inputs],
    featureHash: featureHash(features),
    evMinLamports: BigInt(Math.round(terms.evMinLamports)),
    tipShareMax: terms.tipShareMax,
    missCostLamports: BigInt(Math.round(terms.missCostLamports)),
    shadowModelHash: terms.shadowHash,
    shadowScore: terms.shadowHash === "" ? 0 : terms.shadowScore,
  };
}

/** The second pool of the split hop, where there is one. */
function splitFields({ split }: Decision, { pool }: Pick<ArbRecordParts, "pool">): ArbFields {
  if (split === undefined) return {};
  const facts = pool(split.second.pool);
  return {
    splitHop: split.place + 1,
    splitPool: facts?.address ?? "",
    splitDex: facts?.dex ?? "",
    splitAmountIn: split.amountIn,
    splitAmountOut: split.amountOut,
    splitGainLamports: split.gainLamports,
  };
}

/** The Outcome envelope, keyed by the bundle. */
export function outcomeRecord(
  bundle: SentBundle,
  settlement: Settlement,
  parts: Pick<ArbRecordParts, "identity" | "wallClock"> & { readonly landNs: bigint; readonly leader: string },
): KeyedRecord {
  const fields: OutcomeFields = {
    bundleId: bundle.bundleId,
    landed: settlement.state === "landed",
    tipLamports: bundle.tipLamports,
    path: bundle.route,
    leader: parts.leader,
    decisionId: bundle.decisionId,
    agent: parts.identity.agent,
    mode: parts.identity.mode,
    txSignature: bundle.signature,
    state: settlement.state,
    reason: settlement.reason,
    decidedSlot: BigInt(bundle.decidedSlot),
    landedSlot: BigInt(settlement.landedSlot),
    predictedNetLamports: bundle.predictedNetLamports,
    realisedNetLamports: settlement.realisedNetLamports,
    exact: settlement.exact,
    computeUnits: BigInt(settlement.computeUnits),
    eventNs: bundle.eventNs,
    decideNs: bundle.decideNs,
    sendNs: bundle.sendNs,
    acceptedNs: bundle.acceptedNs,
    landNs: parts.landNs,
    feeLamports: settlement.feeLamports,
  };
  return { key: bundle.bundleId, bytes: encodeEnvelope(outcomeEnvelope(fields), parts.wallClock) };
}
