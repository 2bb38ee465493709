/** The two tables of the record: what was decided, and how what was sent ended. */
import type { Arb, Outcome } from "#wire/envelope.ts";
import { decisionHref } from "./decision-link.ts";
import { swapsOf } from "./decision-swaps.ts";
import { byId, type Cell, drawRows } from "./elements.ts";
import { ageText, countText, latencyText, shortAddress, shortReason, solText, tokenText, wordsText } from "./format.ts";

/** The class of each column, as the heads in index.html have it. */
const WIDE_NUMBER = "number wide";
const DECISION_COLUMNS = [
  "number quiet",
  "",
  "wide mono quiet",
  WIDE_NUMBER,
  WIDE_NUMBER,
  WIDE_NUMBER,
  WIDE_NUMBER,
  "number",
  WIDE_NUMBER,
  WIDE_NUMBER,
  "",
  "wide",
] as const;
const OUTCOME_COLUMNS = [
  "number quiet",
  "state",
  "wide",
  `${WIDE_NUMBER} quiet`,
  WIDE_NUMBER,
  WIDE_NUMBER,
  "number",
  "wide",
  "number quiet",
  "wide quiet",
] as const;
/** Thin spaces: a cycle of three hops fits a phone. */
const STEP = "\u2009›\u2009";
/** Places kept free from the start, so that the page does not grow under the reader's eyes. */
const DECISION_ROWS = 12;
const OUTCOME_ROWS = 8;

export function drawDecisions(rows: readonly Arb[], nowMs: number): void {
  const cells = rows.slice(0, DECISION_ROWS).map((row) => decisionCells(row, nowMs));
  drawRows(byId("decisions"), cells, DECISION_COLUMNS, DECISION_ROWS);
}

export function drawOutcomes(rows: readonly Outcome[], nowMs: number): void {
  const cells = rows.slice(0, OUTCOME_ROWS).map((row) => outcomeCells(row, nowMs));
  drawRows(byId("outcomes"), cells, OUTCOME_COLUMNS, OUTCOME_ROWS);
}

function decisionCells(row: Arb, nowMs: number): Cell[] {
  const sent = row.action === "send";
  // What was sent stands out of what was only looked at.
  const tone = sent ? "" : "quiet";
  const base = row.mints[0];
  const path = base === undefined ? [] : [...row.mints, base];
  const reason = wordsText(row.reason);
  const pools = swapsOf(row).map(({ pool }) => pool);
  return [
    { text: ageText(nowMs - Number(row.decideNs / 1_000_000n)), title: row.decisionId },
    { text: path.map(tokenText).join(STEP), tone, title: path.join(" › "), href: decisionHref(row.decisionId) },
    { text: pools.map(shortAddress).join(" "), title: pools.join("\n") },
    amount(row.hopAmounts[0], tone),
    amount(row.hopAmounts.at(-1), tone),
    amount(row.grossLamports, tone),
    amount(row.tipLamports, tone),
    amount(row.netLamports, sent ? "good" : "quiet"),
    amount(row.evLamports, tone),
    { text: row.score.toFixed(3), tone },
    { text: row.action, tone: sent ? "good" : "quiet", title: reason },
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
