/** What an end of bench/ring.ts is told, and what it answers, whatever it moves the records by. */

export type PeerRole = "produce" | "consume" | "ping" | "echo";
export type PeerJob = {
  readonly role: PeerRole;
  /** Fixed slots, or records of any length (of 64 bytes here), where there is something to choose: for throughput. */
  readonly layout: "slots" | "bytes";
  /** Messages per publish and release. */
  readonly batch: number;
  /** An end of a round trip that finds nothing sleeps at its doorbell instead of spinning. */
  readonly parks: boolean;
  /** Where this end runs once it is warm (the compiler's helper threads stay free). */
  readonly core: number;
  readonly warmUp: number;
  readonly count: number;
};
export type PeerResult = {
  readonly millionPerSecond?: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly p999?: number;
};

/** Of a record; all are written and read. */
export const WORDS = 16;
export const RECORD_BYTES = 4 * WORDS;

/** Of `count` records, word w of record n being n + w: throws unless `sum` (32 bits) is that of all words. */
export function throughputOf(count: number, sum: number, elapsedNs: number): PeerResult {
  const expected = Number(BigInt.asIntN(32, 8n * BigInt(count) * BigInt(count - 1) + 120n * BigInt(count)));
  if (sum !== expected) throw new Error(`Cannot trust the run: a sum of ${expected}, was ${sum}`);
  return { millionPerSecond: (count / elapsedNs) * 1e3 };
}

/** Sorts what it is given. */
export function latencyOf(oneWayNs: Float64Array): PeerResult {
  oneWayNs.sort();
  const at = (q: number) => oneWayNs[Math.floor(q * (oneWayNs.length - 1))] as number;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}
