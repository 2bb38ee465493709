/** A replay's records as envelopes: decisions as they fall, the agents' metrics at the end. Times are the recording's. */
import type { PoolFacts } from "#core/pool.ts";
import { lamportsToSol } from "#core/units.ts";
import { VERSION } from "#core/version.ts";
import { type Decision, decisionId } from "#decide/decision-record.ts";
import { arbEnvelope, encodeEnvelope } from "#wire/envelope.ts";

export type ReplayTimes = {
  /** Unix ms of the first block: the start of the run, and what its times count from. */
  readonly startMs: number;
};

/** A recording's nanoseconds as Unix time. */
export const unixNs = (times: ReplayTimes, recordedNs: number): bigint =>
  BigInt(times.startMs) * 1_000_000n + BigInt(Math.round(recordedNs));

export function decisionEnvelope(
  decision: Decision,
  pools: readonly PoolFacts[],
  modelHash: string,
  times: ReplayTimes,
): Uint8Array {
  const hops = decision.hops.flatMap((hop) => {
    const pool = pools[hop.pool];
    return pool === undefined ? [] : [{ pool, inputSide: hop.inputSide }];
  });
  return encodeEnvelope(
    arbEnvelope({
      version: VERSION,
      slot: decision.slot,
      netSol: lamportsToSol(decision.netLamports),
      classification: `cycle-${decision.hops.length}`,
      pLandEst: decision.score,
      tipLadder: [...decision.tipLadderLamports],
      decisionId: decisionId("arbitrage", times.startMs, decision.sequence),
      agent: "arbitrage",
      mode: "replay",
      modelHash,
      action: decision.action,
      reason: decision.reason,
      pools: hops.map(({ pool }) => pool.address),
      mints: hops.map(({ pool, inputSide }) => pool.mints[inputSide]),
      dexes: hops.map(({ pool }) => pool.dex),
      hopAmounts: [...decision.amounts],
      grossLamports: decision.grossLamports,
      feeLamports: decision.feeLamports,
      tipLamports: decision.tipLamports,
      netLamports: decision.netLamports,
      evLamports: decision.evLamports,
      score: decision.score,
      features: [...decision.features],
      eventNs: unixNs(times, decision.eventNs),
      feedNs: unixNs(times, decision.feedNs),
      decideNs: unixNs(times, decision.decideNs),
      sequence: BigInt(decision.sequence),
    }),
  );
}

/** A message behind its length as a varint: how protobuf puts several into one file. */
export function delimited(message: Uint8Array): Uint8Array {
  const length: number[] = [];
  let left = message.length;
  for (; left > 0x7f; left >>>= 7) length.push((left & 0x7f) | 0x80);
  length.push(left);
  return Buffer.concat([Uint8Array.from(length), message]);
}
