/**
 * What the hot thread counts, in shared memory for the io thread to report. One writer; a reader may see one counter of
 * an event before the other, never half a number.
 */

const COUNTERS = [
  /** Market records taken from the ring. */
  "records",
  /** Groups that changed a pool: one per transaction. */
  "swaps",
  /** Groups that were too old to act on when they were read. */
  "staleGroups",
  /** Records whose pool number is beyond the tables. */
  "unknownPools",
  /** Cycles looked at. */
  "cyclesScreened",
  /** Candidates that shared a pool with a better one of the same event. */
  "overlapping",
  /** Candidates that the exact integers found unprofitable. */
  "unprofitable",
  /** Decisions put on record, and of them those to send. */
  "decisions",
  "sends",
  /** Decisions that found no room on the way to the io thread; they were not sent. */
  "decisionsDropped",
  /** Times the market's sequence had a hole: a fresh snapshot was asked for. */
  "marketGaps",
  /** Records that are missing in those holes. */
  "marketDropped",
  /** Newest slot, and the feed's stamp on the newest record. */
  "slot",
  "newestFeedNs",
  /** Deepest the market ring was since the reader last set it to 0. */
  "ringDepthMax",
  /** Bundles that hold pools at this moment. */
  "inFlight",
] as const;
export type CounterName = (typeof COUNTERS)[number];

export const COUNTERS_BYTES = COUNTERS.length * 8;

/** Where each counter is in the array of `countersOver`. */
export const COUNTER = Object.fromEntries(COUNTERS.map((name, place) => [name, place])) as Record<CounterName, number>;

export const countersOver = (buffer: ArrayBufferLike): Float64Array => new Float64Array(buffer, 0, COUNTERS.length);
