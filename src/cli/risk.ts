/**
 * `sandpiper arm --minutes N | --off` and `sandpiper risk [resume]`, on the box of the agent: live transactions leave only
 * while armed, and what the risk limits halted goes on only after a resume. The agent looks once a second.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { ARMED_MINUTES_MAX, readArmedUntilMs, writeArmedUntilMs, writeResumedMs } from "#execute/risk/orders.ts";
import { readRiskFile } from "#execute/risk/risk-book.ts";
import { CLI_ERROR } from "./errors.ts";

type Write = (text: string) => void;
const toOutput: Write = (text) => void process.stdout.write(text);
const MS_PER_MINUTE = 60_000;

export async function runArm(args: readonly string[], nowMs: number, write = toOutput): Promise<number> {
  const off = args.includes("--off");
  const flags = args.filter((arg) => arg !== "--off");
  const at = flags.indexOf("--minutes");
  const minutes = at < 0 ? undefined : Number(flags.splice(at, 2)[1]);
  if (!off && !(minutes !== undefined && Number.isInteger(minutes) && minutes >= 1 && minutes <= ARMED_MINUTES_MAX))
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot arm: --minutes from 1 to ${ARMED_MINUTES_MAX}, or --off, was ${minutes ?? "nothing"}`,
    );
  const { config } = readConfig(flags, process.env);
  const { armed } = runPaths(config.dataDir);
  const untilMs = off ? 0 : nowMs + (minutes as number) * MS_PER_MINUTE;
  writeArmedUntilMs(armed, untilMs);
  write(off ? "not armed: live is a dry run\n" : `armed until ${new Date(untilMs).toISOString()}\n`);
  return EXIT_CODE.ok;
}

export async function runRisk(args: readonly string[], nowMs: number, write = toOutput): Promise<number> {
  const resume = args[0] === "resume";
  const { config } = readConfig(resume ? args.slice(1) : args, process.env);
  const paths = runPaths(config.dataDir);
  if (resume) {
    writeResumedMs(paths.riskResumed, nowMs);
    write("resumed: the sums of the day begin anew\n");
    return EXIT_CODE.ok;
  }
  const report = readRiskFile(paths.risk);
  const armedUntilMs = readArmedUntilMs(paths.armed);
  const lines = [
    `state            ${report?.state ?? "active"}${report?.reason ? `: ${report.reason}` : ""}`,
    `day              ${report?.day ?? "nothing was lost or tipped yet"}`,
    `lost, lamports   ${report?.lossLamports ?? 0} of ${config["risk.lossPerDayLamportsMax"]}`,
    `tipped, lamports ${report?.tipsLamports ?? 0} of ${config["risk.tipsPerDayLamportsMax"]}`,
    `live             ${armedUntilMs > nowMs ? `armed until ${new Date(armedUntilMs).toISOString()}` : "not armed: a dry run"}`,
  ];
  write(`${lines.join("\n")}\n`);
  return EXIT_CODE.ok;
}
