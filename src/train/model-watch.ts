/** Looks at the record every few seconds and does what the rules say (model-rules.ts): promotes the shadow, or rolls back. */
import type { Config } from "#core/config.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { fileInUse, flip, hashInName, readHistory, versionBefore } from "#model/models-folder.ts";
import { useVersion } from "#model/use-version.ts";
import type { Store } from "#store/client.ts";
import { judgeModels, type ModelFacts, type ModelRules } from "./model-rules.ts";

const LOOK_EVERY_MS = 10_000;
/** Newest outcomes that count. */
const OUTCOMES_MAX = 2_000;
/** How far before the promotion, and before now, the hot path is looked at. */
const HOT_PATH_MS = 600_000;
const BY = "rule";

const SCORED = `
  SELECT d.score AS score, d.shadow_score AS shadow_score, d.shadow_model_hash AS shadow, o.landed AS landed
  FROM sandpiper.arb_opportunities AS d
  INNER JOIN (SELECT decision_id, landed FROM sandpiper.bundle_outcomes_typed
    WHERE at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND state != 'unknown') AS o ON d.decision_id = o.decision_id
  WHERE d.at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND d.model_hash = {latest:String} AND d.action = 'send'
  ORDER BY d.at DESC LIMIT {most:UInt32}`;
const LOG_LOSS = (score: string) =>
  `avgIf(-if(landed, log(greatest(${score}, 1e-6)), log(greatest(1 - ${score}, 1e-6))), shadow = {shadow:String} AND shadow != '')`;
const SCORES = `
  SELECT count() AS rows, avg(score) AS mean_score, avg(landed) AS landed_share,
    countIf(shadow = {shadow:String} AND shadow != '') AS both_rows,
    ${LOG_LOSS("score")} AS latest_log_loss, ${LOG_LOSS("shadow_score")} AS shadow_log_loss
  FROM (${SCORED})`;
const HOT_PATH = `
  SELECT median(hotpath_p50) AS half, count() AS windows FROM sandpiper.metrics
  WHERE at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND at < fromUnixTimestamp64Milli({to:Int64}, 'UTC') AND hotpath_p50 > 0`;

type Scores = Record<
  "rows" | "mean_score" | "landed_share" | "both_rows" | "latest_log_loss" | "shadow_log_loss",
  string | number | null
>;

/** What the tables say of the versions since `sinceMs`, when the one in use was promoted. An average of nothing is NaN. */
export async function readModelFacts(
  store: Pick<Store, "query">,
  versions: { readonly latest: string; readonly shadow: string; readonly sinceMs: number },
  nowMs: number,
): Promise<ModelFacts> {
  const { latest, shadow, sinceMs } = versions;
  const [scores] = await store.query<Scores>(SCORES, { latest, shadow, since: sinceMs, most: OUTCOMES_MAX });
  const number = (name: keyof Scores) => Number(scores?.[name] ?? Number.NaN);
  const hotPath = async (from: number, to: number) => {
    const [row] = await store.query<{ half: number | null; windows: string }>(HOT_PATH, { from, to });
    return { half: row?.half ?? Number.NaN, windows: Number(row?.windows ?? 0) };
  };
  const before = await hotPath(sinceMs - HOT_PATH_MS, sinceMs);
  const now = await hotPath(Math.max(sinceMs, nowMs - HOT_PATH_MS), nowMs);
  return {
    both: {
      rows: number("both_rows"),
      latestLogLoss: number("latest_log_loss"),
      shadowLogLoss: number("shadow_log_loss"),
    },
    latest: { rows: number("rows"), meanScore: number("mean_score"), landedShare: number("landed_share") },
    hotPath: { before: before.half, windowsBefore: before.windows, now: now.half, windowsNow: now.windows },
  };
}

export type ModelWatchOptions = {
  readonly store: Pick<Store, "query">;
  readonly modelsDir: string;
  readonly rules: ModelRules;
  readonly log: Pick<Log, "info" | "warn">;
};

/** One look; answers what was done. Throws when the tables or the folder cannot be read. */
export async function watchModels({ store, modelsDir, rules, log }: ModelWatchOptions, nowMs: number) {
  const hashOf = (role: "latest" | "shadow") => hashInName(fileInUse(modelsDir, "arb", role) ?? "") ?? "";
  const [latest, shadow] = [hashOf("latest"), hashOf("shadow")];
  if (latest === "" || !(rules.promoteByRule || rules.rollback)) return undefined;
  const history = readHistory(modelsDir, "arb");
  const sinceMs = history.findLast(({ to, action }) => to === latest && action !== "shadow")?.atMs ?? 0;
  const facts = await readModelFacts(store, { latest, shadow, sinceMs }, nowMs);
  const order = judgeModels(facts, rules, { shadow, history });
  if (order === undefined) return undefined;
  const { action, why } = order;
  const target = action === "promote" ? shadow : versionBefore(modelsDir, "arb");
  if (target === undefined) return undefined;
  if (!(await useVersion(modelsDir, "arb", "latest", target, { action, by: BY, why, atMs: nowMs }))) return undefined;
  if (action === "promote")
    flip(modelsDir, "arb", "shadow", undefined, { action: "unshadow", by: BY, why: "it decides now", atMs: nowMs });
  if (action === "rollback") log.warn(`ALARM: model ${latest} was taken back for ${target}: ${why}`);
  else log.info(`model ${target} was promoted: ${why}`);
  return { ...order, target };
}

export const modelRulesOf = (config: Config): ModelRules => ({
  promoteByRule: config["model.promote"] === "rule",
  promoteRowsMin: config["model.promoteRowsMin"],
  // A replay's times are the recording's, and its fills are on paper: it says nothing about a version.
  rollback: config["model.rollback"] === "on" && config.mode !== "replay",
  driftRowsMin: config["model.driftRowsMin"],
  calibrationGapMax: config["model.calibrationGapMax"],
  hotPathFactorMax: config["model.hotPathFactorMax"],
});

/** Looks every few seconds until the answered function is called. */
export function startModelWatch(options: ModelWatchOptions): () => Promise<void> {
  let looking = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    looking = watchModels(options, Date.now())
      .catch((thrown) => options.log.warn("the models' rules are looked at again", { why: errorText(thrown) }))
      .then(() => {
        busy = false;
      });
  }, LOOK_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await looking;
  };
}
