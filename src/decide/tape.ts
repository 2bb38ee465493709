/**
 * The tape of a hot loop: everything that goes into it, in the order of its going in, and every decision that comes out.
 * A loop is a function of its tape, so a replay of it decides the same, one by one (tape-replay.ts).
 *
 * The hot thread writes into a ring, without waiting and without an allocation per event; the io thread empties it into
 * segments. What finds no room is counted, and its number is missing on the tape.
 */
import type { Clock } from "#core/clock.ts";
import type { PoolCatalogue } from "#core/pool.ts";
import { ARBITRAGE_RING } from "#memory/market-record.ts";
import { SlotConsumer, SlotProducer } from "#memory/slot-ring.ts";
import type { PolicyTarget, Switchboard } from "#memory/switchboard.ts";
import { DECISION_BYTES, OUTCOME_RING } from "./decision-record.ts";
import type { HotLoop, HotLoopParts } from "./hot-loop.ts";
import { REASON_CODE } from "./reasons.ts";
import { TAPE_KIND, TAPE_PAYLOAD_AT } from "./tape-ring.ts";

const CLOCKS_MAX = 78;
const POLICY_FIXED = 5;

export class Tape {
  /** Entries that found no room. */
  dropped = 0;
  readonly #ring: SlotProducer;
  readonly #clocks = new Float64Array(new ArrayBuffer(CLOCKS_MAX * 8));
  #clockCount = 0;
  #number = 0;
  /** Entries since the last turn ended. */
  #inTurn = 0;

  constructor(buffer: ArrayBufferLike) {
    this.#ring = new SlotProducer(buffer);
  }

  /** A copy of a slot of another ring. */
  slot(kind: number, from: Uint8Array, at: number, bytes: number): void {
    const to = this.#claim(kind, bytes);
    if (to < 0) return;
    this.#ring.u8.set(from.subarray(at, at + bytes), to);
    this.#ring.advance();
  }

  /** A reading of the clock, or another number that the loop asked for; a replay answers it in this order. */
  reading(ns: number): number {
    if (this.#clockCount === CLOCKS_MAX) this.#flushClocks();
    this.#clocks[this.#clockCount++] = ns;
    return ns;
  }

  policy(policy: PolicyTarget): void {
    const ladder = policy.tipLadderLamports;
    const to = this.#claim(TAPE_KIND.policy, (POLICY_FIXED + ladder.length) * 8);
    if (to < 0) return;
    const { f64 } = this.#ring;
    f64[to >> 3] = policy.killed ? 1 : 0;
    f64[(to >> 3) + 1] = policy.stopped ? 1 : 0;
    f64[(to >> 3) + 2] = policy.throttlePct;
    f64[(to >> 3) + 3] = policy.evMinLamports;
    f64[(to >> 3) + 4] = policy.tipCount;
    f64.set(ladder, (to >> 3) + POLICY_FIXED);
    this.#ring.advance();
  }

  catalogue(version: number): void {
    this.#word(TAPE_KIND.catalogue, version);
    this.#ring.publish();
  }

  /** One call of doWork is over; a call that did nothing leaves nothing. */
  endTurn(records: number): void {
    this.#flushClocks();
    if (records === 0 && this.#inTurn === 0) return;
    this.#word(TAPE_KIND.turn, records);
    this.#inTurn = 0;
    this.#ring.publish();
  }

  #flushClocks(): void {
    if (this.#clockCount === 0) return;
    const to = this.#claim(TAPE_KIND.clock, this.#clockCount * 8);
    if (to >= 0) {
      for (let i = 0; i < this.#clockCount; i++) this.#ring.f64[(to >> 3) + i] = this.#clocks[i] as number;
      this.#ring.advance();
    }
    this.#clockCount = 0;
  }

  #word(kind: number, value: number): void {
    const to = this.#claim(kind, 8);
    if (to < 0) return;
    this.#ring.f64[to >> 3] = value;
    this.#ring.advance();
  }

  /** Where the payload of a new entry goes, or -1 when it has no room. */
  #claim(kind: number, bytes: number): number {
    this.#number++;
    this.#inTurn++;
    const at = this.#ring.claim();
    if (at < 0) {
      this.dropped++;
      return -1;
    }
    this.#ring.u32[at >> 2] = kind;
    this.#ring.u32[(at >> 2) + 1] = bytes;
    this.#ring.f64[(at >> 3) + 1] = this.#number;
    return at + TAPE_PAYLOAD_AT;
  }
}

/** The parts of a loop, each of them telling the tape what the loop takes from it or gives to it. */
export function tapedParts(parts: HotLoopParts, buffers: TapedBuffers, tape: Tape): HotLoopParts {
  return {
    ...parts,
    market: new TapedConsumer(buffers.market, tape, TAPE_KIND.record, ARBITRAGE_RING.slotBytes),
    decisions: new TapedProducer(buffers.decisions, tape),
    ...(buffers.outcomes !== undefined && {
      outcomes: new TapedConsumer(buffers.outcomes, tape, TAPE_KIND.outcome, OUTCOME_RING.slotBytes),
    }),
    ...(parts.risk !== undefined && { risk: tapedRisk(parts.risk, tape) }),
    switchboard: tapedSwitchboard(parts.switchboard, tape),
    clock: tapedClock(parts.clock, tape),
  };
}

export type TapedBuffers = {
  readonly market: ArrayBufferLike;
  readonly decisions: ArrayBufferLike;
  readonly outcomes?: ArrayBufferLike;
};

/** The loop itself, its turns and catalogues on the tape; `keep` puts each catalogue where a replay finds it. */
export function tapedLoop(loop: HotLoop, tape: Tape, keep: (catalogue: PoolCatalogue) => void): HotLoop {
  return {
    doWork: () => {
      const records = loop.doWork();
      tape.endTurn(records);
      return records;
    },
    setCatalogue: (catalogue) => {
      keep(catalogue);
      tape.catalogue(catalogue.version);
      loop.setCatalogue(catalogue);
    },
    get catalogueWanted() {
      return loop.catalogueWanted;
    },
    get ended() {
      return loop.ended;
    },
  };
}

const tapedClock = (clock: Pick<Clock, "monotonicNs">, tape: Tape): Pick<Clock, "monotonicNs"> => ({
  monotonicNs: () => tape.reading(clock.monotonicNs()),
});

/** The books that the limits look into are the io thread's: what they answered is on the tape, as a reason's code. */
const tapedRisk = (risk: NonNullable<HotLoopParts["risk"]>, tape: Tape): NonNullable<HotLoopParts["risk"]> => ({
  refusal: (pools, count, openAttempts, nowNs) => {
    const refusal = risk.refusal(pools, count, openAttempts, nowNs);
    tape.reading(refusal === undefined ? 0 : REASON_CODE[refusal]);
    return refusal;
  },
  sent: () => risk.sent(),
});

const tapedSwitchboard = (
  switchboard: Pick<Switchboard, "readPolicyInto">,
  tape: Tape,
): Pick<Switchboard, "readPolicyInto"> => ({
  readPolicyInto: (target) => {
    const changed = switchboard.readPolicyInto(target);
    if (changed) tape.policy(target);
    return changed;
  },
});

class TapedConsumer extends SlotConsumer {
  constructor(
    buffer: ArrayBufferLike,
    readonly tape: Tape,
    readonly kind: number,
    readonly bytes: number,
  ) {
    super(buffer);
  }

  override advance(): void {
    this.tape.slot(this.kind, this.u8, this.peek(), this.bytes);
    super.advance();
  }
}

class TapedProducer extends SlotProducer {
  constructor(
    buffer: ArrayBufferLike,
    readonly tape: Tape,
  ) {
    super(buffer);
  }

  override advance(): void {
    // Claiming again without an advance gives the same slot.
    this.tape.slot(TAPE_KIND.decision, this.u8, this.claim(), DECISION_BYTES);
    super.advance();
  }
}
