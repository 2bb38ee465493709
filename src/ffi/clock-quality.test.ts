/** The kernel's word on the clock: its layout, byte by byte, and that this machine's kernel gives it. */
import { describe, expect, test } from "bun:test";
import { qualityOf, readClockQuality } from "./clock-quality.ts";

function filled(offset: bigint, errorMax: bigint, estimated: bigint, status: number): DataView {
  const view = new DataView(new ArrayBuffer(208));
  view.setBigInt64(8, offset, true);
  view.setBigInt64(24, errorMax, true);
  view.setBigInt64(32, estimated, true);
  view.setInt32(40, status, true);
  return view;
}

describe("qualityOf()", () => {
  test("reads a clock that is kept, its offset in ns", () => {
    expect(qualityOf(filled(-250_000n, 12_500n, 800n, 0x2001))).toEqual({
      ...{ isSynchronised: true, offsetMs: -0.25, estimatedErrorMs: 0.8, errorMsMax: 12.5 },
    });
  });

  test("reads an offset in µs, and that nobody keeps the clock", () => {
    expect(qualityOf(filled(1_500n, 16_000_000n, 16_000_000n, 0x40))).toEqual({
      ...{ isSynchronised: false, offsetMs: 1.5, estimatedErrorMs: 16_000, errorMsMax: 16_000 },
    });
  });
});

test("readClockQuality() has this kernel's word, again and again", () => {
  for (let i = 0; i < 3; i++) {
    const quality = readClockQuality();
    expect(quality?.errorMsMax).toBeGreaterThanOrEqual(0);
    expect(quality?.estimatedErrorMs).toBeGreaterThanOrEqual(0);
  }
});
