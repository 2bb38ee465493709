/** A cluster that comes back starts above the slots that anybody has seen. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveSlot, saveSlotNowAndThen, startSlotOf } from "./slot-state.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-slot-state-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "sim.json");

describe("startSlotOf()", () => {
  test("starts at 1 where there was no cluster", () => {
    expect(startSlotOf(join(folder, "none.json"))).toBe(1n);
  });

  test("starts above every slot that can have passed since the last save", () => {
    for (let slot = 1n; slot <= 1_000n; slot++) {
      saveSlotNowAndThen(path, slot);
      if (slot >= 16n) expect(startSlotOf(path)).toBeGreaterThan(slot);
    }
    saveSlot(path, 1_000n);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ lastSlot: 1_000 });
  });

  test.each(["", "{", "[]", '{"lastSlot":-1}', '{"lastSlot":"7"}', '{"lastSlot":1e99}'])("refuses %p", (text) => {
    const damaged = join(folder, "damaged.json");
    writeFileSync(damaged, text);
    expect(() => startSlotOf(damaged)).toThrow("Cannot start the cluster: ");
  });
});
