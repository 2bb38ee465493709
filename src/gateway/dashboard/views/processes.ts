/** Every process with its core, heartbeat and restarts; the queues between them, and what any of them had to drop. */
import { type Cell, drawRows, make, tableOf } from "#gateway/dashboard/parts/elements.ts";
import { ageText, countText, latencyText } from "#gateway/dashboard/parts/format.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { section } from "./layout.ts";

type Processes = {
  readonly report_age_ms: number | null;
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number;
    readonly state: string;
    readonly core: string;
    readonly restarts: number;
    readonly last_exit: string;
    readonly started_at_ms: number;
    readonly heartbeat_age_ms: number | null;
  }[];
  readonly agents: readonly {
    readonly agent: string;
    readonly heard_age_ms: number;
    readonly events: number;
    readonly decisions: number;
    readonly sends: number;
    readonly ring_depth_max: number;
    readonly market_dropped: number;
    readonly publish_dropped: number;
    readonly hotpath_us: readonly [p50: number, p99: number, p999: number, most: number];
  }[];
  readonly queues: readonly { readonly group: string; readonly topic: string; readonly messages: number }[];
  readonly live: {
    readonly clients: number;
    readonly refused: number;
    readonly dropped: number;
    readonly poison: number;
  };
};

const PROCESS_COLUMNS = ["", "state", "number", "number", "", "number quiet wide", "number", "quiet wide"] as const;
const AGENT_COLUMNS = ["", ...Array.from({ length: 7 }, () => "number"), "number wide", "number wide"];
const QUEUE_COLUMNS = ["", "quiet", "number"] as const;
/** As many as Sandpiper has, so that the table has its height before the first report. */
const PROCESS_ROWS = 9;
/** The supervisor reports every second. */
const REPORT_AGE_MS_TROUBLE = 5_000;
const HEARTBEAT_MS_TROUBLE = 2_000;
const BEHIND_TROUBLE = 5_000;

export function processesView({ state, session }: Page): View {
  let parts: ReturnType<typeof build> | undefined;
  let read: Processes | undefined;
  return {
    id: "processes",
    title: "Processes",
    build: (host) => {
      parts = build(host);
    },
    readEveryMs: 1_000,
    read: async () => {
      read = await session.read<Processes>("/api/processes");
    },
    draw: (nowMs) => {
      if (!parts || !read) return;
      const stale = (read.report_age_ms ?? Number.POSITIVE_INFINITY) > REPORT_AGE_MS_TROUBLE;
      parts.processes.classList.toggle("stale", stale);
      drawRows(
        parts.processes,
        read.processes.map((process) => processCells(process, nowMs)),
        PROCESS_COLUMNS,
        PROCESS_ROWS,
      );
      drawRows(parts.agents, read.agents.map(agentCells), AGENT_COLUMNS, 2);
      const { live } = read;
      const queues = [
        ...read.queues.map(({ group, topic, messages }) => queueCells(`${group} reads`, topic, messages)),
        queueCells("pages connected", "live stream", live.clients, Number.POSITIVE_INFINITY),
        queueCells("dropped for slow pages", "live stream", live.dropped, 0),
        queueCells("pages refused", "live stream", live.refused, 0),
        queueCells("messages that were none", "bus", live.poison, 0),
      ];
      drawRows(parts.queues, queues, QUEUE_COLUMNS, 6);
      drawOff(parts.off);
    },
  };

  function build(host: HTMLElement) {
    const processes = tableOf(
      "processes",
      ["Process", "State", "Heartbeat", "Restarts", "Core", "PID", "Up", "Last ended"],
      PROCESS_COLUMNS,
    );
    const agents = tableOf(
      "rings",
      ["Agent", "Events/s", "Decided/s", "Sent/s", "Ring", "Market drops", "Record drops", "p99", "p99.9", "Most"],
      AGENT_COLUMNS,
    );
    const queues = tableOf("queues", ["Waiting", "Of", "Messages"], QUEUE_COLUMNS);
    const off = make("dl", "off");
    host.append(
      section("Processes", processes.scroll),
      section("Agents, last second", agents.scroll),
      make("div", "pair", section("Queues and drops", queues.scroll), section("Off, and why", off)),
    );
    return { processes: processes.body, agents: agents.body, queues: queues.body, off };
  }

  function drawOff(list: HTMLElement): void {
    const off = state.status?.off ?? [];
    const key = JSON.stringify(off);
    if (list.dataset["drawn"] === key) return;
    list.dataset["drawn"] = key;
    const lines = off.flatMap(({ part, why }) => [make("dt", "", part), make("dd", "quiet", why)]);
    list.replaceChildren(...(lines.length === 0 ? [make("dt", "quiet", "nothing is off"), make("dd", "", "")] : lines));
  }
}

function processCells(process: Processes["processes"][number], nowMs: number): Cell[] {
  const { name, pid, state, core, restarts, last_exit, started_at_ms, heartbeat_age_ms: beat } = process;
  const down = state === "stalled" || state === "restarting" || state === "stopped";
  return [
    { text: name },
    { text: state, tone: state === "ready" ? "good" : down ? "trouble" : "quiet" },
    { text: beat === null ? "" : ageText(beat), tone: (beat ?? 0) > HEARTBEAT_MS_TROUBLE ? "trouble" : "quiet" },
    { text: String(restarts), tone: restarts === 0 ? "quiet" : "" },
    { text: core },
    { text: pid === 0 ? "" : String(pid) },
    { text: started_at_ms === 0 ? "" : ageText(nowMs - started_at_ms) },
    { text: last_exit, title: last_exit },
  ];
}

function agentCells(agent: Processes["agents"][number]): Cell[] {
  const [, p99, p999, most] = agent.hotpath_us;
  const drops = (count: number): Cell => ({ text: countText(count), tone: count > 0 ? "trouble" : "quiet" });
  const micro = (us: number): Cell => ({ text: us === 0 ? "" : latencyText(us / 1_000) });
  return [
    { text: agent.agent, title: `heard ${ageText(agent.heard_age_ms)} ago` },
    { text: countText(agent.events) },
    { text: countText(agent.decisions) },
    { text: countText(agent.sends) },
    { text: countText(agent.ring_depth_max) },
    drops(agent.market_dropped),
    drops(agent.publish_dropped),
    micro(p99),
    micro(p999),
    micro(most),
  ];
}

const queueCells = (waiting: string, of: string, messages: number, most = BEHIND_TROUBLE): Cell[] => [
  { text: waiting },
  { text: of },
  { text: countText(messages), tone: messages > most ? "trouble" : "" },
];
