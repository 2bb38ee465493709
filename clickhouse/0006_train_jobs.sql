-- Topics train-requests-proto (TrainRequest; nested messages become range_start, features_name, params_max_depth …) and
-- train-acks-proto (TrainAck: the states a job went through). The messages carry no time: `at` is when they were recorded.

CREATE TABLE sandpiper.ingest_train_requests (
  `schema_version` String,
  `job_id` String,
  `module` String,
  `range` Tuple(
    `start` String,
    `end` String
  ),
  `features` Tuple(
    `name` String,
    `include` Array(String),
    `exclude` Array(String)
  ),
  `model` String,
  `params` Tuple(
    `max_depth` UInt32,
    `n_estimators` UInt32,
    `learning_rate` Float64,
    `gpu` Bool
  ),
  `output_dir` String,
  `issuer` String,
  `bus_offset` UInt64
) ENGINE = Null;

CREATE TABLE sandpiper.train_jobs (
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  schema_version LowCardinality(String),
  job_id String,
  module LowCardinality(String),
  range_start String,
  range_end String,
  features_name String,
  features_include Array(String),
  features_exclude Array(String),
  model LowCardinality(String),
  params_max_depth UInt32,
  params_n_estimators UInt32,
  params_learning_rate Float64,
  params_gpu Bool,
  output_dir String,
  issuer LowCardinality(String),
  bus_offset UInt64 CODEC(Delta, ZSTD(1)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  INDEX bus_offset_range bus_offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, job_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW sandpiper.view_train_jobs TO sandpiper.train_jobs AS SELECT
  now64(6, 'UTC') AS at,
  schema_version,
  job_id,
  module,
  `range`.`start` AS range_start,
  `range`.`end` AS range_end,
  `features`.`name` AS features_name,
  `features`.`include` AS features_include,
  `features`.`exclude` AS features_exclude,
  model,
  `params`.`max_depth` AS params_max_depth,
  `params`.`n_estimators` AS params_n_estimators,
  `params`.`learning_rate` AS params_learning_rate,
  `params`.`gpu` AS params_gpu,
  output_dir,
  issuer,
  bus_offset
FROM sandpiper.ingest_train_requests;

CREATE TABLE sandpiper.ingest_train_acks (
  `job_id` String,
  `state` String,
  `message` String,
  `bus_offset` UInt64
) ENGINE = Null;

CREATE TABLE sandpiper.train_job_states (
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  job_id String,
  state LowCardinality(String),
  message String,
  bus_offset UInt64 CODEC(Delta, ZSTD(1)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  INDEX bus_offset_range bus_offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, job_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW sandpiper.view_train_job_states TO sandpiper.train_job_states AS SELECT
  now64(6, 'UTC') AS at,
  job_id,
  state,
  message,
  bus_offset
FROM sandpiper.ingest_train_acks;
