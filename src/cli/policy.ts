/**
 * `sandpiper policy try [--ev-min LAMPORTS] [--ladder LAMPORTS,…] [--hours N]`: the last hours under another policy,
 * beside what really happened, before an operator applies it. Nothing is changed.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { formatSol } from "#core/units.ts";
import { firstPolicy, loopSettings } from "#decide/loop-settings.ts";
import { type PastDecision, type PolicyResult, PolicyTrial } from "#decide/try-policy.ts";
import { loadModel } from "#model/default-model.ts";
import { FEATURES } from "#model/features.ts";
import type { Store } from "#store/client.ts";
import { openStore } from "#store/open.ts";
import { CLI_ERROR } from "./errors.ts";

const USAGE = "usage: sandpiper policy try [--ev-min LAMPORTS] [--ladder LAMPORTS,…] [--hours N = 1] [flags]\n";
/** The short names; what they may be is checked where the option is. */
const OPTION_OF: Readonly<Record<string, string>> = {
  "--ev-min": "--arbitrage.evMinLamports",
  "--ladder": "--arbitrage.tipLadder",
};
const HOURS_MAX = 336;
/** Decisions read at a time, and at all: the newest are left out of a longer record, and that is said. */
const PAGE_ROWS = 20_000;
const ROWS_MAX = 5_000_000;

type Row = {
  readonly decision_id: string;
  readonly at_us: string;
  readonly reason: string;
  readonly features: readonly number[];
  readonly gross_lamports: string;
  readonly tip_lamports: string;
  readonly score: number;
  readonly sent: number;
  readonly landed: number;
  readonly realised_lamports: string;
};

export async function runPolicy(args: readonly string[]): Promise<number> {
  if (args[0] !== "try") {
    process.stdout.write(USAGE);
    return EXIT_CODE.usage;
  }
  const { hours, flags } = readArguments(args.slice(1));
  const config = await readConfigWithSecrets(flags, process.env);
  const paths = runPaths(config.dataDir);
  const model = loadModel(paths.models, "arb");
  const trial = new PolicyTrial(firstPolicy(config), loopSettings(config, 0), (features) => model.predict(features));
  const store = openStore(config, paths);
  try {
    await readDecisions(store, hours, (decision) => trial.take(decision));
  } finally {
    await store.close();
  }
  trial.end();
  process.stdout.write(trialText(trial, hours));
  return EXIT_CODE.ok;
}

function readArguments(args: readonly string[]): { readonly hours: number; readonly flags: readonly string[] } {
  const flags: string[] = [];
  let hours = 1;
  for (let i = 0; i < args.length; i++) {
    const [name, joined] = (args[i] as string).split("=", 2) as [string, string?];
    if (name !== "--hours") {
      flags.push(OPTION_OF[name] ?? name, ...(joined === undefined ? [] : [joined]));
      continue;
    }
    hours = Number(joined ?? args[++i]);
    if (!Number.isInteger(hours) || hours < 1 || hours > HOURS_MAX)
      throw new SandpiperError(CLI_ERROR.usage, `Cannot try a policy: --hours from 1 to ${HOURS_MAX}, was ${hours}`);
  }
  return { hours, flags };
}

/** Every decision of the last hours with its outcome, oldest first. */
async function readDecisions(store: Store, hours: number, give: (decision: PastDecision) => void): Promise<void> {
  let after = { at_us: "0", decision_id: "" };
  for (let read = 0; read < ROWS_MAX; ) {
    const rows = await store.query<Row>(
      `SELECT decision_id, toUnixTimestamp64Micro(at) AS at_us, reason, features, gross_lamports, tip_lamports, score,
         d.action = 'send' AS sent, o.landed AS landed, o.realised_net_lamports AS realised_lamports
       FROM (SELECT * FROM sandpiper.arb_opportunities
             WHERE at > now64(6) - INTERVAL {hours:UInt32} HOUR
               AND (toUnixTimestamp64Micro(at), decision_id) > ({at_us:Int64}, {decision_id:String})
             ORDER BY at, decision_id LIMIT ${PAGE_ROWS}) AS d
       LEFT JOIN (SELECT decision_id, landed, realised_net_lamports FROM sandpiper.bundle_outcomes_typed
                  WHERE at > now64(6) - INTERVAL {hours:UInt32} HOUR) AS o USING decision_id
       ORDER BY at, decision_id`,
      { hours, ...after },
    );
    for (const row of rows)
      if (row.features.length === FEATURES.length)
        give({
          reason: row.reason,
          features: row.features,
          grossLamports: Number(row.gross_lamports),
          tipLamports: Number(row.tip_lamports),
          score: row.score,
          sent: Boolean(row.sent),
          landed: Boolean(row.landed),
          realisedLamports: Number(row.realised_lamports),
        });
    read += rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE_ROWS) return;
    after = { at_us: last.at_us, decision_id: last.decision_id };
  }
}

function trialText({ real, tried, decisions, same }: PolicyTrial, hours: number): string {
  const sol = (lamports: number) => `${formatSol(BigInt(Math.round(lamports)))} SOL`;
  const share = ({ landed, sent }: PolicyResult) => (sent === 0 ? "–" : `${((100 * landed) / sent).toFixed(1)} %`);
  const row = (name: string, of: (result: PolicyResult) => string) =>
    `  ${name.padEnd(22)} ${of(real).padStart(20)} ${of(tried).padStart(20)}`;
  const bound = 1.96 * tried.profitDeviationLamports;
  return [
    `${decisions.toLocaleString("en")} decisions of the last ${hours} h`,
    "",
    `  ${"".padEnd(22)} ${"as it was".padStart(20)} ${"under this policy".padStart(20)}`,
    row("sent", ({ sent }) => sent.toLocaleString("en")),
    row("landed", ({ landed }) => (Math.round(landed * 10) / 10).toLocaleString("en")),
    row("landed share", share),
    row("profit", ({ profitLamports }) => sol(profitLamports)),
    row("tips paid", ({ tipsLamports }) => sol(tipsLamports)),
    row("largest tip offered", ({ tipLamportsMax }) => sol(tipLamportsMax)),
    "",
    `  The profit lies within ${sol(tried.profitLamports - bound)} and ${sol(tried.profitLamports + bound)} (95 %, if the model's`,
    `  chances are right). ${same.toLocaleString("en")} bundles are known: sent then with the same tip. The others are estimated.`,
    "",
  ].join("\n");
}
