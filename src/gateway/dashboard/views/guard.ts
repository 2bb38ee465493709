/**
 * The guard: each service level with its value and limit, what the guard did and why, the alarms with their runbook, and the
 * controls of an admin over each agent. RED disables what adds risk (risky.ts).
 */
import { type Action, command, type Order } from "#gateway/dashboard/operator/order-dialog.ts";
import { ApiTrouble } from "#gateway/dashboard/operator/session.ts";
import { type Cell, drawRows, make, setText, tableOf } from "#gateway/dashboard/parts/elements.ts";
import { ageText, countText, exactSolText } from "#gateway/dashboard/parts/format.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { alarmElements, runbookHref } from "./alarms.ts";
import { button, section } from "./layout.ts";
import { type ControlState, guardWords } from "./now.ts";
import { drawRisky, isRed, riskyButton, riskyLocked, unlockRisky } from "./risky.ts";

type Guard = {
  readonly atMs: number;
  readonly acts: boolean;
  readonly agents: readonly {
    readonly agent: string;
    readonly throttlePct: number;
    readonly killed: boolean;
    readonly objectives: readonly {
      readonly name: string;
      readonly about: string;
      readonly unit: string;
      readonly bad: string;
      readonly limit: number;
      readonly severeLimit: number;
      readonly value: number;
      readonly samples: number;
      readonly state: string;
    }[];
  }[];
  readonly actions: readonly {
    readonly atMs: number;
    readonly agent: string;
    readonly kind: string;
    readonly throttlePct: number;
    readonly because: string;
  }[];
};

const LEVEL_COLUMNS = [
  "",
  "state",
  "number",
  "number",
  "gauge",
  "number quiet wide",
  "number quiet wide",
  "wide quiet",
] as const;
const ACTION_COLUMNS = ["number quiet", "", "", "number", "wide quiet words"] as const;
const DESK_COLUMNS = ["", "state", "number", "number wide", "wide", "actions"] as const;
const THROTTLES = [0, 25, 50, 75, 100] as const;

export function guardView({ state, session, order }: Page): View {
  let parts: ReturnType<typeof build> | undefined;
  let guard: Guard | undefined;
  let control: ControlState | undefined;
  return {
    id: "guard",
    title: "Guard",
    build: (host) => {
      parts = build(host);
    },
    readEveryMs: 1_000,
    read: async () => {
      control = await session.read<ControlState>("/api/control/state");
      guard = await session.read<Guard>("/api/guard").catch((thrown: unknown) => {
        if (thrown instanceof ApiTrouble && thrown.code === "not_found") return undefined;
        throw thrown;
      });
    },
    draw: (nowMs) => {
      if (!parts) return;
      drawBanner(parts.banner);
      const alarms = state.status?.alarms ?? [];
      const key = JSON.stringify(alarms);
      if (parts.alarms.dataset["drawn"] !== key) {
        parts.alarms.dataset["drawn"] = key;
        parts.alarms.replaceChildren(
          ...(alarms.length > 0 ? alarmElements(alarms) : [make("p", "quiet", "No alarm sounds.")]),
        );
      }
      drawRows(parts.levels, (guard?.agents ?? []).flatMap(levelRows), LEVEL_COLUMNS, 8);
      drawRows(
        parts.actions,
        (guard?.actions ?? []).slice(0, 8).map((action) => actionCells(action, nowMs)),
        ACTION_COLUMNS,
        4,
      );
      drawDesk(parts.desk);
      drawRisky(state);
    },
  };

  function build(host: HTMLElement) {
    const banner = make("div", "banner");
    banner.append(
      make("strong", ""),
      make("span", ""),
      button("Unlock for a minute", () => order(unlock)),
    );
    const levels = tableOf(
      "levels",
      ["Level", "State", "Value", "Limit", "Of the limit", "Severe", "Samples", "What is measured"],
      LEVEL_COLUMNS,
    );
    const actions = tableOf("actions", ["Age", "Agent", "Did", "Passes over", "Because"], ACTION_COLUMNS);
    const desk = tableOf("desk", ["Agent", "Trading", "Throttle", "Least EV", "Tips", "Orders"], DESK_COLUMNS);
    const alarms = make("div", "alarms");
    host.append(
      banner,
      section("Alarms", alarms, "each opens its page of the runbook"),
      section("Service levels", levels.scroll),
      section("Orders", desk.scroll, "signed, acknowledged and on the ledger"),
      section("What the guard did", actions.scroll),
    );
    return { banner, alarms, levels: levels.body, actions: actions.body, desk: desk.body };
  }

  function drawBanner(banner: HTMLElement): void {
    const present = state.status?.guard;
    const { word, says, tone } = guardWords(present ?? null);
    const red = isRed(present);
    if (banner.dataset["tone"] !== tone) banner.dataset["tone"] = tone;
    const [head, text, open] = banner.children as unknown as [HTMLElement, HTMLElement, HTMLButtonElement];
    setText(head, red && word !== "red" ? `RED: ${word}` : word.toUpperCase());
    const locked = riskyLocked(state);
    const consequence = locked ? " Controls that add risk are disabled." : red ? " Risky controls are unlocked." : "";
    setText(text, `${says}.${consequence}`);
    open.hidden = !locked;
  }

  function drawDesk(body: HTMLElement): void {
    const agents = control?.agents ?? [];
    drawRows(body, agents.map(deskCells), DESK_COLUMNS, 2);
    agents.forEach(({ agent, trading, throttle_pct: pct }, i) => {
      const cell = body.children[i]?.lastElementChild;
      const key = `${agent} ${trading} ${pct}`;
      if (!(cell instanceof HTMLElement) || cell.dataset["drawn"] === key) return;
      cell.dataset["drawn"] = key;
      const throttle = make("select", "");
      throttle.setAttribute("aria-label", `Throttle ${agent}`);
      throttle.append(make("option", "", "Throttle …"));
      for (const value of THROTTLES) {
        const option = make("option", "", `pass over ${value} %`);
        option.value = String(value);
        throttle.append(option);
      }
      throttle.addEventListener("change", () => {
        const value = Number(throttle.value);
        throttle.selectedIndex = 0;
        const lower = value < pct;
        if (lower && riskyLocked(state)) order(unlock);
        else order(orderOf(agent, "throttle", { throttle_pct: value }));
      });
      cell.replaceChildren(
        riskyButton(state, "Start", () => order(orderOf(agent, "start"))),
        button("Stop", () => order(orderOf(agent, "stop"))),
        throttle,
        riskyButton(state, "Policy", () => askPolicy(agent)),
        button("Restart", () => order(orderOf(agent, "restart"))),
      );
    });
  }

  /** A least expected value is asked for in place: the rest of a policy stays as it is. */
  function askPolicy(agent: string): void {
    const present = control?.agents.find((one) => one.agent === agent)?.ev_min ?? "";
    const text = prompt(`Least expected value that ${agent} sends, in lamports:`, present)?.trim() ?? "";
    if (/^(0|[1-9][0-9]{0,15})$/.test(text)) order(orderOf(agent, "policy", { ev_min: text }));
  }
}

const unlock: Order = {
  title: "Unlock risky controls",
  consequences: [
    "For one minute Start, Policy, lower throttles and Promote can be used although the guard is RED.",
    "The guard goes on: what it finds violated it throttles or kills again.",
    "Read the page of the runbook first.",
  ],
  confirm: "Unlock for a minute",
  danger: false,
  give: async () => {
    unlockRisky();
    return ["unlocked for a minute"];
  },
};

const CONSEQUENCES: Readonly<Record<Action, (args: { throttle_pct?: number; ev_min?: string }) => string[]>> = {
  start: () => ["It trades again: what it finds worth a bundle is sent.", "It is the only way out of stop and kill."],
  stop: () => ["It sends nothing new; what is open is followed to its end.", "Only Start lets it trade again."],
  restart: () => [
    "Its process ends cleanly and is started again, in the state it is in now.",
    "It decides nothing for some seconds.",
  ],
  throttle: ({ throttle_pct: pct = 0 }) => [
    pct === 0 ? "It passes over nothing any more." : `It passes over ${pct} % of what it would send.`,
    "The guard may pass over more.",
  ],
  policy: ({ ev_min: least = "0" }) => [
    `It sends what has an expected value of at least ${countText(BigInt(least))} lamports (${exactSolText(BigInt(least))} SOL).`,
    "It outlives a restart, until another policy.",
  ],
  kill: () => ["Nothing leaves from then on, over any restart."],
};

const orderOf = (agent: string, action: Action, args: { throttle_pct?: number; ev_min?: string } = {}): Order => ({
  title: `${action.charAt(0).toUpperCase()}${action.slice(1)} ${agent}`,
  consequences: CONSEQUENCES[action](args),
  confirm: `${action.charAt(0).toUpperCase()}${action.slice(1)} ${agent}`,
  danger: false,
  give: (session) => command(session, agent, action, args),
});

const figureText = (value: number, unit: string): string =>
  `${Number(value.toPrecision(3)).toLocaleString("en")} ${unit}`;

function levelRows({ agent, objectives }: Guard["agents"][number]): Cell[][] {
  return objectives.map(({ name, about, unit, bad, limit, severeLimit, value, samples, state }) => {
    const known = state !== "unknown";
    const share = limit === 0 ? 0 : bad === "above" ? value / limit : limit / Math.max(value, 1e-9);
    return [
      { text: name, href: runbookHref(name), title: `${agent}: ${about}` },
      { text: known ? state : "too few samples", tone: state === "good" ? "good" : known ? "trouble" : "quiet" },
      { text: known ? figureText(value, unit) : "–" },
      { text: `${bad === "above" ? "≤" : "≥"} ${figureText(limit, unit)}` },
      { text: "", share: known ? share : 0, tone: state === "good" || !known ? "" : "trouble" },
      { text: figureText(severeLimit, unit) },
      { text: countText(samples) },
      { text: about, title: about },
    ];
  });
}

const actionCells = ({ atMs, agent, kind, throttlePct, because }: Guard["actions"][number], nowMs: number): Cell[] => [
  { text: ageText(nowMs - atMs) },
  { text: agent },
  { text: kind, tone: kind === "restore" || kind === "lift" ? "good" : "trouble" },
  { text: `${throttlePct} %` },
  { text: because, title: because },
];

const deskCells = ({
  agent,
  trading,
  throttle_pct: pct,
  ev_min,
  tip_ladder,
}: ControlState["agents"][number]): Cell[] => [
  { text: agent },
  { text: trading, tone: trading === "running" ? "good" : "trouble" },
  { text: pct === 0 ? "none" : `${pct} %` },
  { text: ev_min === null ? "as configured" : exactSolText(BigInt(ev_min)) },
  { text: tip_ladder === null ? "as configured" : tip_ladder.map((tip) => countText(BigInt(tip))).join(", ") },
  { text: "", foreign: true },
];
