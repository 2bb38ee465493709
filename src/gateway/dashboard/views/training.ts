/** Training jobs with their progress; a gateway that trains nothing says so. */
import { ApiTrouble } from "#gateway/dashboard/operator/session.ts";
import { type Cell, drawRows, make, setText, tableOf } from "#gateway/dashboard/parts/elements.ts";
import { ageText, percentText } from "#gateway/dashboard/parts/format.ts";
import type { Page, View } from "#gateway/dashboard/parts/view.ts";
import { section } from "./layout.ts";

type Job = {
  readonly id: string;
  readonly kind: string;
  readonly library: string;
  readonly state: string;
  readonly progressShare: number;
  readonly message: string;
  readonly modelHash: string | null;
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly askedBy: string;
};

const COLUMNS = [
  "mono",
  "",
  "state",
  "number",
  "gauge",
  "number quiet",
  "mono wide",
  "wide",
  "wide quiet words",
] as const;

export function trainingView({ session }: Page): View {
  let parts: ReturnType<typeof build> | undefined;
  let jobs: readonly Job[] = [];
  let off = "";
  return {
    id: "training",
    title: "Training",
    build: (host) => {
      parts = build(host);
    },
    readEveryMs: 2_000,
    read: async () => {
      try {
        jobs = (await session.read<{ jobs: Job[] }>("/api/training/jobs")).jobs;
        off = jobs.length === 0 ? "Nobody has asked for a model yet." : "";
      } catch (thrown) {
        if (!(thrown instanceof ApiTrouble) || thrown.code !== "not_found") throw thrown;
        off = "This gateway trains no models.";
      }
    },
    draw: (nowMs) => {
      if (!parts) return;
      const rows = jobs.map((job) => cells(job, nowMs));
      drawRows(parts.body, rows, COLUMNS, 6);
      setText(parts.note, off);
    },
  };

  function build(host: HTMLElement) {
    const heads = ["Job", "Model", "State", "Done", "", "Took", "Version", "Asked by", "Says"];
    const table = tableOf("jobs", heads, COLUMNS);
    const note = make("span", "quiet");
    host.append(section("Training jobs", table.scroll, note));
    return { body: table.body, note };
  }
}

function cells(job: Job, nowMs: number): Cell[] {
  const { id, kind, library, state, progressShare, message, modelHash, startedMs, endedMs, askedBy } = job;
  const tone = state === "done" ? "good" : state === "failed" ? "trouble" : "quiet";
  return [
    { text: id.length > 14 ? `${id.slice(0, 13)}…` : id, title: id },
    { text: `${kind} · ${library}` },
    { text: state, tone },
    { text: percentText(progressShare) },
    { text: "", share: progressShare },
    { text: startedMs === null ? "" : ageText((endedMs ?? nowMs) - startedMs) },
    { text: modelHash ?? "" },
    { text: askedBy },
    { text: message, title: message },
  ];
}
