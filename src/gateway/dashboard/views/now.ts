/**
 * The run in two seconds: what it earned, how much landed, how fast it is, whether the guard is content, what alarms sound;
 * under it profit and speed over time, the agents, and how the last bundles ended.
 */

import { lamportsToSol } from "#core/units.ts";
import { type Cell, drawRows, make, setText, tableOf } from "#gateway/dashboard/parts/elements.ts";
import {
  ageText,
  countText,
  latencyParts,
  latencyText,
  percentText,
  solText,
} from "#gateway/dashboard/parts/format.ts";
import { Plot } from "#gateway/dashboard/parts/plot.ts";
import type { PageGuardState, PageStatus } from "#gateway/dashboard/parts/status.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { alarmElements } from "./alarms.ts";
import { figure, figures, section } from "./layout.ts";
import { drawOutcomes, OUTCOME_HEADS } from "./record-tables.ts";

/** A market this quiet for so long is trouble: slots come every few hundred ms. */
const LAG_MS_TROUBLE = 5_000;
/** The supervisor reports every second. */
const REPORT_AGE_MS_TROUBLE = 5_000;
/** Messages that wait for the recorder: a busy market's few seconds are no news. */
const BEHIND_SHOWN = 500;
const BEHIND_TROUBLE = 5_000;
const AGENT_COLUMNS = ["", "state", "number", "number", "number", "number wide", "mono quiet wide"] as const;

export type ControlState = {
  readonly can_sign: boolean;
  readonly agents: readonly {
    readonly agent: string;
    readonly trading: string;
    readonly throttle_pct: number;
    readonly ev_min: string | null;
    readonly tip_ladder: readonly string[] | null;
  }[];
};

export function nowView({ state, session }: Page): View {
  let parts: ReturnType<typeof build> | undefined;
  let control: ControlState | undefined;
  return {
    id: "now",
    title: "Now",
    build: (host) => {
      parts = build(host);
    },
    readEveryMs: 2_000,
    read: async () => {
      control = await session.read<ControlState>("/api/control/state");
    },
    draw: (nowMs) => {
      if (!parts) return;
      const { status } = state;
      if (status) drawStatus(parts, status);
      drawProfit(parts.profit, state.profit, nowMs);
      drawSpeed(parts.speed, state.seconds);
      const agents = agentNames(control, state.metrics.keys());
      const rows = agents.map((agent) => {
        const held = control?.agents.find((one) => one.agent === agent);
        return agentCells(held, agent, state.metrics.get(agent));
      });
      drawRows(parts.agents, rows, AGENT_COLUMNS, 2);
      drawOutcomes(parts.outcomes, state.outcomes.rows, nowMs);
    },
  };

  function build(host: HTMLElement) {
    const row = figures(
      figure("profit", "Profit of this run", "SOL"),
      figure("landed", "Landed"),
      figure("p99", "Hot path p99"),
      figure("guard", "Guard"),
      figure("alarms", "Alarms"),
      figure("slot", "Market slot"),
    );
    const alarms = make("div", "alarms");
    const profit = make("div", "plot");
    profit.id = "plot";
    const speed = make("div", "plot");
    const agents = tableOf(
      "agents",
      ["Agent", "Trading", "Events/s", "Ring", "Dropped", "Throttle", "Model"],
      AGENT_COLUMNS,
    );
    const outcomes = tableOf("outcomes", OUTCOME_HEADS.names, OUTCOME_HEADS.columns);
    const ready = make("a", "quiet");
    ready.id = "ready";
    ready.href = "#/processes";
    host.append(
      row,
      alarms,
      make(
        "div",
        "pair",
        section("Profit over time", profit, "SOL, this run"),
        section("Hot path, second by second", speed, "from feed to decision: p99 and p50"),
      ),
      section("Agents", agents.scroll, ready),
      section("Landed and missed", outcomes.scroll),
    );
    return {
      alarms,
      agents: agents.body,
      outcomes: outcomes.body,
      profit: new Plot(profit, {
        lines: [{ label: "profit", color: "--accent", kind: "step", fill: true }],
        yText: (sol) => Number(sol.toPrecision(3)).toString(),
        empty: "Nothing has landed in this run yet.",
      }),
      speed: new Plot(speed, {
        lines: [
          { label: "p99", color: "--accent", kind: "line" },
          { label: "p50", color: "--soft", kind: "line" },
        ],
        yText: (ms) => (ms === 0 ? "0" : latencyText(ms)),
        yMin: 0,
        empty: "Nothing was measured since the page was opened.",
      }),
    };
  }

  function drawStatus(built: { readonly alarms: HTMLElement }, status: PageStatus): void {
    drawMoney(status);
    drawHotPath(status);
    drawGuard(status.guard);
    drawMarket(status);
    const { alarms } = status;
    say("alarms", alarms.length === 0 ? "none" : String(alarms.length), alarms.length > 0);
    note("alarms", storeText(status), !status.store.reachable || status.store.behind > BEHIND_TROUBLE);
    const key = JSON.stringify(alarms);
    if (built.alarms.dataset["drawn"] !== key) {
      built.alarms.dataset["drawn"] = key;
      built.alarms.replaceChildren(...alarmElements(alarms));
    }
    drawReady(status);
  }
}

const agentNames = (control: ControlState | undefined, measured: Iterable<string>): string[] => [
  ...new Set([...(control?.agents.map(({ agent }) => agent) ?? []), ...measured]),
];

function agentCells(
  held: ControlState["agents"][number] | undefined,
  agent: string,
  metrics:
    | { events: bigint; ringDepthMax: number; marketDropped: bigint; publishDropped: bigint; modelHash: string }
    | undefined,
): Cell[] {
  const trading = held?.trading ?? "unknown";
  const dropped = (metrics?.marketDropped ?? 0n) + (metrics?.publishDropped ?? 0n);
  const pct = held?.throttle_pct ?? 0;
  return [
    { text: agent },
    { text: trading, tone: trading === "running" ? "good" : trading === "unknown" ? "quiet" : "trouble" },
    { text: metrics ? countText(metrics.events) : "" },
    { text: metrics ? countText(metrics.ringDepthMax) : "", title: "deepest its market ring was in the last second" },
    { text: metrics ? countText(dropped) : "", tone: dropped > 0n ? "trouble" : "quiet" },
    { text: pct === 0 ? "none" : `${pct} %`, tone: pct === 0 ? "quiet" : "" },
    { text: metrics?.modelHash ?? "" },
  ];
}

function drawMoney(status: PageStatus): void {
  const profit = BigInt(status.profit_lamports);
  say("profit", solText(profit), profit < 0n);
  const per = status.landed === 0 ? "nothing landed yet" : `${solText(profit / BigInt(status.landed))} per bundle`;
  note("profit", per, false);
  const share = status.attempts === 0 ? undefined : Math.min(1, status.landed / status.attempts);
  say("landed", share === undefined ? "–" : percentText(share), false);
  const exact = status.exact_share === null ? "" : `, ${percentText(status.exact_share)} exact`;
  note("landed", `${countText(status.landed)} of ${countText(status.attempts)} sent${exact}`, false);
}

function drawHotPath({ hotpath: { p50_ms: p50, p99_ms: p99 } }: PageStatus): void {
  const { figure: text, unit } = p99 === null ? { figure: "–", unit: "" } : latencyParts(p99);
  say("p99", text, false);
  setText(element("p99-unit"), unit);
  note("p99", p50 === null ? "not measured yet" : `p50 ${latencyText(p50)}`, false);
}

function drawGuard(guard: PageGuardState | null): void {
  const { word, says, tone } = guardWords(guard);
  say("guard", word, tone === "trouble");
  element("guard").classList.toggle("good", tone === "good");
  note("guard", says, tone === "trouble");
}

/** The guard's state in a word, a sentence and a tone. */
export function guardWords(guard: PageGuardState | null): {
  word: string;
  says: string;
  tone: "good" | "warn" | "trouble";
} {
  if (guard === null) return { word: "away", says: "no guard has reported", tone: "trouble" };
  if (guard.killed) return { word: "killed", says: "until an operator starts it again", tone: "trouble" };
  const broken = guard.violated.join(", ");
  if (guard.throttle_pct > 0)
    return { word: `${guard.throttle_pct} % off`, says: broken || "restoring", tone: "trouble" };
  if (guard.violated.length > 0) return { word: "red", says: broken, tone: "trouble" };
  return { word: "green", says: guard.acts ? "every level holds" : "it only watches", tone: "good" };
}

function drawMarket({ market: { slot, lag_ms: lag } }: PageStatus): void {
  say("slot", slot === null ? "–" : countText(BigInt(slot)), false);
  note("slot", lag === null ? "no agent reports" : `lag ${countText(lag)} ms`, lag === null || lag > LAG_MS_TROUBLE);
}

function storeText({ store, decisions }: PageStatus): string {
  const age = store.totals_age_ms;
  const away = age === null ? "store away" : `store away, sums ${ageText(age)} old`;
  const behind = store.behind < BEHIND_SHOWN ? "" : `, ${countText(store.behind)} waiting`;
  return `${store.reachable ? `${countText(decisions)} decisions` : away}${behind}`;
}

/** A dead supervisor's last report still says "ready": it is shown, but not as the truth. */
function drawReady({ processes, report_age_ms: age }: PageStatus): void {
  const ready = processes.filter(({ state }) => state === "ready").length;
  const stale = age !== null && age > REPORT_AGE_MS_TROUBLE;
  const text =
    processes.length === 0
      ? "no supervisor has reported"
      : stale
        ? `supervisor silent for ${ageText(age)}: this is what it last knew`
        : `${ready} of ${processes.length} processes ready`;
  setText(element("ready"), text);
  element("ready").classList.toggle("trouble", stale || ready < processes.length || processes.length === 0);
}

function drawProfit(plot: Plot, points: readonly { atMs: number; lamports: bigint }[], nowMs: number): void {
  const last = points.at(-1);
  const xs = points.map(({ atMs }) => atMs / 1_000);
  const ys = points.map(({ lamports }) => lamportsToSol(lamports));
  if (last) {
    xs.push(Math.max(nowMs, last.atMs + 1) / 1_000);
    ys.push(lamportsToSol(last.lamports));
  }
  const state = `${points.length} ${last?.lamports} ${Math.floor(nowMs / 1_000)}`;
  plot.draw([xs, ys], state, `Profit of the run: ${solText(last?.lamports ?? 0n)} SOL`);
}

function drawSpeed(plot: Plot, seconds: readonly { atNs: bigint; hotpathP99Ns: bigint; hotpathP50Ns: bigint }[]): void {
  const last = seconds.at(-1);
  const columns = [
    seconds.map(({ atNs }) => Number(atNs / 1_000_000n) / 1_000),
    seconds.map(({ hotpathP99Ns }) => Number(hotpathP99Ns) / 1e6),
    seconds.map(({ hotpathP50Ns }) => Number(hotpathP50Ns) / 1e6),
  ];
  const says = last
    ? `Hot path now: p99 ${latencyText(Number(last.hotpathP99Ns) / 1e6)}, p50 ${latencyText(Number(last.hotpathP50Ns) / 1e6)}`
    : "The hot path was not measured yet";
  plot.draw(columns, `${seconds.length} ${last?.atNs}`, says);
}

const element = (id: string): HTMLElement => document.getElementById(id) ?? make("span", "");

function say(id: string, text: string, trouble: boolean): void {
  setText(element(id), text);
  element(id).classList.toggle("trouble", trouble);
}

function note(id: string, text: string, trouble: boolean): void {
  setText(element(`${id}-note`), text);
  element(`${id}-note`).classList.toggle("trouble", trouble);
}
