/**
 * Opportunities and decisions as they happen, with filters; a row opens its decision in full. Rows hold still while somebody
 * points at one or is about to open it by keyboard.
 */

import { make, setText, tableOf } from "#gateway/dashboard/parts/elements.ts";
import { countText, tokenText, wordsText } from "#gateway/dashboard/parts/format.ts";
import { ROWS_MAX } from "#gateway/dashboard/parts/page-state.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { type Arb, arbFromJson, type Outcome } from "#wire/envelope.ts";
import { button, choice, section } from "./layout.ts";
import { DECISION_HEADS, DECISION_ROWS, drawDecisions, endOf } from "./record-tables.ts";

type Which = "all" | "send" | "landed" | "missed" | "skip";
const WHICH = [
  ["all", "All"],
  ["send", "Sent"],
  ["landed", "Landed"],
  ["missed", "Missed"],
  ["skip", "Skipped"],
] as const;
/** New rows that one drawing brings: 32 a second are more than anybody reads, and a frame has no time for a whole new table. */
const FRESH_ROWS_MAX = 8;
/** On a touch screen the last row that was touched counts as pointed at until the next touch. */
const pointer = matchMedia("(hover: hover)");

export function decisionsView({ state, session }: Page): View {
  let which: Which = "all";
  let reason = "";
  let words = "";
  let paused = false;
  let drawnAtMs = 0;
  let shown: readonly Arb[] = [];
  /** Outcomes by their decision, made anew when there are new ones. */
  let outcomes = { of: state.outcomes.rows, byDecision: new Map<string, Outcome>() };
  let parts: ReturnType<typeof build> | undefined;

  return {
    id: "decisions",
    title: "Decisions",
    build: (host) => {
      parts = build(host);
    },
    read: async () => {
      const asked = which === "all" ? "" : `&action=${which === "skip" ? "skip" : "send"}`;
      const because = reason === "" ? "" : `&reason=${encodeURIComponent(reason)}`;
      const path = `/api/decisions?limit=${ROWS_MAX}${asked}${because}`;
      const { decisions } = await session.read<{ decisions: Parameters<typeof arbFromJson>[0][] }>(path);
      for (const row of decisions) state.acceptDecision(arbFromJson(row));
      shown = wanted();
    },
    draw: (nowMs) => {
      drawnAtMs = nowMs;
      if (!parts) return;
      const body = parts.body;
      const focused = body.querySelector(":focus-visible") !== null;
      const held = paused || focused || (pointer.matches && body.querySelector("tr:hover") !== null);
      parts.held.hidden = paused || !held;
      if (!held) shown = calmly(wanted(), shown.slice(0, DECISION_ROWS).filter(passes));
      drawDecisions(body, shown, outcomeOf, nowMs);
      setText(parts.count, countWords());
      drawReasons(parts.reasons);
    },
  };

  function build(host: HTMLElement) {
    // Drawn at once: what is paused right after a click must be what that click asked for.
    const changed = () => {
      shown = wanted();
      if (parts) drawDecisions(parts.body, shown, outcomeOf, drawnAtMs);
    };
    const filter = choice("which", "Which decisions", WHICH, (value) => {
      which = value as Which;
      changed();
    });
    const reasons = make("select", "");
    reasons.setAttribute("aria-label", "Reason");
    reasons.append(make("option", "", "any reason"));
    reasons.addEventListener("change", () => {
      reason = reasons.selectedIndex <= 0 ? "" : reasons.value;
      changed();
    });
    const search = make("input", "");
    Object.assign(search, { type: "search", placeholder: "token, pool, id or dex", ariaLabel: "Find in the rows" });
    search.addEventListener("input", () => {
      words = search.value.trim().toLowerCase();
      changed();
    });
    const pause = button("Pause", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      setText(pause, paused ? "Paused" : "Pause");
    });
    pause.id = "pause";
    pause.setAttribute("aria-pressed", "false");
    const held = make("span", "quiet", "held while you point at a row");
    held.id = "held";
    held.hidden = true;
    const count = make("span", "quiet unit");
    const table = tableOf("decisions", DECISION_HEADS.names, DECISION_HEADS.columns);
    host.append(section("Opportunities and decisions", table.scroll, filter, reasons, search, pause, held, count));
    return { body: table.body, held, count, reasons };
  }

  function outcomeOf(decisionId: string): Outcome | undefined {
    if (outcomes.of !== state.outcomes.rows) {
      const byDecision = new Map(state.outcomes.rows.map((row) => [row.decisionId, row]));
      outcomes = { of: state.outcomes.rows, byDecision };
    }
    return outcomes.byDecision.get(decisionId);
  }

  function wanted(): readonly Arb[] {
    return (which === "all" || which === "skip" ? state.decisions.rows : state.sent.rows).filter(passes);
  }

  function passes(row: Arb): boolean {
    if (reason !== "" && row.reason !== reason) return false;
    if (which === "skip" && row.action === "send") return false;
    if (which === "landed" && outcomeOf(row.decisionId)?.landed !== true) return false;
    if (which === "missed" && outcomeOf(row.decisionId)?.landed !== false) return false;
    return words === "" || haystack(row, outcomeOf(row.decisionId)).includes(words);
  }

  function countWords(): string {
    const all = wanted().length;
    return all > DECISION_ROWS ? `${DECISION_ROWS} of ${countText(all)} kept here` : `${countText(all)} kept here`;
  }

  function drawReasons(select: HTMLSelectElement): void {
    const known = [...new Set([...state.decisions.rows, ...state.sent.rows].map((row) => row.reason))].sort();
    if (known.length + 1 === select.options.length) return;
    const listed = [...select.options].map(({ value }) => value);
    for (const one of known) {
      if (listed.includes(one)) continue;
      const option = make("option", "", wordsText(one));
      option.value = one;
      select.append(option);
    }
  }
}

/** The newest rows; of a flood the newest few, above what was shown before. */
function calmly(rows: readonly Arb[], before: readonly Arb[]): readonly Arb[] {
  const shown = new Set(before.map(({ decisionId }) => decisionId));
  const fresh = rows.slice(0, DECISION_ROWS).filter(({ decisionId }) => !shown.has(decisionId));
  if (before.length < DECISION_ROWS || fresh.length <= FRESH_ROWS_MAX) return rows;
  const both = [...fresh.slice(0, FRESH_ROWS_MAX), ...before];
  return both.sort((left, right) => Number(right.decideNs - left.decideNs)).slice(0, DECISION_ROWS);
}

const haystack = (row: Arb, outcome: Outcome | undefined): string =>
  [
    row.decisionId,
    row.bundleId,
    endOf(row, outcome),
    ...row.mints,
    ...row.mints.map(tokenText),
    ...row.pools,
    ...row.dexes,
  ]
    .join(" ")
    .toLowerCase();
