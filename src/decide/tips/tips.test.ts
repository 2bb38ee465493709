/** The tip bandit and the judgement of other policies on its record. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { seededRandom } from "#core/random.ts";
import { TIP_LADDER_MAX } from "#memory/switchboard.ts";
import { estimatePolicy, payoffOf, type RecordedTip, rungAtLeast, rungAtMost } from "./off-policy.ts";
import { readTipStatistics, TIP_STATISTICS_BYTES, TipBandit } from "./tip-bandit.ts";
import { TIP_RESULT, type TipAuction } from "./tip-table.ts";

const LADDER = [10_000, 30_000, 100_000, 300_000, 1_000_000];
const ladder = new Float64Array(TIP_LADDER_MAX);
ladder.set(LADDER);
const AUCTION: TipAuction = {
  grossLamports: 5_000_000,
  feeLamports: 5_000,
  congestion: 0,
  tipFloorLamports: 0,
  leader: 0,
};
const half = new Float64Array(TIP_LADDER_MAX).fill(0.5);

/** Plays auctions that every tip above `rival` wins; answers how often each rung was taken. */
function play(
  policy: "thompson" | "ucb",
  rival: (i: number) => number,
  auctions: number,
  statistics = new ArrayBuffer(TIP_STATISTICS_BYTES),
) {
  const bandit = new TipBandit(policy, seededRandom("tips").unit, statistics);
  const pick = { rung: 0, propensity: 0, pLand: 0 };
  const taken = LADDER.map(() => 0);
  const record: RecordedTip[] = [];
  for (let i = 1; i <= auctions; i++) {
    bandit.choose(pick, AUCTION, ladder, LADDER.length, LADDER.length, half);
    bandit.sent(i, pick.rung, AUCTION);
    const landed = (LADDER[pick.rung] as number) > rival(i);
    bandit.settled(i, landed ? TIP_RESULT.landed : TIP_RESULT.outbid, rival(i));
    taken[pick.rung] = (taken[pick.rung] as number) + 1;
    record.push({ ...AUCTION, tipLadderLamports: LADDER, affordable: LADDER.length, ...pick, landed });
  }
  return { taken, record, statistics: readTipStatistics(statistics) };
}

describe.each(["thompson", "ucb"] as const)("TipBandit by %s", (policy) => {
  test("finds the least tip that wins, and says how each rung fared", () => {
    const { taken, statistics } = play(policy, () => 50_000, 2_000);
    expect(taken[2]).toBeGreaterThan(1_600);
    expect(statistics.map(({ tipLamports }) => tipLamports)).toEqual(LADDER);
    expect(statistics.map(({ played }) => played)).toEqual(taken);
    expect(statistics[1]).toMatchObject({ landed: 0, payoffMean: 0 });
    expect(statistics[2]?.landed).toBe(taken[2] as number);
    expect(statistics[2]?.payoffMean).toBeCloseTo(payoffOf(AUCTION, 100_000), 6);
  });

  test("follows a market that turns", () => {
    const { record } = play(policy, (i) => (i <= 3_000 ? 5_000 : 200_000), 6_000);
    const late = record.slice(-1_000).filter(({ rung }) => rung === 3);
    expect(late.length).toBeGreaterThan(700);
  });

  test("draws each rung with the propensity it states", () => {
    const bandit = new TipBandit(policy, seededRandom("draws").unit);
    const pick = { rung: 0, propensity: 0, pLand: 0 };
    const stated = new Map<number, number>();
    const taken = new Map<number, number>();
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      bandit.choose(pick, AUCTION, ladder, LADDER.length, LADDER.length, half);
      stated.set(pick.rung, pick.propensity);
      taken.set(pick.rung, (taken.get(pick.rung) ?? 0) + 1);
    }
    expect([...stated.values()].reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    for (const [rung, propensity] of stated)
      expect(Math.abs((taken.get(rung) ?? 0) / rounds - propensity)).toBeLessThan(0.02);
  });

  test("takes an affordable rung with a chance above 0, whatever it was told", () => {
    const auction = fc.record({
      grossLamports: fc.integer({ min: 1, max: 1e15 }),
      feeLamports: fc.constant(5_000),
      congestion: fc.double({ min: 0, max: 1 }),
      tipFloorLamports: fc.integer({ min: 0, max: 1e12 }),
      leader: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    });
    const round = fc.record({
      auction,
      affordable: fc.integer({ min: 1, max: LADDER.length }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
      result: fc.constantFrom(...Object.values(TIP_RESULT)),
      rival: fc.integer({ min: 0, max: 1e9 }),
    });
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 40 }), (rounds) => {
        const bandit = new TipBandit(policy, seededRandom("any").unit);
        const pick = { rung: 0, propensity: 0, pLand: 0 };
        rounds.forEach(({ auction, affordable, score, result, rival }, i) => {
          const scores = new Float64Array(TIP_LADDER_MAX).fill(score);
          bandit.choose(pick, auction, ladder, LADDER.length, affordable, scores);
          expect(pick.rung).toBeLessThan(affordable);
          expect(pick.propensity).toBeGreaterThan(0);
          expect(pick.propensity).toBeLessThanOrEqual(1 + 1e-9);
          expect(pick.pLand >= 0 && pick.pLand <= 1).toBe(true);
          bandit.sent(i + 1, pick.rung, auction);
          bandit.settled(i + 1, result, rival);
        });
      }),
    );
  });
});

test("TipBandit forgets what it knew when the ladder changes, and what nobody sent", () => {
  const statistics = new ArrayBuffer(TIP_STATISTICS_BYTES);
  const bandit = new TipBandit("thompson", seededRandom("x").unit, statistics);
  const pick = { rung: 0, propensity: 0, pLand: 0 };
  bandit.choose(pick, AUCTION, ladder, LADDER.length, LADDER.length, half);
  bandit.sent(1, pick.rung, AUCTION);
  bandit.settled(2, TIP_RESULT.landed, 0);
  expect(readTipStatistics(statistics).every(({ played }) => played === 0)).toBe(true);
  bandit.settled(1, TIP_RESULT.landed, 0);
  bandit.settled(1, TIP_RESULT.landed, 0);
  expect(readTipStatistics(statistics).reduce((sum, { played }) => sum + played, 0)).toBe(1);
  const other = Float64Array.from(ladder, (tip) => tip * 2);
  bandit.choose(pick, AUCTION, other, 3, 3, half);
  expect(readTipStatistics(statistics)).toEqual(
    [20_000, 60_000, 200_000].map((tipLamports) => ({ tipLamports, played: 0, landed: 0, payoffMean: 0 })),
  );
});

describe("estimatePolicy()", () => {
  test("finds the truth of policies that were never played", () => {
    const random = seededRandom("rivals");
    const rivals = Array.from({ length: 20_000 }, () => 40_000 * Math.exp(random.normal()));
    const { record } = play("thompson", (i) => rivals[i - 1] as number, rivals.length);
    for (const rung of [1, 2, 3, 4]) {
      const tip = LADDER[rung] as number;
      const truth = (rivals.filter((rival) => tip > rival).length / rivals.length) * payoffOf(AUCTION, tip);
      const { ips, doublyRobust } = estimatePolicy(record, () => rung);
      // Twice the interval of 95 %: false once in ten thousand.
      for (const { mean, high } of [ips, doublyRobust]) expect(Math.abs(mean - truth)).toBeLessThan(2 * (high - mean));
      expect(Math.abs(doublyRobust.mean - truth)).toBeLessThan(0.1);
    }
  });

  test("says nothing of an empty record", () => {
    expect(estimatePolicy([], () => 0)).toEqual({
      ips: { mean: 0, low: 0, high: 0 },
      doublyRobust: { mean: 0, low: 0, high: 0 },
      agreeing: 0,
    });
  });

  test.each([
    [5_000, 0, 0],
    [30_000, 1, 1],
    [90_000, 1, 2],
    [9e9, 3, 3],
  ])("rungs around %d lamports", (lamports, below, above) => {
    const tip = { tipLadderLamports: LADDER, affordable: 4 };
    expect([rungAtMost(tip, lamports), rungAtLeast(tip, lamports)]).toEqual([below, above]);
  });
});
