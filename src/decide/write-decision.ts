/** Writes decisions into the slots of a DECISION_RING (the layout is drawn in decision-record.ts), without allocating. */
import type { Split } from "#arbitrage/find-split.ts";
import type { Winner } from "#arbitrage/winner.ts";
import { writeWhole } from "#core/words.ts";
import type { SlotProducer } from "#memory/slot-ring.ts";
import { writeFeatureInput } from "#model/features.ts";
import type { DecisionDraft } from "./decision-draft.ts";
import { DECISION_AT, DECISION_BYTES } from "./decision-record.ts";
import { REASON_CODE } from "./reasons.ts";
import { TIP_POLICIES } from "./tips/tip-bandit.ts";

export class DecisionWriter {
  readonly #ring: SlotProducer;
  readonly #f32: Float32Array;
  readonly #i16: Int16Array;
  readonly #modelHash = new HashWords();
  readonly #shadowHash = new HashWords();

  constructor(ring: SlotProducer) {
    this.#ring = ring;
    this.#f32 = new Float32Array(ring.u8.buffer);
    this.#i16 = new Int16Array(ring.u8.buffer);
  }

  /** Into the slot that was claimed at `at`; the caller advances and publishes. */
  write(at: number, draft: DecisionDraft): void {
    const { u32, f64 } = this.#ring;
    const { winner, choice, policy } = draft;
    const word = at >> 2;
    const double = at >> 3;
    this.#ring.u8.fill(0, at, at + DECISION_BYTES);
    u32[word] = draft.reason === "profitable" ? 1 : 2;
    u32[word + 1] = REASON_CODE[draft.reason];
    f64[double + 1] = draft.sequence;
    writeWhole(u32, word + 4, draft.slot);
    f64[double + 3] = draft.eventNs;
    f64[double + 4] = draft.feedNs;
    f64[double + 5] = draft.decideNs;
    u32[word + 12] = winner.hopCount;
    u32[word + 13] = policy.tipCount;
    u32[word + 14] = draft.features.length;
    u32[word + 15] = draft.transactionIndex;
    this.#writeHops(at, draft);
    const { grossLamports } = winner;
    const { tipLamports } = choice;
    f64[double + 15] = grossLamports;
    f64[double + 16] = draft.feeLamports;
    f64[double + 17] = tipLamports;
    f64[double + 18] = grossLamports - draft.feeLamports - tipLamports;
    // Adding 0 makes a 0 of a −0.
    f64[double + 19] = tipLamports > 0 ? Math.round(choice.evLamports) + 0 : 0;
    f64[double + 20] = choice.score;
    for (let i = 0; i < policy.tipCount; i++) f64[double + 21 + i] = policy.tipLadderLamports[i] as number;
    const row = (at + DECISION_AT.features) >> 2;
    for (let i = 0; i < draft.features.length; i++) this.#f32[row + i] = draft.features[i] as number;
    this.#writeTerms(at, draft);
    // The record of a choice by the model alone has zeros here.
    if (draft.tipPolicy === "model") return;
    this.#ring.u8[at + DECISION_AT.tipPolicy] = TIP_POLICIES.indexOf(draft.tipPolicy);
    this.#f32[(at + DECISION_AT.propensity) >> 2] = choice.propensity;
  }

  #writeHops(at: number, { winner }: DecisionDraft): void {
    const { u32, u8 } = this.#ring;
    const { hopCount, hops, amounts, reserves } = winner;
    const word = at >> 2;
    for (let i = 0; i < hopCount; i++) u32[word + 16 + i] = hops[i] as number;
    for (let i = 0; i < 2 * hopCount + 2; i++) u32[word + 20 + i] = amounts[i] as number;
    const reserveWord = (at + DECISION_AT.reserves) >> 2;
    for (let i = 0; i < 4 * hopCount; i++) u32[reserveWord + i] = reserves[i] as number;
    const array = (at + DECISION_AT.tickArrays) >> 1;
    for (let i = 0; i < hopCount; i++) {
      if (winner.walksTicks[i] === 0) continue;
      u8[at + DECISION_AT.hasTickArrays + i] = 1;
      this.#i16[array + 2 * i] = winner.tickArrays[2 * i] as number;
      this.#i16[array + 2 * i + 1] = winner.tickArrays[2 * i + 1] as number;
    }
    if (winner.split !== undefined) this.#writeSplit(at, winner, winner.split);
  }

  #writeSplit(at: number, { secondReserves, secondWalk }: Winner, split: Split): void {
    const { u32, f64, u8 } = this.#ring;
    const word = (at + DECISION_AT.split) >> 2;
    for (let i = 0; i < secondReserves.length; i++) u32[word + i] = secondReserves[i] as number;
    writeWhole(u32, word + 4, split.secondIn);
    writeWhole(u32, word + 6, split.secondOut);
    f64[(at + DECISION_AT.split + 32) >> 3] = split.gainLamports;
    u32[word + 10] = split.place + 1;
    u32[word + 11] = split.second;
    if (secondWalk === undefined) return;
    this.#i16.set(secondWalk, (at + DECISION_AT.split + 48) >> 1);
    u8[at + DECISION_AT.split + 52] = 1;
  }

  #writeTerms(at: number, draft: DecisionDraft): void {
    const { u32, f64 } = this.#ring;
    const word = (at + DECISION_AT.terms) >> 2;
    this.#modelHash.write(u32, word, draft.modelHash);
    this.#shadowHash.write(u32, word + 2, draft.shadowHash);
    const double = (at + DECISION_AT.terms + 16) >> 3;
    f64[double] = draft.shadowScore;
    writeFeatureInput(f64, double + 1, draft.input);
    f64[double + 12] = draft.policy.evMinLamports;
    f64[double + 13] = draft.tipShareMax;
    f64[double + 14] = draft.missCostLamports;
  }
}

/** 16 hex digits as two words, read out once per hash; anything else is none. */
class HashWords {
  #hash = "";
  #first = 0;
  #second = 0;

  write(words: Uint32Array, at: number, hash: string): void {
    if (hash !== this.#hash) {
      this.#hash = hash;
      this.#first = Number.parseInt(hash.slice(0, 8), 16) >>> 0;
      this.#second = Number.parseInt(hash.slice(8, 16), 16) >>> 0;
    }
    words[at] = this.#first;
    words[at + 1] = this.#second;
  }
}
