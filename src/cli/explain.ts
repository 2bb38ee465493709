/**
 * `sandpiper explain DECISION_ID [flags]`: makes a decision again from its record and the very model that made it, and
 * prints every number in it. Ends with "equal bit for bit" and 0, or with what came out otherwise and 1.
 *
 * `sandpiper explain random N [flags]`: the same with N decisions on record that the tables choose, a line for each that
 * comes out otherwise, and a closing count.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { type DecisionOnRecord, remakeDecision } from "#decide/remake.ts";
import { FEATURES } from "#model/features.ts";
import { openVersion } from "#model/live-model.ts";
import { findVersion } from "#model/models-folder.ts";
import { openStore } from "#store/open.ts";
import { CLI_ERROR } from "./errors.ts";

const NUMBERS = ["gross", "fee", "tip", "net", "ev", "ev_min", "miss_cost"] as const;
const RANDOM_MAX = 10_000;
const COLUMNS = `decision_id, agent, action, reason, slot, model_hash, feature_inputs, features, feature_hash, tip_ladder,
  ${NUMBERS.map((name) => `${name}_lamports`).join(", ")}, score, tip_policy, tip_share_max, shadow_model_hash, shadow_score`;
type Row = Readonly<Record<string, string | number | readonly (string | number)[]>>;

export async function runExplain(args: readonly string[]): Promise<number> {
  const [id, ...rest] = args;
  if (id === undefined || id.startsWith("--"))
    throw new SandpiperError(CLI_ERROR.usage, `Cannot explain: a decision_id, was ${id ?? "none"}`);
  const count = id === "random" ? countOf(rest[0]) : undefined;
  const flags = count === undefined ? rest : rest.slice(1);
  const config = await readConfigWithSecrets(flags, process.env);
  const paths = runPaths(config.dataDir);
  const store = openStore(config, paths);
  const write = (text: string) => void process.stdout.write(`${text}\n`);
  try {
    if (count !== undefined) {
      const sql = `SELECT ${COLUMNS} FROM sandpiper.arb_opportunities ORDER BY rand() LIMIT {count:UInt32}`;
      return explainMany(await store.query<Row>(sql, { count }), paths.models, write);
    }
    const rows = await store.query<Row>(
      `SELECT ${COLUMNS} FROM sandpiper.arb_opportunities WHERE decision_id = {id:String} LIMIT 1`,
      { id },
    );
    const row = rows[0];
    if (row === undefined)
      throw new SandpiperError(CLI_ERROR.usage, `Cannot explain ${id}: a decision on record, was none of that id`);
    return explainRow(row, paths.models, write);
  } finally {
    await store.close();
  }
}

function countOf(text = ""): number {
  const count = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= RANDOM_MAX) return count;
  throw new SandpiperError(CLI_ERROR.usage, `Cannot explain random: a count from 1 to ${RANDOM_MAX}, was ${text}`);
}

function explainMany(rows: readonly Row[], modelsDir: string, write: (text: string) => void): number {
  let equal = 0;
  for (const row of rows) {
    const lines: string[] = [];
    if (explainRow(row, modelsDir, (line) => lines.push(line)) === EXIT_CODE.ok) equal++;
    else
      write(`${row["decision_id"]}: ${lines.filter((line) => /^(OTHERWISE|model .* is not)/.test(line)).join("; ")}`);
  }
  write(`${equal} passed, ${rows.length - equal} failed`);
  return rows.length > 0 && equal === rows.length ? EXIT_CODE.ok : EXIT_CODE.failure;
}

function explainRow(row: Row, modelsDir: string, write: (text: string) => void): number {
  const record = recordOf(row);
  write(`decision ${row["decision_id"]}: ${row["action"]}, ${record.reason}, on slot ${row["slot"]}`);
  for (const name of NUMBERS) write(`  ${`${name}_lamports`.padEnd(22)} ${row[`${name}_lamports`]}`);
  write(`  ${"tip_share_max".padEnd(22)} ${record.tipShareMax}`);
  FEATURES.forEach(({ name, unit }, i) => {
    write(`  ${name.padEnd(22)} ${record.features[i]} ${unit}`);
  });
  write(`  ${"feature_hash".padEnd(22)} ${record.featureHash}`);
  const path = findVersion(modelsDir, "arb", record.modelHash);
  if (path === undefined) {
    write(`model ${record.modelHash} is not in ${modelsDir}: the numbers cannot be made again`);
    return EXIT_CODE.failure;
  }
  const library = openVersion(path, "arb");
  try {
    const { rungs, differences } = remakeDecision(record, {
      hash: record.modelHash,
      predict: (features) => library.predict(features),
    });
    write(`model ${record.modelHash} on each tip that was affordable:`);
    for (const { tipLamports, score, evLamports } of rungs)
      write(`  tip ${String(tipLamports).padStart(12)}  score ${score}  expected value ${evLamports}`);
    if (row["shadow_model_hash"] !== "") write(`shadow ${row["shadow_model_hash"]} answered ${row["shadow_score"]}`);
    for (const difference of differences) write(`OTHERWISE ${difference}`);
    write(differences.length === 0 ? "equal bit for bit" : "not equal");
    return differences.length === 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
  } finally {
    library.close();
  }
}

/** The table's columns; 64-bit integers come as text, and all are below 2^53. */
function recordOf(row: Row): DecisionOnRecord {
  const number = (name: string) => Number(row[name]);
  const list = (name: string) => (row[name] as readonly (string | number)[]).map(Number);
  return {
    modelHash: String(row["model_hash"]),
    tipPolicy: String(row["tip_policy"]),
    featureInputs: list("feature_inputs"),
    // JSON prints the shortest text of the 32-bit float.
    features: list("features").map(Math.fround),
    featureHash: String(row["feature_hash"]),
    tipLadder: list("tip_ladder"),
    grossLamports: number("gross_lamports"),
    feeLamports: number("fee_lamports"),
    tipLamports: number("tip_lamports"),
    netLamports: number("net_lamports"),
    evLamports: number("ev_lamports"),
    score: number("score"),
    reason: String(row["reason"]),
    evMinLamports: number("ev_min_lamports"),
    tipShareMax: number("tip_share_max"),
    missCostLamports: number("miss_cost_lamports"),
  };
}
