-- Topic sandwich-decisions-proto: Envelope with the payload mev.

CREATE TABLE sandpiper.ingest_sandwich_decisions (
  `schema_version` String,
  `type` String,
  `mev` Tuple(
    `version` String,
    `slot` UInt64,
    `attacker` String,
    `net_sol` Float64,
    `type` String,
    `p_land_est` Float64,
    `tip_ladder` Array(UInt64),
    `bundle_id` String,
    `decision_id` String,
    `agent` String,
    `mode` String,
    `model_hash` String,
    `reason` String,
    `net_lamports` Int64,
    `score` Float64,
    `event_ns` UInt64,
    `decide_ns` UInt64
  ),
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
  fromUnixTimestamp64Micro(toInt64(intDiv(`mev`.`decide_ns`, 1000)), 'UTC') AS at,
  `mev`.`version` AS version,
  `mev`.`slot` AS slot,
  `mev`.`attacker` AS attacker,
  `mev`.`net_sol` AS net_sol,
  `mev`.`type` AS type,
  `mev`.`p_land_est` AS p_land_est,
  `mev`.`tip_ladder` AS tip_ladder,
  `mev`.`bundle_id` AS bundle_id,
  `mev`.`decision_id` AS decision_id,
  `mev`.`agent` AS agent,
  `mev`.`mode` AS mode,
  `mev`.`model_hash` AS model_hash,
  `mev`.`reason` AS reason,
  `mev`.`net_lamports` AS net_lamports,
  `mev`.`score` AS score,
  `mev`.`event_ns` AS event_ns,
  `mev`.`decide_ns` AS decide_ns,
  bus_offset
FROM sandpiper.ingest_sandwich_decisions AS envelope
WHERE envelope.type = 'MEV';
