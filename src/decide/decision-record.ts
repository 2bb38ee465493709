/**
 * One decision on its way from the hot thread to the io thread: a slot of 1,024 bytes in a ring over a SharedArrayBuffer.
 *
 *   byte 0    u32 action (1 send, 2 skip)      4  u32 reason code
 *        8    f64 sequence                    16  u64 slot
 *        24   f64 eventNs    32 f64 feedNs    40  f64 decideNs      CLOCK_MONOTONIC
 *        48   u32 hops       52 u32 tips      56  u32 features      60 u32 transaction index in its slot
 *        64   i32 × 4   hop = 2 × pool + input side
 *        80   u64 × 5   amounts: the input, then each hop's output
 *        120  f64 gross  128 f64 fee  136 f64 tip  144 f64 net  152 f64 expected value (lamports, whole)  160 f64 score
 *        168  f64 × 16  tip ladder, lamports
 *        296  f32 × 18  features
 *        368  u64 × 4   of the second pool of a split hop: reserves in, out; amount in, out     400  f64 gain, lamports
 *        408  u32 which hop is split, from 1, 0 when none is     412  u32 second hop     416  i16 × 2 its tick arrays
 *        420  u8  1 when it has them                421  u8 tip policy (0 model, 1 thompson, 2 ucb)
 *        424  u64 × 8   reserves the hops were quoted on: in, out of each
 *        488  i16 × 8   first and last tick array of each hop's walk, where liquidity is concentrated
 *        504  u8 × 4    1 for each hop that has them               508  f32 propensity of the tip, under a bandit
 *        512  u64 × 2   hash of the model, of the shadow model (0 without)      528  f64 the shadow's score
 *        536  f64 × 11  what the features were made from          624  f64 least expected value, lamports
 *        632  f64 largest share of the gross for the tip          640  f64 cost of a miss, lamports     648  376 bytes unused
 *
 * The way back (OUTCOME_RING) tells the hot thread that a bundle is settled and how the wallet stands:
 *
 *   byte 0    f64 sequence of the settled decision, 0 when none is      8  f64 base units in the wallet
 *        16   f64 median tip of the bundles that landed lately   24 f64 share landed   32 f64 share outbid
 *        40   u32 how it ended, for the tip (0 says nothing, 1 landed, 2 outbid, 3 lost)   44 u32 the next leader
 *        48   f64 tip of the rival that won, 0 unknown            56 f64 tip floor, 75th percentile
 */
import { createHash } from "node:crypto";
import { SandpiperError } from "#core/error.ts";
import { readU64 } from "#core/words.ts";
import type { SlotConsumer, SlotProducer } from "#memory/slot-ring.ts";
import { FEATURE_INPUTS } from "#model/features.ts";
import { DECIDE_ERROR } from "./errors.ts";
import { type ReasonName, reasonOf } from "./reasons.ts";
import { TIP_POLICIES, type TipPolicy } from "./tips/tip-bandit.ts";
import { TIP_RESULT, type TipResult } from "./tips/tip-table.ts";

export const DECISION_RING = { slotBytes: 1_024, capacity: 1_024 } as const;
/** What of a slot a decision fills. */
export const DECISION_BYTES = 656;
export const OUTCOME_RING = { slotBytes: 64, capacity: 1_024 } as const;
const HOPS_MAX = 4;
const TIPS_MAX = 16;
const FEATURES_MAX = 18;
/** Bytes where a decision's parts are. */
export const DECISION_AT = {
  features: 296,
  split: 368,
  tipPolicy: 421,
  reserves: 424,
  tickArrays: 488,
  hasTickArrays: 504,
  propensity: 508,
  terms: 512,
} as const;

/** One hop with the exact state it was quoted on. */
export type DecisionHop = {
  readonly pool: number;
  readonly inputSide: 0 | 1;
  /** Virtual ones, rounded, where liquidity is concentrated. */
  readonly reserveIn: bigint;
  readonly reserveOut: bigint;
  /** Only there: the numbers of the tick arrays at both ends of the swap's walk, the current tick's first. */
  readonly tickArrays?: readonly [number, number];
};

/** A hop that goes over two pools: the part that the second one takes. */
type DecisionSplit = {
  /** Which hop, from 0; `hops` has its first pool there. */
  readonly place: number;
  readonly second: DecisionHop;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** The gross profit beyond that of the same cycle without the split. */
  readonly gainLamports: bigint;
};

/** What a decision was made from beside the market: with its record, enough to make it again (`sandpiper explain`). */
type DecisionTerms = {
  /** 16 hex digits; the model that scored every rung of the ladder. */
  readonly modelHash: string;
  /** The model that only looked on, and what it would have answered; "" and NaN without one. */
  readonly shadowHash: string;
  readonly shadowScore: number;
  /** The values of the FeatureInput (model/features.ts). */
  readonly inputs: readonly number[];
  readonly evMinLamports: number;
  readonly tipShareMax: number;
  readonly missCostLamports: number;
};

export type Decision = {
  readonly action: "send" | "skip";
  readonly reason: ReasonName;
  readonly sequence: number;
  readonly slot: bigint;
  readonly transactionIndex: number;
  readonly eventNs: number;
  readonly feedNs: number;
  readonly decideNs: number;
  readonly hops: readonly DecisionHop[];
  /** The input, then the output of every hop; of a split hop what both pools pay out. */
  readonly amounts: readonly bigint[];
  readonly split?: DecisionSplit;
  readonly grossLamports: bigint;
  readonly feeLamports: bigint;
  readonly tipLamports: bigint;
  readonly netLamports: bigint;
  readonly evLamports: bigint;
  readonly score: number;
  readonly tipPolicy: TipPolicy;
  /** Chance with which this tip was taken of those that were affordable; 1 when nothing was left to chance. */
  readonly tipPropensity: number;
  readonly tipLadderLamports: readonly bigint[];
  readonly features: readonly number[];
  readonly terms: DecisionTerms;
};

/** Unique for ever: an agent starts at most once a millisecond. */
export const decisionId = (agent: string, runStartMs: number, sequence: number): string =>
  `${agent}-${runStartMs.toString(36)}-${sequence}`;

/** The first 16 hex digits of the SHA-256 of a row's 32-bit floats, little endian: the same row, the same hash. */
export function featureHash(features: readonly number[]): string {
  return createHash("sha256")
    .update(new Uint8Array(Float32Array.from(features).buffer))
    .digest("hex")
    .slice(0, 16);
}

function readTerms(u32: Uint32Array, f64: Float64Array, at: number): DecisionTerms {
  const place = (at + DECISION_AT.terms + 16) >> 3;
  return {
    modelHash: readHash(u32, (at + DECISION_AT.terms) >> 2),
    shadowHash: readHash(u32, (at + DECISION_AT.terms + 8) >> 2),
    shadowScore: f64[place] as number,
    inputs: [...f64.subarray(place + 1, place + 1 + FEATURE_INPUTS)],
    evMinLamports: f64[place + 12] as number,
    tipShareMax: f64[place + 13] as number,
    missCostLamports: f64[place + 14] as number,
  };
}

function readSplit(u32: Uint32Array, f64: Float64Array, u8: Uint8Array, at: number): DecisionSplit | undefined {
  const word = (at + DECISION_AT.split) >> 2;
  const [place, hop] = [u32[word + 10] as number, u32[word + 11] as number];
  if (place === 0 || place > HOPS_MAX) return undefined;
  const [first, last] = new Int16Array(u8.buffer, at + DECISION_AT.split + 48, 2) as unknown as [number, number];
  return {
    place: place - 1,
    second: {
      pool: hop >>> 1,
      inputSide: (hop & 1) as 0 | 1,
      reserveIn: readU64(u32, word),
      reserveOut: readU64(u32, word + 2),
      ...(u8[at + DECISION_AT.split + 52] === 1 && { tickArrays: [first, last] as const }),
    },
    amountIn: readU64(u32, word + 4),
    amountOut: readU64(u32, word + 6),
    gainLamports: BigInt(f64[(at + DECISION_AT.split + 32) >> 3] as number),
  };
}

/** What the io thread tells the hot thread after an outcome, or when the wallet changed. */
export type OutcomeNote = {
  /** The settled decision; 0 when none is. */
  readonly sequence: number;
  readonly walletLamports: number;
  readonly tipMedianLamports: number;
  readonly landedShare: number;
  readonly outbidShare: number;
  /** How it ended, as far as its tip is concerned. */
  readonly result: TipResult;
  /** Of the rival that won; 0 unknown. */
  readonly rivalTipLamports: number;
  /** 75th percentile of the tips that landed lately at the route; 0 unknown. */
  readonly tipFloorLamports: number;
  /** Stands for the leader of the next slot; 0 unknown. */
  readonly leader: number;
};

/** A note to read into, reused: it says nothing. */
export const createOutcomeNote = (): { -readonly [K in keyof OutcomeNote]: OutcomeNote[K] } => ({
  sequence: 0,
  walletLamports: 0,
  tipMedianLamports: 0,
  landedShare: 0.5,
  outbidShare: 0,
  result: TIP_RESULT.none,
  rivalTipLamports: 0,
  tipFloorLamports: 0,
  leader: 0,
});

/** Puts a note into an OUTCOME_RING; false when it is full. */
export function sendOutcomeNote(ring: SlotProducer, note: OutcomeNote): boolean {
  const at = ring.claim();
  if (at < 0) return false;
  const place = at >> 3;
  ring.f64[place] = note.sequence;
  ring.f64[place + 1] = note.walletLamports;
  ring.f64[place + 2] = note.tipMedianLamports;
  ring.f64[place + 3] = note.landedShare;
  ring.f64[place + 4] = note.outbidShare;
  ring.u32[2 * (place + 5)] = note.result;
  ring.u32[2 * (place + 5) + 1] = note.leader;
  ring.f64[place + 6] = note.rivalTipLamports;
  ring.f64[place + 7] = note.tipFloorLamports;
  ring.advance();
  ring.publish();
  return true;
}

/** Reads a published slot of an OUTCOME_RING into `out`, without allocating. */
export function readOutcomeNote(
  out: ReturnType<typeof createOutcomeNote>,
  { u32, f64 }: SlotConsumer,
  at: number,
): void {
  const place = at >> 3;
  out.sequence = f64[place] as number;
  out.walletLamports = f64[place + 1] as number;
  out.tipMedianLamports = f64[place + 2] as number;
  out.landedShare = f64[place + 3] as number;
  out.outbidShare = f64[place + 4] as number;
  const result = u32[2 * (place + 5)] as number;
  out.result = result <= TIP_RESULT.lost ? (result as TipResult) : TIP_RESULT.none;
  out.leader = u32[2 * (place + 5) + 1] as number;
  out.rivalTipLamports = f64[place + 6] as number;
  out.tipFloorLamports = f64[place + 7] as number;
}

/** Reads a published slot of a DECISION_RING. */
export function readDecision({ u32, f64, u8 }: SlotConsumer, at: number): Decision {
  const word = at >> 2;
  const double = at >> 3;
  const whole = (place: number) => BigInt(f64[double + place] as number);
  const count = (place: number, max: number) => Math.min(u32[word + place] as number, max);
  const reason = reasonOf(u32[word + 1] as number);
  if (reason === undefined)
    throw new SandpiperError(
      DECIDE_ERROR.record,
      `Cannot read a decision record: a known reason, was code ${u32[word + 1]}`,
    );
  const tipPolicy = TIP_POLICIES[u8[at + DECISION_AT.tipPolicy] as number] ?? "model";
  const hopCount = count(12, HOPS_MAX);
  const floats = new Float32Array(u8.buffer, at + 296, count(14, FEATURES_MAX));
  const arrays = new Int16Array(u8.buffer, at + DECISION_AT.tickArrays, 2 * HOPS_MAX);
  const split = readSplit(u32, f64, u8, at);
  return {
    action: u32[word] === 1 ? "send" : "skip",
    reason: reason.name,
    sequence: f64[double + 1] as number,
    slot: readU64(u32, word + 4),
    eventNs: f64[double + 3] as number,
    feedNs: f64[double + 4] as number,
    decideNs: f64[double + 5] as number,
    transactionIndex: u32[word + 15] as number,
    hops: Array.from({ length: hopCount }, (_, i) => {
      const hop = u32[word + 16 + i] as number;
      return {
        pool: hop >>> 1,
        inputSide: (hop & 1) as 0 | 1,
        reserveIn: readU64(u32, word + 106 + 4 * i),
        reserveOut: readU64(u32, word + 108 + 4 * i),
        ...(u8[at + DECISION_AT.hasTickArrays + i] === 1 && {
          tickArrays: [arrays[2 * i] as number, arrays[2 * i + 1] as number] as const,
        }),
      };
    }),
    amounts: Array.from({ length: hopCount + 1 }, (_, i) => readU64(u32, word + 20 + 2 * i)),
    ...(split !== undefined && { split }),
    grossLamports: whole(15),
    feeLamports: whole(16),
    tipLamports: whole(17),
    netLamports: whole(18),
    evLamports: whole(19),
    score: f64[double + 20] as number,
    tipPolicy,
    tipPropensity:
      tipPolicy === "model" ? 1 : (new Float32Array(u8.buffer, at + DECISION_AT.propensity, 1)[0] as number),
    tipLadderLamports: Array.from({ length: count(13, TIPS_MAX) }, (_, i) => whole(21 + i)),
    features: [...floats],
    terms: readTerms(u32, f64, at),
  };
}

function readHash(u32: Uint32Array, word: number): string {
  const words = [u32[word] as number, u32[word + 1] as number];
  return words[0] === 0 && words[1] === 0 ? "" : words.map((part) => part.toString(16).padStart(8, "0")).join("");
}
