/** The views of clickhouse/0008_named_views.sql and 0009_sandwiches.sql that people ask by name, and what each answers. */

export const NAMED_VIEWS = {
  operator_history: "every operator command, newest first",
  request_trail: "what is on record under one id: request_id=…",
  rows_per_10s: "rows that came into each table, of the last hour",
  landed_share: "landed of ended bundles, per agent, route and minute",
  slot_delta_and_tip: "slots from decision to landing, and tips, per route and minute",
  latency_quantiles: "ms from the market event to each step of a bundle, per route and minute",
  profit_per_hour: "what the wallet gained, per hour, agent and mode",
  ingestion_lag: "ms from the event to the row that can be queried, per table and minute",
  sandwiches_by_attacker: "sandwiches, profit, victims' losses and share of all, per attacking wallet",
  sandwiches_by_leader: "the same per leader of the slot",
} as const satisfies Readonly<Record<string, string>>;
