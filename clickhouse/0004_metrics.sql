-- Topic metrics-proto: Envelope with the payload metrics, training (progress of a job) or dataset (a set that was made).

CREATE TABLE sandpiper.ingest_metrics (
  `schema_version` String,
  `type` String,
  `metrics_hotpath_p50` Float64,
  `metrics_hotpath_p99` Float64,
  `metrics_send_p99` Float64,
  `metrics_landed_pct` Float64,
  `metrics_pnl_1h` Float64,
  `metrics_slo_violation` Bool,
  `metrics_agent` String,
  `metrics_mode` String,
  `metrics_at_ns` UInt64,
  `metrics_window_ms` UInt32,
  `metrics_events` UInt64,
  `metrics_swaps` UInt64,
  `metrics_decisions` UInt64,
  `metrics_sends` UInt64,
  `metrics_landed` UInt64,
  `metrics_market_dropped` UInt64,
  `metrics_publish_dropped` UInt64,
  `metrics_hotpath_p50_ns` UInt64,
  `metrics_hotpath_p99_ns` UInt64,
  `metrics_hotpath_p999_ns` UInt64,
  `metrics_hotpath_max_ns` UInt64,
  `metrics_slot` UInt64,
  `metrics_market_lag_ms` UInt64,
  `metrics_pnl_1h_lamports` Int64,
  `metrics_events_total` UInt64,
  `metrics_swaps_total` UInt64,
  `metrics_model_hash` String,
  `metrics_ring_depth_max` UInt32,
  `training_job_id` String,
  `training_state` String,
  `training_progress` Float64,
  `training_message` String,
  `training_at_ns` UInt64,
  `dataset_name` String,
  `dataset_uri` String,
  `dataset_rows` UInt64,
  `dataset_sha256` String,
  `dataset_at_ns` UInt64,
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
  bus_offset UInt64 CODEC(Delta, ZSTD(1)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  INDEX bus_offset_range bus_offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (at, agent)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW sandpiper.view_metrics TO sandpiper.metrics AS SELECT
  fromUnixTimestamp64Micro(toInt64(intDiv(`metrics_at_ns`, 1000)), 'UTC') AS at,
  `metrics_hotpath_p50` AS hotpath_p50,
  `metrics_hotpath_p99` AS hotpath_p99,
  `metrics_send_p99` AS send_p99,
  `metrics_landed_pct` AS landed_pct,
  `metrics_pnl_1h` AS pnl_1h,
  `metrics_slo_violation` AS slo_violation,
  `metrics_agent` AS agent,
  `metrics_mode` AS mode,
  `metrics_at_ns` AS at_ns,
  `metrics_window_ms` AS window_ms,
  `metrics_events` AS events,
  `metrics_swaps` AS swaps,
  `metrics_decisions` AS decisions,
  `metrics_sends` AS sends,
  `metrics_landed` AS landed,
  `metrics_market_dropped` AS market_dropped,
  `metrics_publish_dropped` AS publish_dropped,
  `metrics_hotpath_p50_ns` AS hotpath_p50_ns,
  `metrics_hotpath_p99_ns` AS hotpath_p99_ns,
  `metrics_hotpath_p999_ns` AS hotpath_p999_ns,
  `metrics_hotpath_max_ns` AS hotpath_max_ns,
  `metrics_slot` AS slot,
  `metrics_market_lag_ms` AS market_lag_ms,
  `metrics_pnl_1h_lamports` AS pnl_1h_lamports,
  `metrics_events_total` AS events_total,
  `metrics_swaps_total` AS swaps_total,
  `metrics_model_hash` AS model_hash,
  `metrics_ring_depth_max` AS ring_depth_max,
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
  fromUnixTimestamp64Micro(toInt64(intDiv(`training_at_ns`, 1000)), 'UTC') AS at,
  `training_job_id` AS job_id,
  `training_state` AS state,
  `training_progress` AS progress,
  `training_message` AS message,
  `training_at_ns` AS at_ns,
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
  fromUnixTimestamp64Micro(toInt64(intDiv(`dataset_at_ns`, 1000)), 'UTC') AS at,
  `dataset_name` AS name,
  `dataset_uri` AS uri,
  `dataset_rows` AS rows,
  `dataset_sha256` AS sha256,
  `dataset_at_ns` AS at_ns,
  bus_offset
FROM sandpiper.ingest_metrics AS envelope
WHERE envelope.type = 'DATASET';
