/**
 * Tips and routes: how each rung of the ladder fares, whether the estimated chance to land holds, which way bundles went,
 * how long each way took and in which slot they arrived.
 */
import { type Cell, drawRows, make, tableOf } from "#gateway/dashboard/parts/elements.ts";
import { countText, latencyText, percentText, solText, wordsText } from "#gateway/dashboard/parts/format.ts";
import { Plot } from "#gateway/dashboard/parts/plot.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { type CalibrationBucket, calibrationColumns, calibrationPlot, calibrationSays } from "./calibration.ts";
import { section } from "./layout.ts";

type Tips = {
  readonly agents: readonly {
    readonly agent: string;
    readonly arms: readonly {
      readonly tip_lamports: string;
      readonly played: number;
      readonly landed: number;
      readonly payoff: number;
    }[];
  }[];
};
type Routes = {
  readonly routes: readonly {
    readonly path: string;
    readonly sent: number;
    readonly landed: number;
    readonly tip_lamports: string;
    readonly profit_lamports: string;
    readonly acknowledged_ms_p50: number;
    readonly acknowledged_ms_p99: number;
    readonly landed_ms_p50: number;
    readonly slot_deltas: readonly { readonly slots: number; readonly bundles: number }[];
    readonly ends: readonly { readonly state: string; readonly bundles: number }[];
  }[];
};

const ARM_COLUMNS = ["", "number", "number", "number", "number", "number", "gauge"] as const;
const ROUTE_COLUMNS = [
  "",
  "number",
  "number",
  "number",
  "number wide",
  "number wide",
  "number wide",
  "number wide",
] as const;

export function tipsView({ session }: Page): View {
  let parts: ReturnType<typeof build> | undefined;
  let tips: Tips = { agents: [] };
  let routes: Routes = { routes: [] };
  let buckets: readonly CalibrationBucket[] = [];
  return {
    id: "tips",
    title: "Tips & routes",
    build: (host) => {
      parts = build(host);
    },
    readEveryMs: 2_000,
    read: async () => {
      tips = await session.read<Tips>("/api/tips");
      routes = await session.read<Routes>("/api/routes");
      buckets = (await session.read<{ buckets: CalibrationBucket[] }>("/api/calibration")).buckets;
    },
    draw: () => {
      if (!parts) return;
      drawRows(parts.arms, tips.agents.flatMap(armRows), ARM_COLUMNS, 4);
      drawRows(parts.routes, routes.routes.map(routeCells), ROUTE_COLUMNS, 2);
      drawRows(parts.ends, routes.routes.flatMap(endRows), ["", "", "number", "number", "gauge"], 4);
      const all = routes.routes.flatMap(({ slot_deltas: deltas }) => deltas);
      const slots = [...new Set(all.map(({ slots: delta }) => delta))].sort((a, b) => a - b);
      const range = Array.from({ length: slots.length === 0 ? 0 : (slots.at(-1) ?? 0) + 1 }, (_, i) => i);
      const sums = range.map((slot) => sum(all.filter(({ slots: delta }) => delta === slot)));
      const says = slots.map((slot) => `${slot} slots later: ${sums[slot] ?? 0} bundles`).join(", ");
      parts.slots.draw([range, sums], JSON.stringify(sums), says || "Nothing has landed yet");
      parts.calibration.draw(calibrationColumns(buckets), JSON.stringify(buckets), calibrationSays(buckets));
    },
  };

  function build(host: HTMLElement) {
    const arms = tableOf(
      "arms",
      ["Agent", "Tip", "Played", "Landed", "Lands", "Payoff", "Payoff, 0 to 1"],
      ARM_COLUMNS,
    );
    const list = tableOf(
      "routes",
      ["Route", "Sent", "Landed", "Lands", "Ack p50", "Ack p99", "Lands p50", "Profit"],
      ROUTE_COLUMNS,
    );
    const ends = tableOf("ends", ["Route", "End", "Bundles", "Share", ""], ["", "", "number", "number", "gauge"]);
    const slots = make("div", "plot");
    const calibration = make("div", "plot");
    host.append(
      make(
        "div",
        "pair",
        make(
          "div",
          "",
          section("Tips played, and what they brought", arms.scroll, "since the agent started"),
          section("Routes", list.scroll, "this run"),
          section("How bundles ended", ends.scroll, "this run"),
        ),
        make(
          "div",
          "",
          section("Chance to land: estimated and real", calibration, "this run, by tenths"),
          section("Slots from decision to landing", slots, "bundles of this run"),
        ),
      ),
    );
    const bars = { label: "bundles", color: "--accent", kind: "bars", fill: true } as const;
    return {
      arms: arms.body,
      routes: list.body,
      ends: ends.body,
      slots: new Plot(slots, {
        lines: [bars],
        yText: countText,
        xText: (slot) => (Number.isInteger(slot) ? `+${slot}` : ""),
        yMin: 0,
        xPad: 0.6,
        empty: "Nothing has landed yet.",
      }),
      calibration: calibrationPlot(calibration),
    };
  }
}

const sum = (deltas: readonly { readonly bundles: number }[]) => deltas.reduce((all, { bundles }) => all + bundles, 0);

function armRows({ agent, arms }: Tips["agents"][number]): Cell[][] {
  const best = Math.max(...arms.map(({ payoff }) => payoff));
  return arms.map(({ tip_lamports: tip, played, landed, payoff }) => [
    { text: agent, tone: "quiet" },
    { text: solText(BigInt(tip)), title: `${countText(BigInt(tip))} lamports` },
    { text: countText(played) },
    { text: countText(landed) },
    { text: played === 0 ? "" : percentText(landed / played) },
    { text: payoff.toFixed(3), tone: played > 0 && payoff === best ? "good" : "" },
    { text: "", share: payoff },
  ]);
}

function routeCells(route: Routes["routes"][number]): Cell[] {
  const profit = BigInt(route.profit_lamports);
  return [
    { text: route.path },
    { text: countText(route.sent) },
    { text: countText(route.landed) },
    { text: route.sent === 0 ? "" : percentText(route.landed / route.sent) },
    { text: latencyText(route.acknowledged_ms_p50) },
    { text: latencyText(route.acknowledged_ms_p99) },
    { text: latencyText(route.landed_ms_p50) },
    { text: solText(profit), tone: profit < 0n ? "trouble" : "good" },
  ];
}

function endRows({ path, sent, ends }: Routes["routes"][number]): Cell[][] {
  return ends.map(({ state, bundles }) => [
    { text: path, tone: "quiet" },
    { text: wordsText(state), tone: state === "landed" ? "good" : "" },
    { text: countText(bundles) },
    { text: percentText(bundles / Math.max(1, sent)) },
    { text: "", share: bundles / Math.max(1, sent) },
  ]);
}
