/**
 * `sandpiper tips evaluate [FILE] [--json] [flags]`: what other tip policies would have earned on the decisions that are
 * on record, by inverse propensities and doubly robust, each with its 95 % interval; and how each rung of the ladder
 * fared. The record is that of the tables, the newest ROWS_MAX choices of a bandit, or a file of JSON lines:
 *
 *   {"gross_lamports", "fee_lamports", "tip_lamports", "tip_floor_lamports", "tip_ladder": [...], "tip_propensity", "landed"}
 *
 * Judged are the choices that were sent and have ended, and those that were not worth a send with the tip that was drawn
 * (their payoff is 0 whatever would have been). Whole numbers may be texts, as ClickHouse writes them.
 */
import { readFileSync } from "node:fs";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import {
  estimatePolicy,
  type Interval,
  type RecordedTip,
  type RungPolicy,
  recordedPayoff,
  rungAtLeast,
  rungAtMost,
} from "#decide/tips/off-policy.ts";
import { DATABASE } from "#store/client.ts";
import { openStore } from "#store/open.ts";
import { CLI_ERROR } from "./errors.ts";

const ROWS_MAX = 200_000;

const SQL = `
  SELECT gross_lamports, fee_lamports, tip_lamports, tip_floor_lamports, tip_ladder, tip_propensity, o.landed AS landed
  FROM ${DATABASE}.arb_opportunities AS a
  LEFT JOIN ${DATABASE}.bundle_outcomes_typed AS o ON a.decision_id = o.decision_id
  WHERE tip_policy != 'model' AND tip_policy != '' AND tip_lamports > 0
    AND ((action = 'send' AND o.state NOT IN ('', 'rejected', 'unknown')) OR reason = 'ev_below_minimum')
  ORDER BY a.at DESC LIMIT ${ROWS_MAX}`;

export async function runTips(
  args: readonly string[],
  write = (text: string) => void process.stdout.write(text),
): Promise<number> {
  const [command, ...rest] = args;
  if (command !== "evaluate") {
    write("usage: sandpiper tips evaluate [FILE.ndjson] [--json] [flags]\n");
    return EXIT_CODE.usage;
  }
  const json = rest.includes("--json");
  const words = rest.filter((word) => word !== "--json");
  const file = words[0]?.startsWith("--") === false ? words.shift() : undefined;
  const { config } = readConfig(words, process.env);
  const rows = file === undefined ? await readStore(words) : readLines(file);
  const record = rows.map((row, i) => readTip(row, i + 1, config["arbitrage.tipShareMax"]));
  if (record.length === 0)
    throw new SandpiperError(
      CLI_ERROR.tips,
      "Cannot judge tips: choices of a bandit that have ended, was none",
      "later",
    );
  const results = judge(record);
  write(json ? results.map((result) => `${JSON.stringify(result)}\n`).join("") : report(record, results));
  return EXIT_CODE.ok;
}

async function readStore(flags: readonly string[]): Promise<unknown[]> {
  const config = await readConfigWithSecrets(flags, process.env);
  const store = openStore(config, runPaths(config.dataDir));
  try {
    return await store.query<Record<string, unknown>>(SQL);
  } finally {
    await store.close();
  }
}

function readLines(file: string): unknown[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line): unknown => JSON.parse(line));
  } catch (cause) {
    throw new SandpiperError(
      CLI_ERROR.tips,
      `Cannot read ${file}: a file of JSON lines, was ${errorText(cause)}`,
      "never",
      { cause },
    );
  }
}

function readTip(row: unknown, line: number, tipShareMax: number): RecordedTip {
  const fields = (typeof row === "object" && row !== null ? row : {}) as Readonly<Record<string, unknown>>;
  const refuse = (must: string, was: unknown): never => {
    throw new SandpiperError(
      CLI_ERROR.tips,
      `Cannot read choice ${line}: ${must}, was ${JSON.stringify(was) ?? "nothing"}`,
    );
  };
  const lamports = (value: unknown, name: string): number => {
    const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
    return Number.isSafeInteger(number) && (number as number) >= 0
      ? (number as number)
      : refuse(`${name} in whole lamports`, value);
  };
  const grossLamports = lamports(fields["gross_lamports"], "gross_lamports");
  const feeLamports = lamports(fields["fee_lamports"], "fee_lamports");
  const ladder = fields["tip_ladder"];
  const tipLadderLamports = Array.isArray(ladder)
    ? ladder.map((tip) => lamports(tip, "tip_ladder"))
    : refuse("a list tip_ladder", ladder);
  const most = Math.min(grossLamports * tipShareMax, grossLamports - feeLamports - 1);
  const tipLamports = lamports(fields["tip_lamports"], "tip_lamports");
  const rung = tipLadderLamports.indexOf(tipLamports);
  if (rung < 0) refuse("a tip_lamports of its ladder", tipLamports);
  const propensity = fields["tip_propensity"];
  if (typeof propensity !== "number" || !(propensity > 0 && propensity <= 1))
    refuse("a tip_propensity above 0 and at most 1", propensity);
  return {
    grossLamports,
    feeLamports,
    tipFloorLamports: lamports(fields["tip_floor_lamports"] ?? 0, "tip_floor_lamports"),
    tipLadderLamports,
    affordable: Math.max(rung + 1, tipLadderLamports.filter((tip) => tip <= most).length),
    rung,
    propensity: propensity as number,
    landed: fields["landed"] === true || fields["landed"] === 1,
  };
}

type Result = {
  readonly policy: string;
  readonly ips: Interval;
  readonly doublyRobust: Interval;
  readonly agreeing: number;
};

function judge(record: readonly RecordedTip[]): Result[] {
  const tips = [...new Set(record.flatMap(({ tipLadderLamports }) => tipLadderLamports))].sort((a, b) => a - b);
  const policies: (readonly [string, RungPolicy])[] = [
    ...tips.map((lamports) => [`fixed ${lamports}`, (tip: RecordedTip) => rungAtMost(tip, lamports)] as const),
    ["half the profit, the rung below", (tip) => rungAtMost(tip, tip.grossLamports / 2)],
    ["tip floor p75, the rung above", (tip) => rungAtLeast(tip, tip.tipFloorLamports)],
  ];
  return policies.map(([policy, rungOf]) => ({ policy, ...estimatePolicy(record, rungOf) }));
}

const shown = ({ mean, low, high }: Interval) => `${mean.toFixed(4)} (${low.toFixed(4)} to ${high.toFixed(4)})`;

function report(record: readonly RecordedTip[], results: readonly Result[]): string {
  const lines = [
    `${record.length} choices on record; payoff: landed × net profit over the profit before the tip, with 95 % intervals`,
    "",
    `as it was played                  ${shown(recordedPayoff(record))}`,
    "",
    `${"policy".padEnd(32)}  ${"IPS".padEnd(28)}  ${"doubly robust".padEnd(28)}  agreeing`,
    ...results.map(
      ({ policy, ips, doublyRobust, agreeing }) =>
        `${policy.padEnd(32)}  ${shown(ips).padEnd(28)}  ${shown(doublyRobust).padEnd(28)}  ${agreeing}`,
    ),
    "",
    `${"rung, lamports".padStart(16)}  ${"played".padStart(8)}  ${"landed".padStart(8)}`,
    ...rungs(record),
    "",
  ];
  return lines.join("\n");
}

function rungs(record: readonly RecordedTip[]): string[] {
  const counts = new Map<number, [played: number, landed: number]>();
  for (const { tipLadderLamports, rung, landed } of record) {
    const tip = tipLadderLamports[rung] as number;
    const [played, wins] = counts.get(tip) ?? [0, 0];
    counts.set(tip, [played + 1, wins + (landed ? 1 : 0)]);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([tip, numbers]) => [tip, ...numbers].map((n, i) => String(n).padStart(i === 0 ? 16 : 8)).join("  "));
}
