-- Topic sandwich-decisions-proto: Envelope with the payload mev.

CREATE TABLE sandpiper.ingest_sandwich_decisions (
  `schema_version` String,
  `type` String,
  `mev_version` String,
  `mev_slot` UInt64,
  `mev_attacker` String,
  `mev_net_sol` Float64,
  `mev_type` String,
  `mev_p_land_est` Float64,
  `mev_tip_ladder` Array(UInt64),
  `mev_bundle_id` String,
  `mev_decision_id` String,
  `mev_agent` String,
  `mev_mode` String,
  `mev_model_hash` String,
  `mev_reason` String,
  `mev_net_lamports` Int64,
  `mev_score` Float64,
  `mev_event_ns` UInt64,
  `mev_decide_ns` UInt64,
  `bus_offset` UInt64
) ENGINE = Null;

CREATE TABLE sandpiper.mev_opportunities (
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  version LowCardinality(String),
  slot UInt64 CODEC(Delta, ZSTD(1)),
  attacker LowCardinality(String),
  net_sol Float64,
  type LowCardinality(String),
  p_land_est Float64,
  tip_ladder Array(UInt64),
  bundle_id String,
  decision_id String,
  agent LowCardinality(String),
  mode LowCardinality(String),
  model_hash LowCardinality(String),
  reason LowCardinality(String),
  net_lamports Int64,
  score Float64,
  event_ns UInt64 CODEC(Delta, ZSTD(1)),
  decide_ns UInt64 CODEC(Delta, ZSTD(1)),
  bus_offset UInt64 CODEC(Delta, ZSTD(1)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  INDEX bus_offset_range bus_offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (at, decision_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW sandpiper.view_mev_opportunities TO sandpiper.mev_opportunities AS SELECT
  fromUnixTimestamp64Micro(toInt64(intDiv(`mev_decide_ns`, 1000)), 'UTC') AS at,
  `mev_version` AS version,
  `mev_slot` AS slot,
  `mev_attacker` AS attacker,
  `mev_net_sol` AS net_sol,
  `mev_type` AS type,
  `mev_p_land_est` AS p_land_est,
  `mev_tip_ladder` AS tip_ladder,
  `mev_bundle_id` AS bundle_id,
  `mev_decision_id` AS decision_id,
  `mev_agent` AS agent,
  `mev_mode` AS mode,
  `mev_model_hash` AS model_hash,
  `mev_reason` AS reason,
  `mev_net_lamports` AS net_lamports,
  `mev_score` AS score,
  `mev_event_ns` AS event_ns,
  `mev_decide_ns` AS decide_ns,
  bus_offset
FROM sandpiper.ingest_sandwich_decisions AS envelope
WHERE envelope.type = 'MEV';
