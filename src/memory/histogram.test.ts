import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { seededRandom } from "#core/random.ts";
import { Histogram, HistogramReader, mergeViews } from "./histogram.ts";

const make = () => {
  const buffer = new SharedArrayBuffer(Histogram.bytes);
  return { buffer, histogram: new Histogram(buffer), reader: new HistogramReader(buffer) };
};

/** The value at rank ceil(q·n) of the sorted list: what a histogram estimates. */
const exactQuantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] as number;

const QUANTILES = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1];

describe("Histogram", () => {
  test("quantile() is within 1.6 % of the exact quantile of 100,000 log-normal durations", () => {
    const { histogram, reader } = make();
    const random = seededRandom("histogram");
    const values = Array.from({ length: 100_000 }, () => Math.exp(8 + 2 * random.normal()));
    for (const value of values) histogram.record(value);
    const sorted = values.toSorted((a, b) => a - b);
    const whole = reader.whole();
    expect(whole.count).toBe(values.length);
    expect(whole.maxNs).toBe(sorted.at(-1) as number);
    for (const q of QUANTILES) {
      const exact = exactQuantile(sorted, q);
      expect(Math.abs(whole.quantile(q) - exact)).toBeLessThanOrEqual(Math.max(1, exact * 0.016));
    }
  });

  test("quantile() stays within its bound for any durations up to an hour", () => {
    const duration = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.double({ min: 0, max: 3.6e12, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(duration, { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const { histogram, reader } = make();
          for (const value of values) histogram.record(value);
          const exact = exactQuantile(
            values.toSorted((a, b) => a - b),
            q,
          );
          expect(Math.abs(reader.whole().quantile(q) - exact)).toBeLessThanOrEqual(Math.max(1, exact * 0.016));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("values at the edge between the two bucketing ways land in order", () => {
    const { histogram, reader } = make();
    const values = [2 ** 30 - 1, 2 ** 30, 2 ** 30 + 2 ** 24, 2 ** 31, 2 ** 32 + 5, 2 ** 42];
    for (const value of values) histogram.record(value);
    const whole = reader.whole();
    values.forEach((value, i) => {
      expect(Math.abs(whole.quantile((i + 1) / values.length) / value - 1)).toBeLessThan(0.016);
    });
  });

  test.each([-5, Number.NaN, Number.NEGATIVE_INFINITY, 0, 0.4])("record(%p) counts as zero", (value) => {
    const { histogram, reader } = make();
    histogram.record(value);
    expect([reader.whole().count, reader.whole().quantile(1)]).toEqual([1, 0]);
  });

  test("record() counts what is too large in the last bucket", () => {
    const { histogram, reader } = make();
    histogram.record(Number.POSITIVE_INFINITY);
    histogram.record(1e300);
    expect(reader.whole().quantile(0.5)).toBeGreaterThan(2 ** 42);
  });

  test("a buffer too short or crooked is refused", () => {
    expect(() => new Histogram(new SharedArrayBuffer(Histogram.bytes - 8))).toThrow("Cannot use a histogram");
    expect(() => new Histogram(new SharedArrayBuffer(Histogram.bytes + 8), 4)).toThrow("Cannot use a histogram");
  });

  test("two histograms in one buffer do not touch", () => {
    const bytes = Math.ceil(Histogram.bytes / 64) * 64;
    const buffer = new SharedArrayBuffer(bytes * 2);
    new Histogram(buffer, bytes).record(2 ** 43);
    expect(new HistogramReader(buffer, 0).whole().count).toBe(0);
    expect(new HistogramReader(buffer, bytes).whole().count).toBe(1);
  });
});

describe("HistogramReader", () => {
  test("an empty histogram has count, max and quantiles of zero", () => {
    const view = make().reader.whole();
    expect([view.count, view.maxNs, view.quantile(0.5), view.quantile(1)]).toEqual([0, 0, 0, 0]);
  });

  test("takeWindow() holds what was recorded since the last one, and only that", () => {
    const { histogram, reader } = make();
    for (let i = 0; i < 10; i++) histogram.record(50);
    const first = reader.takeWindow();
    histogram.record(30);
    histogram.record(31);
    const second = reader.takeWindow();
    expect([first.count, first.quantile(0.5), first.maxNs]).toEqual([10, 50, 50]);
    expect([second.count, second.quantile(0.5), second.maxNs]).toEqual([2, 30, 31]);
    expect(reader.takeWindow().count).toBe(0);
    expect(reader.whole().count).toBe(12);
  });

  test("takeWindow() is right when a bucket's counter wraps at 2^32", () => {
    const { buffer, histogram } = make();
    new Uint32Array(buffer)[16 + 7] = 2 ** 32 - 2;
    const reader = new HistogramReader(buffer);
    for (let i = 0; i < 5; i++) histogram.record(7);
    const window = reader.takeWindow();
    expect([window.count, window.quantile(0.5)]).toEqual([5, 7]);
  });
});

describe("mergeViews()", () => {
  const durations = fc.array(fc.integer({ min: 0, max: 5_000_000_000 }), { maxLength: 40 });

  test("gives what one window over everything gives", () => {
    fc.assert(
      fc.property(fc.array(durations, { maxLength: 6 }), (windows) => {
        const apart = make();
        const views = windows.map((values) => {
          for (const value of values) apart.histogram.record(value);
          return apart.reader.takeWindow();
        });
        const together = make();
        for (const value of windows.flat()) together.histogram.record(value);
        const merged = mergeViews(views);
        const whole = together.reader.takeWindow();
        expect([merged.count, ...QUANTILES.map(merged.quantile)]).toEqual([
          whole.count,
          ...QUANTILES.map(whole.quantile),
        ]);
      }),
    );
  });

  test("countAbove() counts what lies in later buckets", () => {
    const { histogram, reader } = make();
    for (const ms of [1, 5, 19, 21, 40]) histogram.record(ms * 1e6);
    const view = reader.takeWindow();
    expect([0, 20e6, 40e6, 1e18].map(view.countAbove)).toEqual([5, 2, 0, 0]);
    expect(mergeViews([]).countAbove(0)).toBe(0);
  });
});
