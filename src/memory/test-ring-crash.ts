/**
 * The crash test of a ring between two processes: kill -9 at a random instant of one end or the other, many times, and
 * count what was lost, torn, or handed out again. Shared by the test (few kills) and bench/ring-crash.ts (10,000).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "#core/random.ts";
import { byteRingBytes, formatByteRing } from "./byte-ring.ts";
import { inspectRing } from "./inspect-ring.ts";
import { createRegion } from "./region.ts";
import { formatSlotRing, slotRingBytes } from "./slot-ring.ts";
import { END_CONTROL, type RingKind } from "./test-ring-end.ts";

const SLOTS = { capacity: 1_024, slotBytes: 64 };
const BYTES = 65_536;
const WAIT_MS_MAX = 60_000;
/** A killed end has had up to so long to be in the middle of something. */
const LIFE_MS_MAX = 4;
const ROLES = ["producer", "consumer"] as const;

export type CrashCount = {
  readonly kills: number;
  readonly taken: number;
  readonly lost: number;
  readonly torn: number;
  /** Taken although an earlier consumer had released it: nothing that a death explains. */
  readonly twice: number;
  /** Handed out again after a consumer's death, and known by its number; the most that one death cost. */
  readonly again: number;
  readonly againMax: number;
  /** What the checker found wrong in the ring, looked at after each kill with one end dead. */
  readonly damage: readonly string[];
};

export async function crashRing(kind: RingKind, kills: number, seed: string): Promise<CrashCount> {
  const folder = mkdtempSync("/dev/shm/sandpiper-test-crash-");
  const [ringPath, controlPath] = [join(folder, "ring"), join(folder, "control")];
  const ring = createRegion(ringPath, kind === "slots" ? slotRingBytes(SLOTS) : byteRingBytes(BYTES));
  if (kind === "slots") formatSlotRing(ring, SLOTS);
  else formatByteRing(ring, BYTES);
  const control = new Int32Array(createRegion(controlPath, END_CONTROL.bytes));
  const start = (role: (typeof ROLES)[number]) =>
    Bun.spawn([process.execPath, join(import.meta.dir, "test-ring-end.ts"), role, kind, ringPath, controlPath], {
      stdio: ["ignore", "inherit", "inherit"],
    });
  const random = seededRandom(seed);
  const ends = { producer: start("producer"), consumer: start("consumer") };
  const starts = { producer: 0, consumer: 0 };
  const damage: string[] = [];
  let againMax = 0;
  try {
    for (let kill = 0; kill < kills; kill++) {
      const role = ROLES[random.between(0, ROLES.length)] as (typeof ROLES)[number];
      const word = role === "producer" ? END_CONTROL.producerStarts : END_CONTROL.consumerStarts;
      await until(() => Atomics.load(control, word) > starts[role], `the ${role} has begun after ${kill} kills`);
      // A wait of whole milliseconds would always hit the same place of the loop.
      spinMs(random.between(0, LIFE_MS_MAX * 1_000) / 1_000);
      ends[role].kill("SIGKILL");
      await ends[role].exited;
      damage.push(...inspectRing(ring).damage);
      const before = Atomics.load(control, END_CONTROL.again);
      starts[role] = Atomics.load(control, word);
      ends[role] = start(role);
      if (role !== "consumer") continue;
      await until(() => Atomics.load(control, word) > starts.consumer, "the consumer is back");
      const aim = Atomics.load(control, END_CONTROL.taken) + 1;
      await until(() => Atomics.load(control, END_CONTROL.taken) >= aim, "a new record is taken");
      againMax = Math.max(againMax, Atomics.load(control, END_CONTROL.again) - before);
    }
    const aim = Atomics.load(control, END_CONTROL.taken) + 1_000;
    await until(() => Atomics.load(control, END_CONTROL.taken) >= aim, "the last ends have met");
    const count = (word: number) => Atomics.load(control, word);
    const { taken, lost, torn, twice, again } = END_CONTROL;
    return {
      kills,
      taken: count(taken),
      lost: count(lost),
      torn: count(torn),
      twice: count(twice),
      again: count(again),
      againMax,
      damage,
    };
  } finally {
    for (const end of Object.values(ends)) end.kill("SIGKILL");
    await Promise.all(Object.values(ends).map((end) => end.exited));
    rmSync(folder, { recursive: true, force: true });
  }
}

function spinMs(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${WAIT_MS_MAX} ms until ${what}`);
    await Bun.sleep(0.2);
  }
}
