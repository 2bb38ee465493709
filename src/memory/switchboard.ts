/**
 * The one place where control meets the market: the policy an operator set, for the hot thread to read. A seqlock, so
 * that all words change together and a reader never waits: while nothing changed it pays one atomic load.
 *
 *   byte 0   u32 sequence   odd while a write is under way; grows by 2 per policy; 0 when none was ever written
 *        8   f64 killed     0 or 1
 *       16   f64 stopped    0 or 1
 *       24   f64 throttlePct
 *       32   f64 evMinLamports
 *       40   f64 tipCount
 *       48   f64 × 16       tip ladder, lamports, ascending
 *
 * One thread writes. All words go through Atomics as pairs of i32, so the order holds by the language, not by the
 * processor. A writer that dies half-way leaves the sequence odd: readers keep their last policy until the next write.
 */
import { SandpiperError } from "#core/error.ts";
import { MEMORY_ERROR } from "./errors.ts";

export const TIP_LADDER_MAX = 16;
/** A lamport amount above this is not exact as a double. */
const LAMPORTS_MAX = Number.MAX_SAFE_INTEGER;
const WORDS_AT = 2;
const FIXED_NUMBERS = 5;
/** The half of the double `killed` that is not 0 when it is 1. */
const KILLED_WORD = WORDS_AT + 1;
const NUMBERS = FIXED_NUMBERS + TIP_LADDER_MAX;
/** How often a reader tries again when a write passes under it, before it keeps its old policy until the next call. */
const READ_TRIES_MAX = 8;

export type PolicyFields = {
  /** Nothing leaves while true. */
  readonly killed: boolean;
  /** Nothing new is decided to be sent while true; what was decided before goes out. */
  readonly stopped: boolean;
  /** Share of opportunities that is passed over, 0..100. */
  readonly throttlePct: number;
  /** Least expected value that is sent. */
  readonly evMinLamports: number;
  /** Ascending, 1 to 16 tips. */
  readonly tipLadderLamports: readonly number[];
};

/** What the hot thread keeps and reuses: the same fields without a list that would have to be made. */
export type PolicyTarget = {
  killed: boolean;
  stopped: boolean;
  throttlePct: number;
  evMinLamports: number;
  /** How many places of the ladder count. */
  tipCount: number;
  readonly tipLadderLamports: Float64Array;
};

/** A target that sends nothing until a policy was read into it. */
export function createPolicyTarget(): PolicyTarget {
  return {
    killed: true,
    stopped: false,
    throttlePct: 100,
    evMinLamports: LAMPORTS_MAX,
    tipCount: 0,
    tipLadderLamports: new Float64Array(new ArrayBuffer(TIP_LADDER_MAX * 8)),
  };
}

/** One per thread: it remembers which policy its thread has seen. */
export class Switchboard {
  static readonly bytes = 8 + NUMBERS * 8;
  readonly #words: Int32Array;
  readonly #staged = new Float64Array(new ArrayBuffer(NUMBERS * 8));
  readonly #stagedWords = new Int32Array(this.#staged.buffer);
  #sequenceSeen = 0;

  constructor(buffer: ArrayBufferLike) {
    if (buffer.byteLength < Switchboard.bytes)
      throw new SandpiperError(
        MEMORY_ERROR.switchboardPolicy,
        `Cannot use a switchboard: at least ${Switchboard.bytes} bytes, was ${buffer.byteLength}`,
      );
    this.#words = new Int32Array(buffer, 0, Switchboard.bytes >> 2);
  }

  /** Replaces the whole policy. Throws a SandpiperError, changing nothing, when a field is out of its range. */
  writePolicy(policy: PolicyFields): void {
    checkPolicy(policy);
    const staged = this.#staged;
    staged.fill(0);
    staged[0] = policy.killed ? 1 : 0;
    staged[1] = policy.stopped ? 1 : 0;
    staged[2] = policy.throttlePct;
    staged[3] = policy.evMinLamports;
    staged[4] = policy.tipLadderLamports.length;
    staged.set(policy.tipLadderLamports, FIXED_NUMBERS);
    const writing = Atomics.load(this.#words, 0) | 1;
    Atomics.store(this.#words, 0, writing);
    for (let i = 0; i < this.#stagedWords.length; i++)
      Atomics.store(this.#words, WORDS_AT + i, this.#stagedWords[i] as number);
    Atomics.store(this.#words, 0, (writing + 1) | 0);
  }

  /**
   * Copies a policy that this thread has not seen into `target` and says true. False, with the target as it was, when
   * there is none or its writer is half-way (the next call finds it).
   */
  readPolicyInto(target: PolicyTarget): boolean {
    for (let tries = 0; tries < READ_TRIES_MAX; tries++) {
      const sequence = Atomics.load(this.#words, 0);
      if (sequence === this.#sequenceSeen) return false;
      if ((sequence & 1) !== 0) continue;
      for (let i = 0; i < this.#stagedWords.length; i++) this.#stagedWords[i] = Atomics.load(this.#words, WORDS_AT + i);
      if (Atomics.load(this.#words, 0) !== sequence) continue;
      this.#sequenceSeen = sequence;
      this.#copyInto(target);
      return true;
    }
    return false;
  }

  /** Whether nothing may leave now: one load, for the last look before a send. True before the first policy. */
  isKilled(): boolean {
    return Atomics.load(this.#words, 0) === 0 || Atomics.load(this.#words, KILLED_WORD) !== 0;
  }

  #copyInto(target: PolicyTarget): void {
    const staged = this.#staged;
    target.killed = staged[0] !== 0;
    target.stopped = staged[1] !== 0;
    target.throttlePct = staged[2] as number;
    target.evMinLamports = staged[3] as number;
    target.tipCount = staged[4] as number;
    for (let i = 0; i < TIP_LADDER_MAX; i++) target.tipLadderLamports[i] = staged[FIXED_NUMBERS + i] as number;
  }
}

function checkPolicy(policy: PolicyFields): void {
  const { throttlePct, evMinLamports, tipLadderLamports } = policy;
  if (!(throttlePct >= 0 && throttlePct <= 100)) refuse("throttlePct from 0 to 100", throttlePct);
  if (!(evMinLamports >= 0 && evMinLamports <= LAMPORTS_MAX))
    refuse(`evMinLamports from 0 to ${LAMPORTS_MAX}`, evMinLamports);
  const { length } = tipLadderLamports;
  if (length < 1 || length > TIP_LADDER_MAX) refuse(`1 to ${TIP_LADDER_MAX} tips`, length);
  const sound = tipLadderLamports.every(
    (tip, i) => Number.isSafeInteger(tip) && tip > 0 && (i === 0 || tip > (tipLadderLamports[i - 1] as number)),
  );
  if (!sound) refuse("tips that are whole lamports and ascend", tipLadderLamports.join(","));
}

function refuse(want: string, was: number | string): never {
  throw new SandpiperError(MEMORY_ERROR.switchboardPolicy, `Cannot set the policy: ${want}, was ${was}`);
}
