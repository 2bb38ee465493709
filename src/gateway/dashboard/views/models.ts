/**
 * Versions of the model: which decides, which scores beside it, how each was made and how it did; whether its chance to land
 * holds; who changed what. An admin promotes, shadows and goes back, each after what will happen was said.
 */
import type { Order } from "#gateway/dashboard/operator/order-dialog.ts";
import { type Cell, drawRows, make, tableOf } from "#gateway/dashboard/parts/elements.ts";
import { ageText, countText, latencyText } from "#gateway/dashboard/parts/format.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { type CalibrationBucket, calibrationColumns, calibrationPlot, calibrationSays } from "./calibration.ts";
import { button, section } from "./layout.ts";
import { riskyButton } from "./risky.ts";

type Version = {
  readonly hash: string;
  readonly role: "latest" | "shadow" | "none" | "retired";
  readonly library: string | null;
  readonly madeMs: number | null;
  readonly askedBy: string | null;
  readonly metrics: Readonly<Record<string, number>>;
  readonly parity: { readonly rows: number; readonly largest: number } | null;
  readonly trainedOn: { readonly start: string; readonly end: string; readonly rows: number } | null;
  readonly latencyNsP50: number | null;
};
type Change = {
  readonly at_ms: number;
  readonly action: string;
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly why: string;
};

const COLUMNS = [
  "mono",
  "",
  "",
  "number quiet",
  "number",
  "number",
  "number",
  "number wide",
  "number wide",
  "actions",
] as const;
const HISTORY_COLUMNS = ["number quiet", "", "mono", "mono", "", "wide quiet"] as const;
const ROLE_WORDS = { latest: "decides", shadow: "shadow", none: "", retired: "retired" } as const;

export function modelsView({ session, state, order }: Page): View {
  let parts: ReturnType<typeof build> | undefined;
  let versions: readonly Version[] = [];
  let changes: readonly Change[] = [];
  let buckets: readonly CalibrationBucket[] = [];
  return {
    id: "models",
    title: "Models",
    build: (host) => {
      parts = build(host);
    },
    readEveryMs: 3_000,
    read: async () => {
      versions = (await session.read<{ versions: Version[] }>("/api/models")).versions;
      changes = (await session.read<{ changes: Change[] }>("/api/models/history")).changes;
      buckets = (await session.read<{ buckets: CalibrationBucket[] }>("/api/calibration")).buckets;
    },
    draw: (nowMs) => {
      if (!parts) return;
      drawVersions(parts.versions, nowMs);
      drawRows(
        parts.history,
        changes.map((change) => changeCells(change, nowMs)),
        HISTORY_COLUMNS,
        3,
      );
      const present = versions.find(({ role }) => role === "latest")?.hash ?? "";
      const own = buckets.filter(({ model_hash: hash }) => present.startsWith(hash) || hash === present);
      const shown = own.length > 0 ? own : buckets;
      parts.calibration.draw(calibrationColumns(shown), JSON.stringify(shown), calibrationSays(shown));
    },
  };

  function build(host: HTMLElement) {
    const table = tableOf(
      "models",
      ["Version", "Role", "Library", "Made", "AUC", "Log loss", "Gap", "Rows", "p50", "Change"],
      COLUMNS,
    );
    const history = tableOf("model-history", ["Age", "Change", "From", "To", "By", "Why"], HISTORY_COLUMNS);
    const calibration = make("div", "plot");
    const back = riskless("Roll back", () => order(rollback));
    host.append(
      section("Versions", table.scroll, back),
      make(
        "div",
        "pair",
        section("Calibration of the one that decides", calibration, "estimated chance to land against what landed"),
        section("Changes", history.scroll),
      ),
    );
    return { versions: table.body, history: history.body, calibration: calibrationPlot(calibration) };
  }

  function drawVersions(body: HTMLElement, nowMs: number): void {
    drawRows(
      body,
      versions.map((version) => versionCells(version, nowMs)),
      COLUMNS,
      4,
    );
    versions.forEach((version, i) => {
      const cell = body.children[i]?.lastElementChild;
      const key = `${version.hash} ${version.role}`;
      if (!(cell instanceof HTMLElement) || cell.dataset["drawn"] === key) return;
      cell.dataset["drawn"] = key;
      const usable = version.role === "none" || version.role === "shadow";
      cell.replaceChildren(
        ...(usable ? [riskyButton(state, "Promote", () => order(change(version, "promote")))] : []),
        ...(version.role === "none" ? [button("Shadow", () => order(change(version, "shadow")))] : []),
      );
    });
  }
}

const riskless = (text: string, press: () => void) => button(text, press, "admin");

function change({ hash, metrics }: Version, verb: "promote" | "shadow"): Order {
  const figures = Object.entries(metrics).map(([name, value]) => `${name} ${value}`);
  const what =
    verb === "promote"
      ? "Every agent tries it in a child process against its golden rows, and decides with it from then on."
      : "It scores every opportunity beside the one that decides; nothing is sent because of it.";
  return {
    title: `${verb === "promote" ? "Promote" : "Shadow"} model ${hash}`,
    consequences: [
      what,
      figures.length > 0 ? `On rows it was not fitted on: ${figures.join(", ")}.` : "It has no metrics on record.",
      "Roll back brings the one before back at once.",
    ],
    confirm: verb === "promote" ? "Promote it" : "Let it score",
    danger: false,
    give: async (session) => {
      await session.post(`/api/models/${verb}`, { hash });
      return [`${verb}: ${hash}`];
    },
  };
}

const rollback: Order = {
  title: "Roll back the model",
  consequences: [
    "The version that decided before the present one decides again, in every agent, within a second.",
    "The present one stays on record and can be promoted again.",
  ],
  confirm: "Roll back",
  danger: false,
  give: async (session) => {
    const { hash } = await session.post<{ hash: string }>("/api/models/rollback", {});
    return [`${hash} decides again`];
  },
};

function versionCells(version: Version, nowMs: number): Cell[] {
  const { hash, role, library, madeMs, metrics, trainedOn, latencyNsP50 } = version;
  const metric = (name: string): Cell => {
    const value = metrics[name];
    return { text: value === undefined ? "" : value.toFixed(4) };
  };
  return [
    { text: hash, title: trainedOn ? `${trainedOn.start} to ${trainedOn.end}` : "" },
    { text: ROLE_WORDS[role], tone: role === "latest" ? "good" : "quiet" },
    { text: library ?? "default" },
    { text: madeMs === null ? "" : `${ageText(nowMs - madeMs)} ago` },
    metric("auc"),
    metric("logLoss"),
    metric("calibrationGap"),
    { text: trainedOn ? countText(trainedOn.rows) : "" },
    { text: latencyNsP50 === null ? "" : latencyText(latencyNsP50 / 1e6) },
    { text: "", foreign: true },
  ];
}

const changeCells = ({ at_ms: atMs, action, from, to, by, why }: Change, nowMs: number): Cell[] => [
  { text: ageText(nowMs - atMs) },
  { text: action },
  { text: from.slice(0, 8), title: from },
  { text: to.slice(0, 8), title: to },
  { text: by },
  { text: why, title: why },
];
