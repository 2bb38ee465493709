import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { readClockQuality } from "./clock-quality.ts";
import { createSystemClock } from "./system-clock.ts";

describe("createSystemClock()", () => {
  test("monotonicNs() agrees with another process's clock: its stamp lies between two of ours", async () => {
    const clock = createSystemClock();
    const before = clock.monotonicNs();
    const child = Bun.spawn(
      [
        process.execPath,
        "-e",
        `import { readClockQuality } from "./clock-quality.ts";
import { createSystemClock } from ${JSON.stringify(join(import.meta.dir, "system-clock.ts"))};
         console.log(createSystemClock().monotonicNs());`,
      ],
      { stdout: "pipe", stderr: "inherit" },
    );
    const theirs = Number(await new Response(child.stdout).text());
    const after = clock.monotonicNs();
    expect(theirs).toBeGreaterThan(before);
    expect(theirs).toBeLessThan(after);
  });

  test("monotonicNs() never goes back", () => {
    const clock = createSystemClock();
    let last = clock.monotonicNs();
    for (let i = 0; i < 10_000; i++) {
      const now = clock.monotonicNs();
      expect(now >= last).toBe(true);
      last = now;
    }
  });

  test("wallNs() lies between two readings of Date.now()", () => {
    const clock = createSystemClock();
    const before = Date.now();
    const wallMs = Number(clock.wallNs() / 1_000_000n);
    expect(wallMs).toBeGreaterThanOrEqual(before);
    expect(wallMs).toBeLessThanOrEqual(Date.now());
  });

  test("wallQuality() is what the kernel says, read once for many questions", () => {
    const clock = createSystemClock();
    const quality = clock.wallQuality();
    expect(quality?.isSynchronised).toBe(readClockQuality()?.isSynchronised);
    expect(quality === undefined || quality.errorMsMax >= 0).toBe(true);
    expect(clock.wallQuality()).toBe(quality);
  });
});
