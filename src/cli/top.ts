/**
 * `sandpiper top`: the run in a terminal, live, from shared memory and the two reports: it works with bus, store and
 * gateway down. `--once` prints one frame.
 */
import { existsSync } from "node:fs";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { type RunReport, readRunReport } from "#core/run-report.ts";
import { lamportsToSol } from "#core/units.ts";
import { openRegion } from "#memory/region.ts";
import { TelemetryReader, type TelemetryWindow } from "#memory/telemetry.ts";
import { soundingAlarms } from "#slo/alarms.ts";
import { type GuardReport, readGuardReport } from "#slo/report.ts";

const FRAME_MS = 1_000;
/** To the top left, and everything below away. */
const CLEAR = "\x1b[H\x1b[2J";

/** What one frame shows. */
export type TopFrame = {
  readonly run: RunReport | undefined;
  readonly guard: GuardReport | undefined;
  /** Of the arbitrage agent, over `seconds`; undefined when it has never run. */
  readonly window: TelemetryWindow | undefined;
  readonly seconds: number;
  readonly nowMs: number;
  readonly nowMonotonicNs: number;
};

export async function runTop(args: readonly string[], clock: () => number): Promise<number> {
  const once = args.includes("--once");
  const { config } = readConfig(
    args.filter((flag) => flag !== "--once"),
    process.env,
  );
  const paths = runPaths(config.dataDir);
  let telemetry: TelemetryReader | undefined;
  for (;;) {
    const path = paths.telemetry("arbitrage");
    if (telemetry === undefined && existsSync(path)) telemetry = new TelemetryReader(openRegion(path));
    await Bun.sleep(FRAME_MS);
    const frame = topText({
      run: readRunReport(paths.runReport),
      guard: readGuardReport(paths.guardReport),
      window: telemetry?.takeWindow(),
      seconds: FRAME_MS / 1_000,
      nowMs: Date.now(),
      nowMonotonicNs: clock(),
    });
    process.stdout.write(once ? frame : `${CLEAR}${frame}\n  Ctrl-C ends this view; the run goes on.\n`);
    if (once) return EXIT_CODE.ok;
  }
}

export function topText({ run, guard, window, seconds, nowMs, nowMonotonicNs }: TopFrame): string {
  const lines: string[] = [];
  const head =
    run === undefined ? "no run in this data folder" : `mode ${run.mode}   up ${duration(nowMs - run.startedAtMs)}`;
  lines.push(`Sandpiper ${run?.version ?? ""}   ${head}`, "");
  for (const { name, severity, says } of soundingAlarms({ run, guard, nowMs }))
    lines.push(`  ${severity === "page" ? "!!" : " !"} ${name}: ${says}`);
  if (lines.length > 2) lines.push("");
  lines.push(
    ...(window === undefined ? ["  arbitrage has not run yet"] : agentLines(window, seconds, nowMonotonicNs)),
    "",
  );
  lines.push("  service level    value          limit          state");
  for (const { agent, throttlePct, killed, objectives } of guard?.agents ?? []) {
    for (const { name, value, limit, unit, bad, state } of objectives)
      lines.push(
        `  ${name.padEnd(16)} ${figure(value, unit).padEnd(14)} ${`${bad === "above" ? "≤" : "≥"} ${figure(limit, unit)}`.padEnd(14)} ${state}`,
      );
    lines.push(
      `  guard            ${killed ? `${agent} is KILLED` : throttlePct > 0 ? `${agent} passes over ${throttlePct} %` : "nothing ordered"}`,
    );
  }
  lines.push("", "  process      pid       state       restarts  core");
  for (const { name, pid, state, restarts, core } of run?.processes ?? [])
    lines.push(
      `  ${name.padEnd(12)} ${String(pid).padEnd(9)} ${state.padEnd(11)} ${String(restarts).padEnd(9)} ${core}`,
    );
  return `${lines.join("\n")}\n`;
}

function agentLines(window: TelemetryWindow, seconds: number, nowMonotonicNs: number): string[] {
  const { hotPath, send, settled, landed, gainedLamports, lostLamports, newestFeedNs } = window;
  const net = BigInt(Math.round(gainedLamports - lostLamports));
  const ms = (ns: number) => `${(ns / 1e6).toFixed(3)} ms`;
  const lag = newestFeedNs === 0 ? "–" : ms(Math.max(0, nowMonotonicNs - newestFeedNs));
  return [
    `  decisions  ${(hotPath.count / seconds).toFixed(0)}/s   p50 ${ms(hotPath.quantile(0.5))}   p99 ${ms(hotPath.quantile(0.99))}   max ${ms(hotPath.maxNs)}`,
    `  sends      p99 ${ms(send.quantile(0.99))}   ended ${settled}   landed ${landed}   net ${lamportsToSol(net).toFixed(9)} SOL`,
    `  market     newest event ${lag} ago`,
  ];
}

const figure = (value: number, unit: string): string =>
  unit === "lamports" ? `${lamportsToSol(BigInt(Math.round(value)))} SOL` : `${Number(value.toPrecision(4))} ${unit}`;

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number) => String(value).padStart(2, "0");
  return `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
