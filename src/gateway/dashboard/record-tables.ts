/** The two tables of the record: what was decided, and how what was sent ended. */
import type { Arb, Outcome } from "#wire/envelope.ts";
import { byId, type Cell, drawRows } from "./elements.ts";
import { ageText, countText, latencyText, shortAddress, solText, tokenText, wordsText } from "./format.ts";

const DECISION_COLUMNS = 12;
const OUTCOME_COLUMNS = 10;
/** Places kept free from the start, so that the page does not grow under the reader's eyes. */
const DECISION_ROWS = 12;
const OUTCOME_ROWS = 8;

export function drawDecisions(rows: readonly Arb[], nowMs: number): void {
  drawRows(
    byId("decisions"),
    rows.slice(0, DECISION_ROWS).map((row) => decisionCells(row, nowMs)),
    DECISION_COLUMNS,
    DECISION_ROWS,
  );
}

export function drawOutcomes(rows: readonly Outcome[], nowMs: number): void {
  drawRows(
    byId("outcomes"),
    rows.slice(0, OUTCOME_ROWS).map((row) => outcomeCells(row, nowMs)),
    OUTCOME_COLUMNS,
    OUTCOME_ROWS,
  );
}

function decisionCells(row: Arb, nowMs: number): Cell[] {
  const sent = row.action === "send";
  const base = row.mints[0];
  const path = base === undefined ? [] : [...row.mints, base];
  const shade = sent ? "" : " quiet";
  return [
    { text: ageText(nowMs - Number(row.decideNs / 1_000_000n)), className: "number quiet", title: row.decisionId },
    { text: path.map(tokenText).join(" › "), className: shade.trim(), title: path.join(" › ") },
    { text: row.pools.map(shortAddress).join(" "), className: "mono quiet wide", title: row.pools.join("\n") },
    amount(row.hopAmounts[0], `wide${shade}`),
    amount(row.hopAmounts.at(-1), `wide${shade}`),
    amount(row.grossLamports, `wide${shade}`),
    amount(row.tipLamports, `wide${shade}`),
    amount(row.netLamports, sent ? "good" : "quiet"),
    amount(row.evLamports, `wide${shade}`),
    { text: row.score.toFixed(3), className: `number wide${shade}` },
    { text: row.action, className: sent ? "good" : "quiet", title: wordsText(row.reason) },
    { text: wordsText(row.reason), className: `wide${shade}`, title: wordsText(row.reason) },
  ];
}

function outcomeCells(row: Outcome, nowMs: number): Cell[] {
  const lost = row.realisedNetLamports < 0n;
  const tookMs = row.sendNs > 0n ? Number(row.landNs - row.sendNs) / 1e6 : undefined;
  const exact = row.exact ? "yes" : "no";
  return [
    { text: ageText(nowMs - Number(row.landNs / 1_000_000n)), className: "number quiet", title: row.bundleId },
    { text: wordsText(row.state), className: row.landed ? "state good" : "state quiet", title: row.txSignature },
    { text: row.path, className: "wide" },
    { text: row.landed ? countText(row.landedSlot) : "", className: "number wide quiet" },
    amount(row.tipLamports, "wide"),
    amount(row.predictedNetLamports, "wide"),
    row.landed || lost ? amount(row.realisedNetLamports, lost ? "trouble" : "good") : { text: "", className: "number" },
    { text: row.landed ? exact : "", className: "wide" },
    { text: tookMs === undefined ? "" : latencyText(tookMs), className: "number wide quiet" },
    { text: row.reason, className: "quiet", title: row.reason },
  ];
}

const amount = (lamports: bigint | undefined, className: string): Cell =>
  lamports === undefined
    ? { text: "", className: `number ${className}` }
    : { text: solText(lamports), className: `number ${className}`, title: `${countText(lamports)} lamports` };
