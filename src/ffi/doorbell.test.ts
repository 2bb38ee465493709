import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDoorbell } from "./doorbell.ts";
import { awaitRound, DOORBELL_PEER, PUBLISHED, publishRound, WAIT_MS } from "./doorbell-peer.ts";

const PARKED_BYTE = 192;

describe("createDoorbell()", () => {
  test("wait() returns when its time is up", () => {
    const bell = createDoorbell(new SharedArrayBuffer(256), PARKED_BYTE);
    bell.wait(5);
    bell.wait(0);
    bell.wait(-1);
  });

  test("wait() returns at once while something published is not released", () => {
    const buffer = new SharedArrayBuffer(256);
    new Int32Array(buffer)[(PARKED_BYTE >> 2) + PUBLISHED] = 1;
    createDoorbell(buffer, PARKED_BYTE).wait(WAIT_MS);
  });

  test("ring() and wait() leave the word at not parked", () => {
    const buffer = new SharedArrayBuffer(256);
    const words = new Int32Array(buffer);
    const bell = createDoorbell(buffer, PARKED_BYTE);
    bell.wait(1);
    expect(words[PARKED_BYTE >> 2]).toBe(0);
    // A consumer that was killed while it slept leaves the word raised; the next ring clears it.
    words[PARKED_BYTE >> 2] = 1;
    bell.ring();
    expect(words[PARKED_BYTE >> 2]).toBe(0);
  });

  test.each([0, 126, 130, 256, -4])("the place %p is refused", (byteOffset) => {
    expect(() => createDoorbell(new SharedArrayBuffer(256), byteOffset)).toThrow("Cannot use a doorbell");
  });

  test("no wake is lost in 5,000 rounds between two processes that sleep each time", async () => {
    const folder = mkdtempSync("/dev/shm/sandpiper-test-doorbell-");
    const path = join(folder, "words");
    writeFileSync(path, new Uint8Array(DOORBELL_PEER.bytes));
    const { buffer } = Bun.mmap(path, { shared: true });
    const words = new Int32Array(buffer);
    const there = createDoorbell(buffer, DOORBELL_PEER.there);
    const back = createDoorbell(buffer, DOORBELL_PEER.back);
    const rounds = 5_000;
    const peer = Bun.spawn([process.execPath, join(import.meta.dir, "doorbell-peer.ts"), path, String(rounds)], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    for (let round = 1; round <= rounds; round++) {
      publishRound(words, there, DOORBELL_PEER.there, round);
      awaitRound(words, back, DOORBELL_PEER.back, round);
    }
    expect(await peer.exited).toBe(0);
    rmSync(folder, { recursive: true });
  });
});
