import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clockText, exactSolText, namedIn, shortReason } from "#gateway/dashboard/parts/format.ts";
import { type Arb, arbEnvelope, type Outcome, outcomeEnvelope } from "#wire/envelope.ts";
import { decisionHref, decisionIdOf } from "./decision-link.ts";
import { swapsOf } from "./decision-swaps.ts";
import { timeline } from "./timeline.ts";

const arb = (fields: Parameters<typeof arbEnvelope>[0]) => arbEnvelope(fields).payload.value as Arb;
const outcome = (fields: Parameters<typeof outcomeEnvelope>[0]) => outcomeEnvelope(fields).payload.value as Outcome;

describe("timeline()", () => {
  test("tells each step's time since the one before and since the event", () => {
    const decision = arb({ eventNs: 1_000n, feedNs: 1_300n, decideNs: 1_500n, sendNs: 1_900n });
    const steps = timeline(decision, outcome({ landed: true, acceptedNs: 3_000n, landNs: 9_000n }));
    expect(steps.map(({ afterNs }) => afterNs)).toEqual([0n, 300n, 200n, 400n, 1_100n, 6_000n]);
    expect(steps.map(({ sinceNs }) => sinceNs)).toEqual([0n, 300n, 500n, 900n, 2_000n, 8_000n]);
    expect(steps.at(-1)?.name).toBe("landed, known here");
  });

  test("leaves out what never happened", () => {
    const steps = timeline(arb({ eventNs: 1n, feedNs: 2n, decideNs: 3n, sendNs: 0n }), undefined);
    expect(steps.map(({ name }) => name).at(-1)).toBe("decided");
    expect(steps).toHaveLength(3);
    expect(timeline(arb({}), undefined)).toEqual([]);
  });

  test("is in the order of time and adds up, however the stamps of several processes lie", () => {
    const time = fc.bigInt({ min: 0n, max: 10n });
    fc.assert(
      fc.property(time, time, time, time, time, (eventNs, decideNs, sendNs, acceptedNs, landNs) => {
        const steps = timeline(arb({ eventNs, decideNs, sendNs }), outcome({ acceptedNs, landNs }));
        expect(steps.every(({ afterNs, atNs }) => afterNs >= 0n && atNs > 0n)).toBe(true);
        expect(steps.reduce((sum, { afterNs }) => sum + afterNs, 0n)).toBe(steps.at(-1)?.sinceNs ?? 0n);
      }),
    );
  });
});

describe("swapsOf()", () => {
  const cycle = { pools: ["A", "B"], dexes: ["cp", "v4"], hopAmounts: [100n, 90n, 120n] };

  test("is one swap per hop, and two where a hop is split, whose parts add up", () => {
    expect(swapsOf(arb(cycle)).map(({ name, pool, amountIn, amountOut }) => [name, pool, amountIn, amountOut])).toEqual(
      [
        ["1", "A", 100n, 90n],
        ["2", "B", 90n, 120n],
      ],
    );
    const split = { splitHop: 2, splitPool: "C", splitDex: "cl", splitAmountIn: 40n, splitAmountOut: 55n };
    expect(swapsOf(arb({ ...cycle, ...split }))).toEqual([
      { name: "1", hop: 0, amountIn: 100n, amountOut: 90n, dex: "cp", pool: "A" },
      { name: "2a", hop: 1, amountIn: 50n, amountOut: 65n, dex: "v4", pool: "B" },
      { name: "2b", hop: 1, amountIn: 40n, amountOut: 55n, dex: "cl", pool: "C" },
    ]);
  });
});

describe("decisionIdOf()", () => {
  test("reads what decisionHref() wrote", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (id) => {
        expect(decisionIdOf(decisionHref(id))).toBe(id);
      }),
    );
  });
  test.each(["", "#", "#decisions-title", "#decision=", "#decision=%", "#decision=%ff"])("finds none in %j", (hash) => {
    expect(decisionIdOf(hash)).toBeUndefined();
  });
});

describe("format, in full", () => {
  test.each([
    [0n, "0.000000000"],
    [1n, "0.000000001"],
    [-5_000n, "\u22120.000005000"],
    [1_234_567_890_123n, "1,234.567890123"],
  ])("exactSolText(%s) is %s", (lamports, text) => {
    expect(exactSolText(lamports)).toBe(text);
  });

  test("clockText() is the time of day in UTC to the microsecond", () => {
    expect(clockText(1_795_411_184_014_905_202n)).toBe("05:19:44.014905");
    expect(clockText(1_000_000_007_999n)).toBe("00:16:40.000007");
  });

  test("shortReason() shortens addresses and nothing else; namedIn() finds them", () => {
    const signature = "3MHK8LTu4D88KcoZ7Lcki7cxRUo4G1kcMWiK2pkfwpXq55bXZe8MPiehBwRqtXfap4bKKvxS1N9xwg3ZnKNYHK9X";
    const reason = `${signature} landed on the same pools in slot 201 with a tip of 191281, ours was 100000`;
    expect(shortReason(reason)).toBe(
      "3MHK… landed on the same pools in slot 201 with a tip of 191281, ours was 100000",
    );
    expect(namedIn(reason)).toEqual([signature]);
    expect(shortReason("expired")).toBe("expired");
    expect(namedIn("expired")).toEqual([]);
  });
});
