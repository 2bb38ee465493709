/**
 * Runs a hot loop on its tape: the same records in the same turns, the same readings of the clock, the same outcomes and
 * policies. What it decides is compared with what the tape says was decided, slot by slot and byte by byte.
 */
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { openSegments, readSegmentBlock } from "#core/segments/reader.ts";
import { Histogram } from "#memory/histogram.ts";
import { ARBITRAGE_RING } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, SlotProducer, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import type { PolicyTarget } from "#memory/switchboard.ts";
import { COUNTERS_BYTES, countersOver } from "./counters.ts";
import { DECISION_BYTES, DECISION_RING, type Decision, OUTCOME_RING, readDecision } from "./decision-record.ts";
import { DECIDE_ERROR } from "./errors.ts";
import type { Scorer } from "./evaluate.ts";
import { createHotLoop } from "./hot-loop.ts";
import { openTipBandit } from "./loop-settings.ts";
import { reasonOf } from "./reasons.ts";
import { readKeptCatalogue, readTapeAbout } from "./tape-recorder.ts";
import { TAPE_KIND, TAPE_PAYLOAD_AT } from "./tape-ring.ts";
import { TIP_STATISTICS_BYTES } from "./tips/tip-bandit.ts";

type Entry = { readonly kind: number; readonly number: number; readonly payload: Uint8Array };

export type TapeReplay = {
  readonly recorded: readonly Uint8Array[];
  readonly replayed: readonly Uint8Array[];
  readonly turns: number;
  readonly records: number;
  /** Entries that found no room when the tape was written: behind the first of them nothing can be compared. */
  readonly lost: number;
};

/** Throws a SandpiperError for a damaged tape, or one that this build's loop reads otherwise than it was written. */
export function replayTape(folder: string, model: Scorer): TapeReplay {
  const { settings, tipPolicy, runStartMs } = readTapeAbout(folder);
  const rings = { market: newRing(ARBITRAGE_RING), decisions: newRing(DECISION_RING), outcomes: newRing(OUTCOME_RING) };
  const clocks: number[] = [];
  let clockAt = 0;
  let policy: Float64Array | undefined;
  const reading = () => clocks[clockAt++] ?? refuse(folder, "a reading for each that the loop asks", "none left");
  const loop = createHotLoop({
    market: new SlotConsumer(rings.market),
    decisions: new SlotProducer(rings.decisions),
    outcomes: new SlotConsumer(rings.outcomes),
    switchboard: {
      readPolicyInto: (target) => {
        if (policy === undefined) return false;
        setPolicy(target, policy);
        policy = undefined;
        return true;
      },
    },
    model,
    risk: {
      refusal: () => {
        const code = reading();
        return code === 0 ? undefined : reasonOf(code)?.name;
      },
      sent: () => {},
    },
    tips: openTipBandit(tipPolicy, runStartMs, new SharedArrayBuffer(TIP_STATISTICS_BYTES)),
    clock: { monotonicNs: reading },
    counters: countersOver(new SharedArrayBuffer(COUNTERS_BYTES)),
    latency: new Histogram(new SharedArrayBuffer(Histogram.bytes)),
    settings,
  });
  const [market, outcomes] = [new SlotProducer(rings.market), new SlotProducer(rings.outcomes)];
  const decisions = new SlotConsumer(rings.decisions);
  const recorded: Uint8Array[] = [];
  const replayed: Uint8Array[] = [];
  const counts = { turns: 0, records: 0, lost: 0 };
  let expected = 1;
  for (const { kind, number, payload } of entriesOf(folder)) {
    counts.lost += number - expected;
    expected = number + 1;
    if (counts.lost > 0) break;
    const words = () => new Float64Array(payload.slice().buffer);
    switch (kind) {
      case TAPE_KIND.record:
        put(market, payload);
        break;
      case TAPE_KIND.outcome:
        put(outcomes, payload);
        break;
      case TAPE_KIND.policy:
        policy = words();
        break;
      case TAPE_KIND.clock:
        clocks.push(...words());
        break;
      case TAPE_KIND.catalogue:
        loop.setCatalogue(readKeptCatalogue(folder, words()[0] as number));
        break;
      case TAPE_KIND.decision:
        recorded.push(payload.slice());
        break;
      case TAPE_KIND.turn: {
        const wanted = words()[0] as number;
        const taken = loop.doWork();
        if (taken !== wanted) refuse(folder, `a turn of ${wanted} records`, `${taken}`);
        if (clockAt !== clocks.length)
          refuse(folder, "all readings of the clock taken", `${clocks.length - clockAt} left`);
        clocks.length = 0;
        clockAt = 0;
        counts.turns++;
        counts.records += taken;
        for (let at = decisions.peek(); at >= 0; at = decisions.peek()) {
          replayed.push(decisions.u8.slice(at, at + DECISION_BYTES));
          decisions.advance();
        }
        decisions.release();
        break;
      }
      default:
        refuse(folder, "entries of known kinds", `${kind}`);
    }
  }
  return { recorded, replayed, ...counts };
}

/** A decision as its slot's bytes say it. */
export function decisionOf(bytes: Uint8Array): Decision {
  const ring = newRing(DECISION_RING);
  const producer = new SlotProducer(ring);
  put(producer, bytes);
  const consumer = new SlotConsumer(ring);
  return readDecision(consumer, consumer.peek());
}

function* entriesOf(folder: string): Generator<Entry> {
  const { blocks } = openSegments(join(folder, "tape"));
  for (const block of blocks) {
    const bytes = readSegmentBlock(block);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < bytes.length; ) {
      if (at + TAPE_PAYLOAD_AT > bytes.length) refuse(block.path, "whole entries", "one cut short");
      const length = view.getUint32(at + 4, true);
      const end = at + TAPE_PAYLOAD_AT + length;
      if (end > bytes.length) refuse(block.path, "whole entries", "one cut short");
      const payload = bytes.subarray(at + TAPE_PAYLOAD_AT, end);
      yield { kind: view.getUint32(at, true), number: view.getFloat64(at + 8, true), payload };
      at = end;
    }
  }
}

function put(ring: SlotProducer, payload: Uint8Array): void {
  const at = ring.claim();
  if (at < 0) throw new SandpiperError(DECIDE_ERROR.tape, "Cannot replay a tape: turns that fit its rings, was more");
  ring.u8.set(payload, at);
  ring.advance();
  ring.publish();
}

function setPolicy(target: PolicyTarget, words: Float64Array): void {
  target.killed = words[0] !== 0;
  target.stopped = words[1] !== 0;
  target.throttlePct = words[2] as number;
  target.evMinLamports = words[3] as number;
  target.tipCount = words[4] as number;
  target.tipLadderLamports.set(words.subarray(5));
}

function newRing(format: SlotRingFormat): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  return buffer;
}

function refuse(path: string, want: string, was: string): never {
  throw new SandpiperError(DECIDE_ERROR.tape, `Cannot replay tape ${path}: ${want}, was ${was}`);
}
