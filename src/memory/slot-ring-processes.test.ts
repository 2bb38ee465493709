import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "#core/random.ts";
import { createRegion } from "./region.ts";
import { formatSlotRing, slotRingBytes } from "./slot-ring.ts";
import { PEER_BATCH, PEER_CONTROL } from "./slot-ring-peer.ts";

const FORMAT = { capacity: 1_024, slotBytes: 64 };
const DEADLINE_MS = 20_000;
type Role = "producer" | "consumer";

let folder = "";
let control: Int32Array;
let peers: Bun.Subprocess[] = [];

beforeEach(() => {
  folder = mkdtempSync("/dev/shm/sandpiper-test-ring-");
  formatSlotRing(createRegion(join(folder, "ring"), slotRingBytes(FORMAT)), FORMAT);
  control = new Int32Array(createRegion(join(folder, "control"), PEER_CONTROL.bytes));
});
afterEach(async () => {
  for (const peer of peers) peer.kill("SIGKILL");
  await Promise.all(peers.map((peer) => peer.exited));
  peers = [];
  rmSync(folder, { recursive: true, force: true });
});

function start(role: Role, last: number): Bun.Subprocess {
  const program = join(import.meta.dir, "slot-ring-peer.ts");
  const files = [join(folder, "ring"), join(folder, "control")];
  const peer = Bun.spawn([process.execPath, program, role, ...files, String(last)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  peers.push(peer);
  return peer;
}

const seen = (word: number): number => Atomics.load(control, word);

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS} ms until ${what}`);
    await Bun.sleep(1);
  }
}

describe("a ring between two processes", () => {
  test("hands over five million records in order, whole, each once", async () => {
    const last = 5_000_000;
    const consumer = start("consumer", last);
    const producer = start("producer", last);
    expect(await producer.exited).toBe(0);
    expect(await consumer.exited).toBe(0);
    expect(seen(PEER_CONTROL.lastSeen)).toBe(last);
    expect([seen(PEER_CONTROL.gaps), seen(PEER_CONTROL.torn), seen(PEER_CONTROL.duplicates)]).toEqual([0, 0, 0]);
  });

  test("loses and tears nothing when either side is killed 40 times, and repeats at most an unreleased batch", async () => {
    const kills = 40;
    const random = seededRandom("kills");
    const running: Record<Role, Bun.Subprocess> = {
      consumer: start("consumer", 2 ** 31 - 1),
      producer: start("producer", 2 ** 31 - 1),
    };
    for (let kill = 0; kill < kills; kill++) {
      const aim = seen(PEER_CONTROL.lastSeen) + random.between(1, 20_000);
      await until(() => seen(PEER_CONTROL.lastSeen) >= aim, `record ${aim} is seen after ${kill} kills`);
      const role: Role = kill % 2 === 0 ? "producer" : "consumer";
      running[role].kill("SIGKILL");
      await running[role].exited;
      expect(running[role].signalCode).toBe("SIGKILL");
      running[role] = start(role, 2 ** 31 - 1);
    }
    const aim = seen(PEER_CONTROL.lastSeen) + 10_000;
    await until(() => seen(PEER_CONTROL.lastSeen) >= aim, "the last ones started have met");
    expect([seen(PEER_CONTROL.producerStarts), seen(PEER_CONTROL.consumerStarts)]).toEqual([
      1 + kills / 2,
      1 + kills / 2,
    ]);
    expect([seen(PEER_CONTROL.gaps), seen(PEER_CONTROL.torn)]).toEqual([0, 0]);
    expect(seen(PEER_CONTROL.duplicatesMax)).toBeLessThanOrEqual(PEER_BATCH);
  });
});
