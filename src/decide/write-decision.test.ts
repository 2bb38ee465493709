import { expect, test } from "bun:test";
import { writeU64 } from "#core/words.ts";
import { createDecisionDraft, type DecisionDraft } from "./decision-draft.ts";
import { DECISION_RING, type Decision, readDecision } from "./decision-record.ts";
import { ring } from "./test-loop.ts";
import { DecisionWriter } from "./write-decision.ts";

const MOST = 0xffff_ffff_ffff_ffffn;

const DECISION: Decision = {
  action: "skip",
  reason: "throttled",
  sequence: 2 ** 40,
  slot: 2n ** 40n,
  transactionIndex: 3,
  eventNs: 1.5,
  feedNs: 2.5,
  decideNs: 3.5,
  hops: [0, 1, 2, 3].map((pool) => ({
    pool: 65_000 + pool,
    inputSide: (pool & 1) as 0 | 1,
    reserveIn: MOST - BigInt(pool),
    reserveOut: BigInt(pool),
    ...(pool >= 2 && { tickArrays: [-7_394 + pool, 7_394 - pool] as const }),
  })),
  amounts: [1n, MOST, 3n, 4n, 5n],
  grossLamports: 4n,
  feeLamports: 5_000n,
  tipPolicy: "ucb",
  tipPropensity: 0.25,
  tipLamports: 10n,
  netLamports: -5_006n,
  evLamports: -7n,
  score: 0.25,
  tipLadderLamports: Array.from({ length: 16 }, (_, i) => BigInt(i + 1)),
  features: Array.from({ length: 15 }, (_, i) => i / 2),
  terms: {
    modelHash: "00000000000000ff",
    shadowHash: "fedcba9876543210",
    shadowScore: 0.125,
    inputs: Array.from({ length: 11 }, (_, i) => i + 0.1),
    evMinLamports: 10_000,
    tipShareMax: 0.5,
    missCostLamports: 3,
  },
};

/** The same decision as the hot thread would have it. */
function draftOf(decision: Decision): DecisionDraft {
  const draft = createDecisionDraft();
  const { winner, policy, choice, input } = draft;
  decision.hops.forEach((hop, i) => {
    winner.hops[i] = 2 * hop.pool + hop.inputSide;
    writeU64(winner.reserves, 4 * i, hop.reserveIn);
    writeU64(winner.reserves, 4 * i + 2, hop.reserveOut);
    winner.walksTicks[i] = hop.tickArrays === undefined ? 0 : 1;
    winner.tickArrays.set(hop.tickArrays ?? [0, 0], 2 * i);
  });
  winner.hopCount = decision.hops.length;
  decision.amounts.forEach((amount, i) => {
    writeU64(winner.amounts, 2 * i, amount);
  });
  winner.grossLamports = Number(decision.grossLamports);
  policy.tipLadderLamports.set(decision.tipLadderLamports.map(Number));
  policy.tipCount = decision.tipLadderLamports.length;
  policy.evMinLamports = decision.terms.evMinLamports;
  choice.tipLamports = Number(decision.tipLamports);
  choice.evLamports = Number(decision.evLamports);
  choice.score = decision.score;
  choice.propensity = decision.tipPropensity;
  draft.features.set(decision.features);
  Object.keys(input).forEach((name, i) => {
    input[name as keyof typeof input] = decision.terms.inputs[i] as number;
  });
  const { reason, sequence, transactionIndex, eventNs, feedNs, decideNs, tipPolicy, terms } = decision;
  const { modelHash, shadowHash, shadowScore, tipShareMax, missCostLamports } = terms;
  const slot = Number(decision.slot);
  const feeLamports = Number(decision.feeLamports);
  Object.assign(draft, { reason, sequence, slot, transactionIndex, eventNs, feedNs, decideNs, tipPolicy, feeLamports });
  return Object.assign(draft, { modelHash, shadowHash, shadowScore, tipShareMax, missCostLamports });
}

/** What comes back of drafts that are written one after the other. */
function throughRing(drafts: readonly DecisionDraft[]): Decision[] {
  const { producer, consumer } = ring({ ...DECISION_RING, capacity: 2 });
  const writer = new DecisionWriter(producer);
  return drafts.map((draft) => {
    writer.write(producer.claim(), draft);
    producer.advance();
    producer.publish();
    const read = readDecision(consumer, consumer.peek());
    consumer.advance();
    consumer.release();
    return read;
  });
}

test("readDecision() undoes DecisionWriter for a cycle of the greatest length, and nothing is left of the one before", () => {
  const plain: Decision = {
    ...DECISION,
    action: "send",
    reason: "profitable",
    hops: DECISION.hops.slice(0, 2),
    amounts: [1n, 2n, 5n],
    tipPolicy: "model",
    tipPropensity: 1,
    tipLadderLamports: [10n],
    terms: { ...DECISION.terms, modelHash: "", shadowHash: "", shadowScore: Number.NaN },
  };
  const all = [DECISION, DECISION, plain, plain, DECISION];
  expect(throughRing(all.map(draftOf))).toEqual(all);
});

test("without an affordable tip the expected value on record is 0", () => {
  const none = draftOf(DECISION);
  none.choice.evLamports = Number.NEGATIVE_INFINITY;
  none.choice.tipLamports = 0;
  expect(throughRing([none])).toMatchObject([{ evLamports: 0n, tipLamports: 0n, netLamports: -4_996n }]);
});

test("the second pool of a split is on record with its amounts, and over ticks with the arrays of its walk", () => {
  const walks = [undefined, [7_394, -7_394] as const];
  const drafts = walks.map((walk, place) => {
    const draft = draftOf(DECISION);
    const { winner } = draft;
    const amounts = { secondIn: 1_000_000, secondOut: 2 ** 52 + 1, gainLamports: 10_000, amounts: new Float64Array(5) };
    winner.split = { place, second: 2 * 65_535 + 1, exact: undefined, ...amounts };
    writeU64(winner.secondReserves, 0, MOST);
    writeU64(winner.secondReserves, 2, MOST - 1n);
    winner.secondWalk = walk;
    return draft;
  });
  const hop = { pool: 65_535, inputSide: 1, reserveIn: MOST, reserveOut: MOST - 1n } as const;
  const split = { second: hop, amountIn: 1_000_000n, amountOut: 2n ** 52n + 1n, gainLamports: 10_000n };
  expect(throughRing(drafts).map((decision) => decision.split)).toEqual([
    { place: 0, ...split },
    { place: 1, ...split, second: { ...hop, tickArrays: [7_394, -7_394] } },
  ]);
});
