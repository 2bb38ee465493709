/**
 * How long rows stay, and where: after `hotSeconds` their parts move to S3 (when the server has the policy `hot_cold`,
 * clickhouse/storage.xml), after `keepSeconds` they are deleted, from either place. Ages count from `inserted_at`:
 * a replay records old times, and its rows are new. Whole parts at a time: a row goes when its part's newest row may.
 *
 * The ages are options, so this is no migration: each start compares what a table says with what is wanted, and alters
 * only what differs. A table that is on `hot_cold` is never taken off it: its old rows are on S3.
 */
import { SandpiperError } from "#core/error.ts";
import { DATABASE, type Store } from "./client.ts";
import { STORE_ERROR } from "./errors.ts";

export type Retention = {
  /** Age at which rows move to S3; undefined keeps them on the local disk. */
  readonly hotSeconds: number | undefined;
  readonly keepSeconds: number;
};

const POLICY = "hot_cold";
const TABLES = [
  "arb_opportunities",
  "mev_opportunities",
  "bundle_outcomes_typed",
  "metrics",
  "training_progress",
  "datasets",
  "control_ledger",
  "control_ledger_checkpoints",
  "train_jobs",
  "train_job_states",
  "dead_letter",
] as const;

/** Answers the tables that were altered. Throws a SandpiperError, before altering any, when the server lacks the policy. */
export async function ensureRetention(store: Store, { hotSeconds, keepSeconds }: Retention): Promise<string[]> {
  if (hotSeconds !== undefined) {
    if (hotSeconds >= keepSeconds)
      refuse(`an age of deletion above the age of moving, was ${keepSeconds} s against ${hotSeconds} s`);
    const found = await store.query(`SELECT 1 FROM system.storage_policies WHERE policy_name = '${POLICY}' LIMIT 1`);
    if (found.length === 0) refuse(`the storage policy ${POLICY} in ClickHouse's configuration, was not there`);
  }
  const rows = await store.query<{ name: string; text: string; storage_policy: string }>(
    `SELECT name, create_table_query AS text, storage_policy FROM system.tables WHERE database = '${DATABASE}'`,
  );
  const altered: string[] = [];
  for (const table of TABLES) {
    const row = rows.find(({ name }) => name === table);
    if (!row) refuse(`the table ${DATABASE}.${table}, was not there`);
    const wanted = rulesOf(hotSeconds, keepSeconds);
    const needsPolicy = hotSeconds !== undefined && row.storage_policy !== POLICY;
    if (needsPolicy)
      await store.command(`ALTER TABLE ${DATABASE}.${table} MODIFY SETTING storage_policy = '${POLICY}'`);
    const isSame =
      wanted.length === countOf(row.text, "toIntervalSecond(") && wanted.every((rule) => row.text.includes(rule.shown));
    if (!isSame) {
      const rules = wanted.map(({ said }) => said).join(", ");
      await store.command(
        `ALTER TABLE ${DATABASE}.${table} (MODIFY SETTING ttl_only_drop_parts = 1), (MODIFY TTL ${rules})`,
      );
    }
    if (needsPolicy || !isSame) altered.push(table);
  }
  return altered;
}

/** A rule as it is said, and as ClickHouse shows it in the table's text. */
type Rule = { readonly said: string; readonly shown: string };

function rulesOf(hotSeconds: number | undefined, keepSeconds: number): Rule[] {
  const rule = (seconds: number, end: string): Rule => ({
    said: `toDateTime(inserted_at) + toIntervalSecond(${seconds})${end}`,
    shown: `toIntervalSecond(${seconds})${end}`,
  });
  const kept = rule(keepSeconds, "");
  return hotSeconds === undefined ? [kept] : [rule(hotSeconds, " TO VOLUME 'cold'"), kept];
}

const countOf = (text: string, part: string) => text.split(part).length - 1;

function refuse(must: string): never {
  throw new SandpiperError(STORE_ERROR.retention, `Cannot set how long rows stay: ${must}`, "never");
}
