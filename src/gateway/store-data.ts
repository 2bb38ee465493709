/**
 * GatewayData over the tables. Columns are asked for by name, in the order of the API's schema, so that a column added
 * to a table never leaks into an answer unseen. The store gives 64-bit integers as decimal text, as the API does.
 */
import type { Store } from "#store/client.ts";
import {
  type DecisionRow,
  DecisionSchema,
  type OutcomeRow,
  OutcomeSchema,
  type SandwichRow,
  SandwichSchema,
} from "./api/schemas.ts";
import type { Cursor, GatewayData, RecordedDecision, RunWindow } from "./data.ts";
import { readCalibration, readRoutes } from "./store-routes.ts";

const DECISIONS = "sandpiper.arb_opportunities";
const OUTCOMES = "sandpiper.bundle_outcomes_typed";
const FINDINGS = "sandpiper.mev_opportunities";
const DECISION_COLUMNS = columnsOf(DecisionSchema.properties);
const OUTCOME_COLUMNS = columnsOf(OutcomeSchema.properties);
const SANDWICH_COLUMNS = columnsOf(SandwichSchema.properties);
const IS_SANDWICH = { sql: "type IN ('same_slot', 'bundle', 'wide', 'multi_wallet')", params: {} };

export function storeData(store: Pick<Store, "query">): GatewayData {
  return {
    totals: (window) => readTotals(store, window),
    decisions: ({ limit, before, action, reason }) => {
      const { where, params } = conditions([
        olderThan("decision_id", before),
        equals("action", "String", action),
        equals("reason", "String", reason),
      ]);
      return store.query<DecisionRow>(
        `SELECT ${DECISION_COLUMNS} FROM ${DECISIONS} ${where}
         ORDER BY at DESC, decision_id DESC LIMIT {limit:UInt32}`,
        { ...params, limit },
      );
    },
    decision: (id) => readDecision(store, id),
    outcomes: ({ limit, before, landed }) => {
      const { where, params } = conditions([olderThan("bundle_id", before), equals("landed", "Bool", landed)]);
      return store.query<OutcomeRow>(
        `SELECT ${OUTCOME_COLUMNS} FROM ${OUTCOMES} ${where}
         ORDER BY at DESC, bundle_id DESC LIMIT {limit:UInt32}`,
        { ...params, limit },
      );
    },
    sandwiches: ({ limit, before, attacker }) => {
      const byAttacker =
        attacker === undefined ? undefined : { sql: "has(attackers, {who:String})", params: { who: attacker } };
      const { where, params } = conditions([IS_SANDWICH, olderThan("decision_id", before), byAttacker]);
      return store.query<SandwichRow>(
        `SELECT ${SANDWICH_COLUMNS} FROM ${FINDINGS} ${where}
         ORDER BY at DESC, decision_id DESC LIMIT {limit:UInt32}`,
        { ...params, limit },
      );
    },
    routes: (window) => readRoutes(store, window),
    calibration: (window) => readCalibration(store, window),
    profit: async (window, stepMs) => {
      const rows = await store.query<{ bucket: string; lamports: string; ended: string }>(
        `SELECT intDiv(toUnixTimestamp64Milli(${window.by}) - {since:Int64}, {step:Int64}) AS bucket,
                sum(realised_net_lamports) AS lamports, countIf(landed) AS ended
         FROM ${OUTCOMES} WHERE ${isOfRun(window)} GROUP BY bucket ORDER BY bucket LIMIT {most:UInt32}`,
        { since: window.sinceMs, step: stepMs, most: BUCKETS_MAX },
      );
      return rows.map(({ bucket, lamports, ended }) => ({
        bucket: Number(bucket),
        lamports: BigInt(lamports),
        landed: Number(ended),
      }));
    },
  };
}

/** JSON has no NaN: a figure that is none is told as 0, so that one odd row never spoils a listing. */
function columnsOf(properties: Readonly<Record<string, { readonly type?: string }>>): string {
  return Object.entries(properties)
    .map(([name, { type }]) => (type === "number" ? `ifNotFinite(${name}, 0) AS ${name}` : name))
    .join(", ");
}

/** More than the API ever asks for; bounds the answer should a clock jump. */
const BUCKETS_MAX = 2_000;

const isOfRun = (window: RunWindow) => `${window.by} >= fromUnixTimestamp64Milli({since:Int64})`;

type Condition = { readonly sql: string; readonly params: Readonly<Record<string, unknown>> };

function conditions(wanted: readonly (Condition | undefined)[]): { where: string; params: Record<string, unknown> } {
  const held = wanted.filter((condition) => condition !== undefined);
  const where = held.length === 0 ? "" : `WHERE ${held.map(({ sql }) => sql).join(" AND ")}`;
  return { where, params: Object.assign({}, ...held.map(({ params }) => params)) };
}

/** `at` is the row's time in µs and leads the tables' order, so a page is read from where it begins. */
const olderThan = (id: string, before: Cursor | undefined): Condition | undefined =>
  before && {
    sql: `(at, ${id}) < (fromUnixTimestamp64Micro({beforeUs:Int64}, 'UTC'), {beforeId:String})`,
    params: { beforeUs: (before.ns / 1_000n).toString(), beforeId: before.id },
  };

const equals = (column: string, type: string, value: unknown): Condition | undefined =>
  value === undefined ? undefined : { sql: `${column} = {${column}Is:${type}}`, params: { [`${column}Is`]: value } };

async function readDecision(store: Pick<Store, "query">, id: string): Promise<RecordedDecision | undefined> {
  const [[found], [outcome]] = await Promise.all([
    store.query<DecisionRow & { features: number[] }>(
      `SELECT ${DECISION_COLUMNS}, arrayMap(value -> ifNotFinite(value, 0), features) AS features
       FROM ${DECISIONS} WHERE decision_id = {id:String} LIMIT 1`,
      { id },
    ),
    store.query<OutcomeRow>(`SELECT ${OUTCOME_COLUMNS} FROM ${OUTCOMES} WHERE decision_id = {id:String} LIMIT 1`, {
      id,
    }),
  ]);
  if (!found) return undefined;
  const { features, ...decision } = found;
  return { decision, features, outcome: outcome ?? null };
}

async function readTotals(store: Pick<Store, "query">, window: RunWindow) {
  const since = { since: window.sinceMs };
  const [[decided], [ended]] = await Promise.all([
    store.query<{ decisions: string; attempts: string }>(
      `SELECT count() AS decisions, countIf(action = 'send') AS attempts FROM ${DECISIONS} WHERE ${isOfRun(window)}`,
      since,
    ),
    store.query<{ ended: string; right: string; profit: string }>(
      `SELECT countIf(landed) AS ended, countIf(landed AND exact) AS right, sum(realised_net_lamports) AS profit
       FROM ${OUTCOMES} WHERE ${isOfRun(window)}`,
      since,
    ),
  ]);
  return {
    decisions: Number(decided?.decisions ?? 0),
    attempts: Number(decided?.attempts ?? 0),
    landed: Number(ended?.ended ?? 0),
    exact: Number(ended?.right ?? 0),
    profitLamports: BigInt(ended?.profit ?? 0),
  };
}
