/** The two tables of the record: what was decided, and how what was sent ended. */

import { decisionHref } from "#gateway/dashboard/decision/decision-link.ts";
import { swapsOf } from "#gateway/dashboard/decision/decision-swaps.ts";
import { type Cell, drawRows } from "#gateway/dashboard/parts/elements.ts";
import {
  ageText,
  countText,
  latencyText,
  namesInUse,
  shortAddress,
  shortReason,
  solText,
  tokenText,
  wordsText,
} from "#gateway/dashboard/parts/format.ts";
import type { Arb, Outcome } from "#wire/envelope.ts";

const WIDE_NUMBER = "number wide";
export const DECISION_HEADS = {
  names: ["Age", "Cycle", "Pools", "In", "Gross", "Tip", "Net", "EV", "Score", "Lands", "End", "Reason"],
  columns: [
    ...["number quiet", "", "wide mono quiet", WIDE_NUMBER, WIDE_NUMBER, WIDE_NUMBER, "number", WIDE_NUMBER],
    ...[WIDE_NUMBER, WIDE_NUMBER, "", "wide"],
  ],
} as const;
export const OUTCOME_HEADS = {
  names: ["Age", "State", "Route", "Slot", "Tip", "Predicted", "Realised", "Exact", "Took", "Why"],
  columns: [
    ...["number quiet", "state", "wide", "number wide quiet", WIDE_NUMBER, WIDE_NUMBER, "number", "wide"],
    ...["number quiet", "wide quiet"],
  ],
} as const;
/** Thin spaces: a cycle of three hops fits a phone. */
const STEP = "\u2009›\u2009";
/** Places kept free from the start, so that the page does not grow under the reader's eyes. */
export const DECISION_ROWS = 28;
const OUTCOME_ROWS = 8;

export function drawDecisions(
  body: HTMLElement,
  rows: readonly Arb[],
  outcomeOf: (decisionId: string) => Outcome | undefined,
  nowMs: number,
): void {
  const present = rows.slice(0, DECISION_ROWS);
  const cells = present.map((row) => {
    const age = ageText(nowMs - Number(row.decideNs / 1_000_000n));
    return [{ text: age, title: row.decisionId }, ...knownCells(row, outcomeOf(row.decisionId))];
  });
  drawRows(
    body,
    cells,
    DECISION_HEADS.columns,
    DECISION_ROWS,
    present.map(({ decisionId }) => decisionId),
  );
}

export function drawOutcomes(body: HTMLElement, rows: readonly Outcome[], nowMs: number): void {
  const present = rows.slice(0, OUTCOME_ROWS);
  const cells = present.map((row) => outcomeCells(row, nowMs));
  drawRows(
    body,
    cells,
    OUTCOME_HEADS.columns,
    OUTCOME_ROWS,
    present.map(({ bundleId }) => bundleId),
  );
}

/** How a decision ended, in a word: skipped, in flight, or the state of its bundle. */
export const endOf = (row: Arb, outcome: Outcome | undefined): string =>
  row.action !== "send" ? "skipped" : outcome === undefined ? "in flight" : wordsText(outcome.state);

type Known = { readonly outcome: Outcome | undefined; readonly names: object; readonly cells: readonly Cell[] };
/** All but the age changes only when the outcome or names of tokens come: made once, and then known to be the same. */
const known = new WeakMap<Arb, Known>();

function knownCells(row: Arb, outcome: Outcome | undefined): readonly Cell[] {
  const before = known.get(row);
  if (before && before.outcome === outcome && before.names === namesInUse()) return before.cells;
  const cells = decisionCells(row, outcome);
  known.set(row, { outcome, names: namesInUse(), cells });
  return cells;
}

function decisionCells(row: Arb, outcome: Outcome | undefined): Cell[] {
  const sent = row.action === "send";
  // What was sent stands out of what was only looked at.
  const tone = sent ? "" : "quiet";
  const base = row.mints[0];
  const path = base === undefined ? [] : [...row.mints, base];
  const reason = outcome && !outcome.landed ? shortReason(outcome.reason) : wordsText(row.reason);
  const pools = swapsOf(row).map(({ pool }) => pool);
  const landed = outcome?.landed === true;
  return [
    { text: path.map(tokenText).join(STEP), tone, title: path.join(" › "), href: decisionHref(row.decisionId) },
    { text: pools.map(shortAddress).join(" "), title: pools.join("\n") },
    amount(row.hopAmounts[0], tone),
    amount(row.grossLamports, tone),
    amount(row.tipLamports, tone),
    amount(row.netLamports, landed ? "good" : tone),
    amount(row.evLamports, tone),
    { text: row.score.toFixed(3), tone },
    { text: row.pLandEst.toFixed(2), tone, title: "estimated chance to land" },
    { text: endOf(row, outcome), tone: landed ? "good" : outcome ? "trouble" : tone, title: reason },
    { text: reason, tone, title: reason },
  ];
}

function outcomeCells(row: Outcome, nowMs: number): Cell[] {
  const lost = row.realisedNetLamports < 0n;
  const tookMs = row.sendNs > 0n ? Number(row.landNs - row.sendNs) / 1e6 : undefined;
  return [
    { text: ageText(nowMs - Number(row.landNs / 1_000_000n)), title: row.bundleId },
    {
      text: wordsText(row.state),
      tone: row.landed ? "good" : "quiet",
      title: row.txSignature,
      href: decisionHref(row.decisionId),
    },
    { text: row.path },
    { text: row.landed ? countText(row.landedSlot) : "" },
    amount(row.tipLamports),
    amount(row.predictedNetLamports),
    amount(row.landed || lost ? row.realisedNetLamports : undefined, lost ? "trouble" : "good"),
    { text: row.landed ? yesOrNo(row.exact) : "" },
    { text: tookMs === undefined ? "" : latencyText(tookMs) },
    { text: shortReason(row.reason), title: row.reason },
  ];
}

const yesOrNo = (holds: boolean) => (holds ? "yes" : "no");

const amount = (lamports: bigint | undefined, tone = ""): Cell =>
  lamports === undefined ? { text: "" } : { text: solText(lamports), tone, title: `${countText(lamports)} lamports` };
