/** Lines that bpftrace 0.17 wrote for the programs of tuning/trace/. */
import { describe, expect, test } from "bun:test";
import { type TraceMaps, takeLine } from "./output.ts";

const fresh = (): TraceMaps => ({ histograms: new Map(), numbers: new Map() });

describe("takeLine()", () => {
  test("knows when the probes are attached, and passes over empty maps", () => {
    const maps = fresh();
    expect(takeLine(maps, '{"type": "attached_probes", "data": {"probes": 6}}')).toBe(true);
    expect(takeLine(maps, "")).toBe(false);
    expect(maps.histograms.size + maps.numbers.size).toBe(0);
  });

  test("reads a histogram by key, each bucket below its end", () => {
    const maps = fresh();
    takeLine(
      maps,
      '{"type": "hist", "data": {"@delay_us": {"20359": [{"min": 0, "max": 0, "count": 1}, {"min": 2, "max": 3, "count": 2}, {"min": 4, "max": 7, "count": 0}, {"min": 8, "max": 15, "count": 691}]}}}',
    );
    expect(maps.histograms.get("@delay_us")?.get("20359")).toEqual([
      [1, 1],
      [4, 2],
      [16, 691],
    ]);
  });

  test("reads a histogram without keys, sums with and without, and the newest line wins", () => {
    const maps = fresh();
    takeLine(maps, '{"type": "hist", "data": {"@system_call_us": [{"min": 16, "max": 31, "count": 5}]}}');
    takeLine(maps, '{"type": "hist", "data": {"@system_call_us": [{"min": 16, "max": 31, "count": 9}]}}');
    takeLine(maps, '{"type": "map", "data": {"@system_call_us_sum": 201}}');
    takeLine(maps, '{"type": "map", "data": {"@others": {"kworker/u8:4": 1, "bun": 7}}}');
    expect(maps.histograms.get("@system_call_us")?.get("")).toEqual([[32, 9]]);
    expect(maps.numbers.get("@system_call_us_sum")?.get("")).toBe(201);
    expect(maps.numbers.get("@others")?.get("bun")).toBe(7);
  });
});
