/**
 * The page: one connection, one state, one view at a time, drawn four times a second. Everything on it is either read from
 * the record or came over the live stream; when that falls silent the page says so before anything else.
 */
import { arbFromJson, outcomeFromJson } from "#wire/envelope.ts";
import { DecisionPanel } from "./decision/decision-panel.ts";
import { type Link, LiveClient } from "./live/live-client.ts";
import { killOrder, OrderDialog } from "./operator/order-dialog.ts";
import { Session } from "./operator/session.ts";
import { SignIn } from "./operator/sign-in.ts";
import { byId, openRowsOnClick, setText } from "./parts/elements.ts";
import { ageText, countText, type NamedToken, nameTokens } from "./parts/format.ts";
import { listenToKeys } from "./parts/keyboard.ts";
import { PageState, ROWS_MAX } from "./parts/page-state.ts";
import { Router } from "./parts/router.ts";
import { followRunbook } from "./parts/runbook.ts";
import type { PageProfit, PageText } from "./parts/status.ts";
import { commandsView } from "./views/commands.ts";
import { decisionsView } from "./views/decisions.ts";
import { guardView } from "./views/guard.ts";
import { modelsView } from "./views/models.ts";
import { nowView } from "./views/now.ts";
import { processesView } from "./views/processes.ts";
import { sandwichesView } from "./views/sandwiches.ts";
import { tipsView } from "./views/tips.ts";
import { trainingView } from "./views/training.ts";

const DRAW_EVERY_MS = 250;
/** More than that a quarter of a second cannot show. */
const DECISIONS_AT_ONCE = 24;
/** Names of tokens come as the market is read. */
const NAMES_EVERY_MS = 15_000;
const MODULES = ["arbitrage", "mev"] as const;

const state = new PageState();
const session = new Session();
const signIn = new SignIn(session);
const orders = new OrderDialog(session, signIn);
const page = { state, session, order: (order: Parameters<OrderDialog["open"]>[0]) => orders.open(order) };
const connection = new LiveClient<PageText>(
  { origin: location.origin, token: () => session.token(), decisionsMax: DECISIONS_AT_ONCE },
  {
    onOpen: () => void readRecord(),
    onEnvelopes: (envelopes) => state.acceptEnvelopes(envelopes),
    onText: (text) => {
      if (text.kind === "status") state.acceptStatus(text.status);
      else for (const count of Object.values(text.drops)) state.dropped += count;
    },
  },
);
const views = [
  ...[nowView(page), decisionsView(page), tipsView(page), sandwichesView(page), modelsView(page)],
  ...[trainingView(page), processesView(page), commandsView(page), guardView(page)],
];
const router = new Router(views, draw);
const kill = () => orders.open(killOrder(MODULES));
byId("kill").addEventListener("click", kill);
listenToKeys(
  {
    k: { about: "kill: asks once, then nothing is sent any more", press: kill },
    s: { about: "sign in or out", press: () => byId("who").click() },
  },
  { count: router.count, press: (digit) => router.go(digit) },
);
openRowsOnClick(byId("main"));
new DecisionPanel({
  decision: (id) => [...state.decisions.rows, ...state.sent.rows].find((row) => row.decisionId === id),
  outcome: (id) => state.outcomes.rows.find((row) => row.decisionId === id),
  read: (path) => session.read(path),
  home: () => router.home(),
});
followRunbook(session, () => router.home());
session.onChange(() => {
  if (session.role) void readRecord();
  void router.readNow();
});
router.start();
setInterval(() => void readNames().catch(() => undefined), NAMES_EVERY_MS);
// At the beginning of a frame, so that it has all of the frame's time; a hidden page has none, but its title still warns.
setInterval(() => (document.hidden ? draw() : requestAnimationFrame(draw)), DRAW_EVERY_MS);

/** What was on record before this connection. Each part may fail alone: the live stream goes on without it. */
async function readRecord(): Promise<void> {
  const reads = [
    session
      .read<{ decisions: Parameters<typeof arbFromJson>[0][] }>(`/api/decisions?limit=${ROWS_MAX}`)
      .then(({ decisions }) => {
        for (const row of decisions) state.acceptDecision(arbFromJson(row));
      }),
    session
      .read<{ decisions: Parameters<typeof arbFromJson>[0][] }>(`/api/decisions?limit=${ROWS_MAX}&action=send`)
      .then(({ decisions }) => {
        for (const row of decisions) state.sent.add(arbFromJson(row));
      }),
    session
      .read<{ outcomes: Parameters<typeof outcomeFromJson>[0][] }>(`/api/outcomes?limit=${ROWS_MAX}`)
      .then(({ outcomes }) => {
        for (const row of outcomes) state.outcomes.add(outcomeFromJson(row));
      }),
    readNames(),
    session.read<PageProfit>("/api/profit").then((profit) => state.acceptProfit(profit)),
  ];
  await Promise.allSettled(reads);
  draw();
}

async function readNames(): Promise<void> {
  nameTokens((await session.read<{ tokens: NamedToken[] }>("/api/tokens")).tokens);
}

function draw(): void {
  drawLink(connection.link());
  drawRun();
  router.draw(state.nowMs());
}

function drawRun(): void {
  const { status } = state;
  if (!status) return;
  const mode = byId("mode");
  setText(mode, status.mode);
  mode.dataset["mode"] = status.mode;
  const upMs = status.started_at === null ? undefined : state.nowMs() - Date.parse(status.started_at);
  const slot = status.market.slot === null ? "" : ` · slot ${countText(BigInt(status.market.slot))}`;
  setText(byId("run"), `${upMs === undefined ? "no supervisor" : `up ${ageText(upMs)}`}${slot} · ${status.version}`);
  const urgent = status.alarms.some(({ severity }) => severity === "page");
  byId("views").dataset["alarm"] = String(urgent);
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
  const [says, more] = linkText(link);
  setText(byId("link-state"), says);
  setText(byId("link-more"), more);
}

/** What a phone has room for, and the rest. */
function linkText({ state: link, way, silentMs, retryInMs, passedOver }: Link): readonly [says: string, more: string] {
  const skipped = state.dropped + passedOver;
  const missed = skipped === 0 ? "" : ` · ${countText(skipped)} not drawn`;
  switch (link) {
    case "connecting":
      return ["connecting", ""];
    case "live":
      return ["live", ` · ${way} · ${ageText(silentMs)}${missed}`];
    case "stale":
      return ["no data", ` for ${ageText(silentMs)}`];
    case "lost": {
      const next = retryInMs > 0 ? `next try in ${ageText(retryInMs)}` : "trying";
      return ["Connection lost", ` ${ageText(silentMs)} ago · ${next}`];
    }
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
