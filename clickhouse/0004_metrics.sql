-- Topic metrics-proto: Envelope with the payload metrics, training (progress of a job) or dataset (a set that was made).

CREATE TABLE sandpiper.ingest_metrics (
  `schema_version` String,
  `type` String,
  `metrics` Tuple(
    `hotpath_p50` Float64,
    `hotpath_p99` Float64,
    `send_p99` Float64,
    `landed_pct` Float64,
    `pnl_1h` Float64,
    `slo_violation` Bool,
    `agent` String,
    `mode` String,
    `at_ns` UInt64,
    `window_ms` UInt32,
    `events` UInt64,
    `swaps` UInt64,
    `decisions` UInt64,
    `sends` UInt64,
    `landed` UInt64,
    `market_dropped` UInt64,
    `publish_dropped` UInt64,
    `hotpath_p50_ns` UInt64,
    `hotpath_p99_ns` UInt64,
    `hotpath_p999_ns` UInt64,
    `hotpath_max_ns` UInt64,
    `slot` UInt64,
    `market_lag_ms` UInt64,
    `pnl_1h_lamports` Int64,
    `events_total` UInt64,
    `swaps_total` UInt64,
    `model_hash` String,
    `ring_depth_max` UInt32,
    `tip_ladder` Array(UInt64),
    `tip_played` Array(UInt64),
    `tip_landed` Array(UInt64),
    `tip_payoff` Array(Float64)
  ),
  `training` Tuple(
    `job_id` String,
    `state` String,
    `progress` Float64,
    `message` String,
    `at_ns` UInt64
  ),
  `dataset` Tuple(
    `name` String,
    `uri` String,
    `rows` UInt64,
    `sha256` String,
    `at_ns` UInt64
  ),
  `bus_offset` UInt64
) ENGINE = Null;

CREATE TABLE sandpiper.metrics (
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  hotpath_p50 Float64,
  hotpath_p99 Float64,
  send_p99 Float64,
  landed_pct Float64,
  pnl_1h Float64,
  slo_violation Bool,
  agent LowCardinality(String),
  mode LowCardinality(String),
  at_ns UInt64 CODEC(Delta, ZSTD(1)),
  window_ms UInt32,
  events UInt64,
  swaps UInt64,
  decisions UInt64,
  sends UInt64,
  landed UInt64,
  market_dropped UInt64,
  publish_dropped UInt64,
  hotpath_p50_ns UInt64,
  hotpath_p99_ns UInt64,
  hotpath_p999_ns UInt64,
  hotpath_max_ns UInt64,
  slot UInt64 CODEC(Delta, ZSTD(1)),
  market_lag_ms UInt64,
  pnl_1h_lamports Int64,
  events_total UInt64,
  swaps_total UInt64,
  model_hash LowCardinality(String),
  ring_depth_max UInt32,
  tip_ladder Array(UInt64),
  tip_played Array(UInt64),
  tip_landed Array(UInt64),
  tip_payoff Array(Float64),
  bus_offset UInt64 CODEC(Delta, ZSTD(1)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  INDEX bus_offset_range bus_offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (at, agent)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW sandpiper.view_metrics TO sandpiper.metrics AS SELECT
  fromUnixTimestamp64Micro(toInt64(intDiv(`metrics`.`at_ns`, 1000)), 'UTC') AS at,
  `metrics`.`hotpath_p50` AS hotpath_p50,
  `metrics`.`hotpath_p99` AS hotpath_p99,
  `metrics`.`send_p99` AS send_p99,
  `metrics`.`landed_pct` AS landed_pct,
  `metrics`.`pnl_1h` AS pnl_1h,
  `metrics`.`slo_violation` AS slo_violation,
  `metrics`.`agent` AS agent,
  `metrics`.`mode` AS mode,
  `metrics`.`at_ns` AS at_ns,
  `metrics`.`window_ms` AS window_ms,
  `metrics`.`events` AS events,
  `metrics`.`swaps` AS swaps,
  `metrics`.`decisions` AS decisions,
  `metrics`.`sends` AS sends,
  `metrics`.`landed` AS landed,
  `metrics`.`market_dropped` AS market_dropped,
  `metrics`.`publish_dropped` AS publish_dropped,
  `metrics`.`hotpath_p50_ns` AS hotpath_p50_ns,
  `metrics`.`hotpath_p99_ns` AS hotpath_p99_ns,
  `metrics`.`hotpath_p999_ns` AS hotpath_p999_ns,
  `metrics`.`hotpath_max_ns` AS hotpath_max_ns,
  `metrics`.`slot` AS slot,
  `metrics`.`market_lag_ms` AS market_lag_ms,
  `metrics`.`pnl_1h_lamports` AS pnl_1h_lamports,
  `metrics`.`events_total` AS events_total,
  `metrics`.`swaps_total` AS swaps_total,
  `metrics`.`model_hash` AS model_hash,
  `metrics`.`ring_depth_max` AS ring_depth_max,
  `metrics`.`tip_ladder` AS tip_ladder,
  `metrics`.`tip_played` AS tip_played,
  `metrics`.`tip_landed` AS tip_landed,
  `metrics`.`tip_payoff` AS tip_payoff,
  bus_offset
FROM sandpiper.ingest_metrics AS envelope
WHERE envelope.type = 'METRICS';

CREATE TABLE sandpiper.training_progress (
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  job_id String,
  state LowCardinality(String),
  progress Float64,
  message String,
  at_ns UInt64 CODEC(Delta, ZSTD(1)),
  bus_offset UInt64 CODEC(Delta, ZSTD(1)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  INDEX bus_offset_range bus_offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (at, job_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW sandpiper.view_training_progress TO sandpiper.training_progress AS SELECT
  fromUnixTimestamp64Micro(toInt64(intDiv(`training`.`at_ns`, 1000)), 'UTC') AS at,
  `training`.`job_id` AS job_id,
  `training`.`state` AS state,
  `training`.`progress` AS progress,
  `training`.`message` AS message,
  `training`.`at_ns` AS at_ns,
  bus_offset
FROM sandpiper.ingest_metrics AS envelope
WHERE envelope.type = 'TRAINING';

CREATE TABLE sandpiper.datasets (
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  name String,
  uri String,
  rows UInt64,
  sha256 String,
  at_ns UInt64 CODEC(Delta, ZSTD(1)),
  bus_offset UInt64 CODEC(Delta, ZSTD(1)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  INDEX bus_offset_range bus_offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (at, name)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW sandpiper.view_datasets TO sandpiper.datasets AS SELECT
  fromUnixTimestamp64Micro(toInt64(intDiv(`dataset`.`at_ns`, 1000)), 'UTC') AS at,
  `dataset`.`name` AS name,
  `dataset`.`uri` AS uri,
  `dataset`.`rows` AS rows,
  `dataset`.`sha256` AS sha256,
  `dataset`.`at_ns` AS at_ns,
  bus_offset
FROM sandpiper.ingest_metrics AS envelope
WHERE envelope.type = 'DATASET';
