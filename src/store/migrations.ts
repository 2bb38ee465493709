/**
 * The migrations that this version carries, in order. A new one is a new file with the next number and a new line here;
 * a test holds the list against the folder. Files that were released never change.
 */
import arbitrageDecisions from "#clickhouse/0001_arbitrage_decisions.sql" with { type: "text" };
import sandwichDecisions from "#clickhouse/0002_sandwich_decisions.sql" with { type: "text" };
import bundleOutcomes from "#clickhouse/0003_bundle_outcomes.sql" with { type: "text" };
import metrics from "#clickhouse/0004_metrics.sql" with { type: "text" };
import controlLedger from "#clickhouse/0005_control_ledger.sql" with { type: "text" };
import trainJobs from "#clickhouse/0006_train_jobs.sql" with { type: "text" };
import deadLetter from "#clickhouse/0007_dead_letter.sql" with { type: "text" };
import namedViews from "#clickhouse/0008_named_views.sql" with { type: "text" };
import sandwiches from "#clickhouse/0009_sandwiches.sql" with { type: "text" };
import ledgerCheckpoints from "#clickhouse/0010_ledger_checkpoints.sql" with { type: "text" };

export type Migration = {
  /** From 1, without gaps. */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
};

export const MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "arbitrage_decisions", sql: arbitrageDecisions },
  { number: 2, name: "sandwich_decisions", sql: sandwichDecisions },
  { number: 3, name: "bundle_outcomes", sql: bundleOutcomes },
  { number: 4, name: "metrics", sql: metrics },
  { number: 5, name: "control_ledger", sql: controlLedger },
  { number: 6, name: "train_jobs", sql: trainJobs },
  { number: 7, name: "dead_letter", sql: deadLetter },
  { number: 8, name: "named_views", sql: namedViews },
  { number: 9, name: "sandwiches", sql: sandwiches },
  { number: 10, name: "ledger_checkpoints", sql: ledgerCheckpoints },
];
