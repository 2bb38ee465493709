/**
 * The first page: one connection, one state, drawn four times a second. Everything on it is either read from the record
 * at connect or came over the live stream; when that falls silent the page says so before anything else.
 */
import { arbFromJson, outcomeFromJson } from "#wire/envelope.ts";
import { DecisionPanel } from "./decision-panel.ts";
import { byId, openRowsOnClick, setText } from "./elements.ts";
import { ageText } from "./format.ts";
import { type Link, LiveClient } from "./live/live-client.ts";
import { PageState, ROWS_MAX } from "./page-state.ts";
import { ProfitPlot } from "./profit-plot.ts";
import { drawDecisions, drawOutcomes } from "./record-tables.ts";
import { drawRun } from "./run-panel.ts";
import type { PageProfit, PageText } from "./status.ts";

const DRAW_EVERY_MS = 250;
/** Rows must not slip away under a pointer or a keyboard that is about to open one. */
const FOCUSED = "#decisions :focus-visible, #outcomes :focus-visible";
const POINTED = "#decisions tr:hover, #outcomes tr:hover";
/** On a touch screen the last row that was touched counts as pointed at until the next touch. */
const pointer = matchMedia("(hover: hover)");

const state = new PageState();
const plot = new ProfitPlot(byId("plot"));
let paused = false;
let shown = { decisions: state.decisions.rows, outcomes: state.outcomes.rows };

const connection = new LiveClient<PageText>(
  { origin: location.origin, token: () => undefined },
  {
    onOpen: () => void readRecord(),
    onEnvelopes: (envelopes) => state.acceptEnvelopes(envelopes),
    onText: (text) => {
      if (text.kind === "status") state.acceptStatus(text.status);
      else for (const count of Object.values(text.drops)) state.dropped += count;
    },
  },
);

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  setText(byId("pause"), paused ? "Paused" : "Pause");
});
for (const input of document.querySelectorAll("input[name=which]"))
  input.addEventListener("change", () => {
    shown = newest();
    draw();
  });
for (const id of ["decisions", "outcomes"]) openRowsOnClick(byId(id));
new DecisionPanel({
  decision: (id) => [...state.decisions.rows, ...state.sent.rows].find((row) => row.decisionId === id),
  outcome: (id) => state.outcomes.rows.find((row) => row.decisionId === id),
});
setInterval(draw, DRAW_EVERY_MS);
draw();

/** What was on record before this connection. Each part may fail alone: the live stream goes on without it. */
async function readRecord(): Promise<void> {
  const reads = [
    read<{ decisions: Parameters<typeof arbFromJson>[0][] }>(`/api/decisions?limit=${ROWS_MAX}`, ({ decisions }) => {
      for (const row of decisions) state.acceptDecision(arbFromJson(row));
    }),
    read<{ decisions: Parameters<typeof arbFromJson>[0][] }>(
      `/api/decisions?limit=${ROWS_MAX}&action=send`,
      ({ decisions }) => {
        for (const row of decisions) state.sent.add(arbFromJson(row));
      },
    ),
    read<{ outcomes: Parameters<typeof outcomeFromJson>[0][] }>(`/api/outcomes?limit=${ROWS_MAX}`, ({ outcomes }) => {
      for (const row of outcomes) state.outcomes.add(outcomeFromJson(row));
    }),
    read<PageProfit>("/api/profit", (profit) => state.acceptProfit(profit)),
  ];
  await Promise.allSettled(reads);
  draw();
}

async function read<Answer>(path: string, accept: (answer: Answer) => void): Promise<void> {
  const response = await fetch(path);
  if (response.ok) accept((await response.json()) as Answer);
}

function newest() {
  const sentOnly = document.querySelector<HTMLInputElement>("input[name=which]:checked")?.value === "send";
  return { decisions: sentOnly ? state.sent.rows : state.decisions.rows, outcomes: state.outcomes.rows };
}

function draw(): void {
  const nowMs = state.nowMs();
  drawLink(connection.link());
  if (state.status) drawRun(state.status, nowMs);
  const held = paused || document.querySelector(pointer.matches ? `${FOCUSED}, ${POINTED}` : FOCUSED) !== null;
  if (!held) shown = newest();
  byId("held").hidden = paused || !held;
  drawDecisions(shown.decisions, nowMs);
  drawOutcomes(shown.outcomes, nowMs);
  plot.draw(state.profit, nowMs);
}

function drawLink(link: Link): void {
  const bar = byId("bar");
  const before = bar.dataset["link"];
  if (before !== link.state) {
    bar.dataset["link"] = link.state;
    if (before === "lost" || link.state !== "live") setText(byId("announcement"), announcement(link));
    document.title = link.state === "lost" ? "(lost) Sandpiper" : "Sandpiper";
  }
  bar.dataset["way"] = link.way ?? "";
  setText(byId("link"), linkText(link));
}

function linkText({ state: link, way, silentMs, retryInMs }: Link): string {
  const missed = state.dropped === 0 ? "" : ` · ${state.dropped} messages skipped`;
  switch (link) {
    case "connecting":
      return "connecting";
    case "live":
      return `live · ${way} · ${ageText(silentMs)}${missed}`;
    case "stale":
      return `no data for ${ageText(silentMs)}`;
    case "lost":
      return retryInMs > 0
        ? `Connection lost ${ageText(silentMs)} ago · next try in ${ageText(retryInMs)}`
        : `Connection lost ${ageText(silentMs)} ago · trying`;
  }
}

const announcement = ({ state: link }: Link): string =>
  link === "live"
    ? "Connected again"
    : link === "lost"
      ? "Connection lost"
      : link === "stale"
        ? "No data is coming"
        : "";
