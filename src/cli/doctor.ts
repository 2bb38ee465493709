/**
 * `sandpiper doctor`: what is wrong on this box, and which page says what to do. It reads the run's own files and asks the
 * gateway, and needs none of them to be there: what is absent is a finding, too. Exit code 1 when something is wrong.
 */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Config } from "#core/config.ts";
import { errorText } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { readRunReport } from "#core/run-report.ts";
import { nativeTpuMissing } from "#execute/tpu/native-tpu-client.ts";
import { soundingAlarms } from "#slo/alarms.ts";
import { readGuardReport } from "#slo/report.ts";
import { freeMiB } from "#supervise/preflight.ts";
import { secretFindings } from "./doctor-secrets.ts";

export type Finding = {
  readonly state: "ok" | "wrong";
  readonly part: string;
  readonly says: string;
  /** What to do, or the page that says it; empty when all is well. */
  readonly todo: string;
};

const GATEWAY_MS_MAX = 3_000;
/** Reasons of the gateway that are shown. */
const REASONS_MAX = 10;

export async function runDoctor(args: readonly string[]): Promise<number> {
  const loaded = readConfig(args, process.env);
  const { config } = loaded;
  const findings = [
    diskFinding(config),
    ...(await secretFindings(loaded, process.env)),
    ...tpuFindings(config, nativeTpuMissing),
    ...runFindings(config, Date.now()),
    await gatewayFinding(config),
  ];
  process.stdout.write(doctorText(findings));
  return findings.some(({ state }) => state === "wrong") ? EXIT_CODE.failure : EXIT_CODE.ok;
}

export function doctorText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ part }) => part.length));
  const lines = findings.flatMap(({ state, part, says, todo }) => [
    `  ${state === "ok" ? "ok   " : "WRONG"}  ${part.padEnd(width)}  ${says}`,
    ...(todo === "" ? [] : [`         ${" ".repeat(width)}  → ${todo}`]),
  ]);
  const wrong = findings.filter(({ state }) => state === "wrong").length;
  const verdict =
    wrong === 0 ? "Nothing is wrong." : wrong === 1 ? "One thing is wrong." : `${wrong} things are wrong.`;
  return `${lines.join("\n")}\n\n${verdict}\n`;
}

function diskFinding(config: Config): Finding {
  const asked = config["data.freeMiBMin"];
  // Before the first start the folder is not there yet; its disk is.
  let folder = resolve(config.dataDir);
  while (!existsSync(folder)) folder = dirname(folder);
  const free = freeMiB(folder);
  const says = `${free.toLocaleString("en")} MiB free under ${config.dataDir}, at least ${asked} asked for`;
  return free >= asked
    ? { state: "ok", part: "disk", says, todo: "" }
    : { state: "wrong", part: "disk", says, todo: "free it; the supervisor ends the run at half of that" };
}

/** Whether the native client that is asked for sends; nothing where none is. `why`: why there is no native one. */
export function tpuFindings(config: Config, why: () => string | undefined): readonly Finding[] {
  if (config["execute.tpuEngine"] !== "native") return [];
  const part = "tpu";
  const missing = why();
  if (missing !== undefined)
    return [
      { state: "wrong", part, says: `the built-in engine sends: ${missing}`, todo: "bun scripts/build-native.ts" },
    ];
  return [{ state: "ok", part, says: `native engine, controller ${config["execute.tpuController"]}`, todo: "" }];
}

/** The alarms that sound, or that the run is well. */
export function runFindings(config: Config, nowMs: number): readonly Finding[] {
  const paths = runPaths(config.dataDir);
  const run = readRunReport(paths.runReport);
  const sounding = soundingAlarms({ run, guard: readGuardReport(paths.guardReport), nowMs });
  if (sounding.length > 0)
    return sounding.map(({ name, says, summary, runbook, causeRunbook }) => ({
      state: "wrong",
      part: name,
      says: `${says}. ${summary}`,
      todo: causeRunbook === undefined ? runbook : `${causeRunbook} for the cause, then ${runbook}`,
    }));
  const says = `mode ${run?.mode}, ${run?.processes.length} processes, every service level kept`;
  return [{ state: "ok", part: "run", says, todo: "" }];
}

/** What the gateway knows beyond the files: the bus and the tables. */
async function gatewayFinding(config: Config): Promise<Finding> {
  const url = `http://${config["gateway.host"]}:${config["gateway.port"]}/health`;
  const part = "gateway";
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(GATEWAY_MS_MAX) });
    const health = (await answer.json()) as { readonly ok?: boolean; readonly reasons?: readonly string[] };
    if (health.ok === true) return { state: "ok", part, says: "the bus and the tables answer", todo: "" };
    const says = (health.reasons ?? ["it gave no reason"]).slice(0, REASONS_MAX).join("; ");
    return { state: "wrong", part, says, todo: "docs/runbook/process-down.md and docs/runbook/store-down.md" };
  } catch (thrown) {
    return { state: "wrong", part, says: `${url}: ${errorText(thrown)}`, todo: "docs/runbook/process-down.md" };
  }
}
