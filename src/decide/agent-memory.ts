/** The memory that the two threads of an agent share, and the bell by which the hot thread wakes the io thread. */
import { formatSlotRing, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { COUNTERS_BYTES } from "./counters.ts";
import { DECISION_RING, OUTCOME_RING } from "./decision-record.ts";
import { RISK_BYTES } from "./risk/risk-words.ts";
import { TAPE_RING } from "./tape-ring.ts";
import { TIP_STATISTICS_BYTES } from "./tips/tip-bandit.ts";

export type AgentMemory = {
  /** DECISION_RING, hot to io. */
  readonly decisions: SharedArrayBuffer;
  /** OUTCOME_RING, io to hot. */
  readonly outcomes: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  /** What operators want, io thread to main thread. */
  readonly switchboard: SharedArrayBuffer;
  /** What the tip bandit learnt of each rung, hot to io. */
  readonly tipStatistics: SharedArrayBuffer;
  /** What the risk limits allow, io to hot. */
  readonly risk: SharedArrayBuffer;
  /** TAPE_RING, hot to io; undefined when the run is not recorded. */
  readonly tape: SharedArrayBuffer | undefined;
  /** One i32 that grows with every decision. */
  readonly bell: SharedArrayBuffer;
};

export const createAgentMemory = (recorded: boolean): AgentMemory => ({
  tape: recorded ? sharedRing(TAPE_RING) : undefined,
  decisions: sharedRing(DECISION_RING),
  outcomes: sharedRing(OUTCOME_RING),
  counters: new SharedArrayBuffer(COUNTERS_BYTES),
  switchboard: new SharedArrayBuffer(Switchboard.bytes),
  tipStatistics: new SharedArrayBuffer(TIP_STATISTICS_BYTES),
  risk: new SharedArrayBuffer(RISK_BYTES),
  bell: new SharedArrayBuffer(4),
});

/** What the hot thread calls after it published a decision. */
export function bellRinger(memory: Pick<AgentMemory, "bell">): () => void {
  const word = new Int32Array(memory.bell);
  return () => {
    Atomics.add(word, 0, 1);
    Atomics.notify(word, 0);
  };
}

/** What the io thread awaits: resolves at the next ring after the last one it saw, at the latest after `timeoutMs`. */
export function bellWaiter(memory: Pick<AgentMemory, "bell">): (timeoutMs: number) => Promise<unknown> {
  const word = new Int32Array(memory.bell);
  let seen = Atomics.load(word, 0);
  return async (timeoutMs) => {
    const waiting = Atomics.waitAsync(word, 0, seen, timeoutMs);
    if (waiting.async) await waiting.value;
    seen = Atomics.load(word, 0);
  };
}

function sharedRing(format: SlotRingFormat): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  return buffer;
}
