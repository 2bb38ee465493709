/**
 * The other process of the doorbell's test: `bun doorbell-peer.ts FILE ROUNDS`. It waits at the first doorbell for each
 * round, answers by publishing the round at the second, and rings that.
 */
import { createDoorbell } from "./doorbell.ts";

/** Two doorbells, each with the words drawn in doorbell.ts: "there" rings the peer, "back" rings the test. */
export const DOORBELL_PEER = { bytes: 4_096, there: 1_024, back: 2_048 } as const;
export const PUBLISHED = -128 >> 2;
const RELEASED = -64 >> 2;
/** So long that a single lost wake is longer than the test may take. */
export const WAIT_MS = 60_000;

/** Waits until `round` is published at this doorbell, and releases it. */
export function awaitRound(words: Int32Array, bell: { wait(ms: number): void }, at: number, round: number): void {
  while (Atomics.load(words, (at >> 2) + PUBLISHED) !== round) bell.wait(WAIT_MS);
  Atomics.store(words, (at >> 2) + RELEASED, round);
}

export function publishRound(words: Int32Array, bell: { ring(): void }, at: number, round: number): void {
  Atomics.store(words, (at >> 2) + PUBLISHED, round);
  bell.ring();
}

if (import.meta.main) {
  const [path = "", rounds = "0"] = process.argv.slice(2);
  const { buffer } = Bun.mmap(path, { shared: true });
  const words = new Int32Array(buffer);
  const there = createDoorbell(buffer, DOORBELL_PEER.there);
  const back = createDoorbell(buffer, DOORBELL_PEER.back);
  for (let round = 1; round <= Number(rounds); round++) {
    awaitRound(words, there, DOORBELL_PEER.there, round);
    publishRound(words, back, DOORBELL_PEER.back, round);
  }
}
