/** A replay's decisions as the envelopes that a live agent would put on record, on the recording's time. */
import type { PoolFacts } from "#core/pool.ts";
import type { Signature } from "#core/units.ts";
import { VERSION } from "#core/version.ts";
import type { Decision } from "#decide/decision-record.ts";
import { arbRecord } from "#execute/records.ts";

export type ReplayTimes = {
  /** Unix ms of the first block: the start of the run, and what its times count from. */
  readonly startMs: number;
};

/** What stands for the bundle of a decision to send: nothing leaves a replay. */
const NOTHING_SENT = { bundleId: "", signature: "" as Signature, sendNs: 0n };

/** A recording's nanoseconds as Unix time. */
export const unixNs = (times: ReplayTimes, recordedNs: number): bigint =>
  BigInt(times.startMs) * 1_000_000n + BigInt(Math.round(recordedNs));

export function decisionEnvelope(decision: Decision, pools: readonly PoolFacts[], times: ReplayTimes): Uint8Array {
  const identity = { agent: "arbitrage", mode: "replay", version: VERSION, runStartMs: times.startMs };
  return arbRecord(decision, {
    identity,
    pool: (index) => pools[index],
    unixNs: (recordedNs) => unixNs(times, recordedNs),
    tipFloorLamports: 0,
    ...(decision.action === "send" ? { sent: NOTHING_SENT } : {}),
  }).bytes;
}

/** A message behind its length as a varint: how protobuf puts several into one file. */
export function delimited(message: Uint8Array): Uint8Array {
  const length: number[] = [];
  let left = message.length;
  for (; left > 0x7f; left >>>= 7) length.push((left & 0x7f) | 0x80);
  length.push(left);
  return Buffer.concat([Uint8Array.from(length), message]);
}
