-- Topic control-commands-proto: Command, one record each, never wrapped.

CREATE TABLE sandpiper.ingest_control_commands (
  `ts` UInt64,
  `module` String,
  `action` String,
  `args` Map(String, String),
  `request_id` String,
  `issuer` String,
  `schema_version` String,
  `sig` String,
  `pubkey_id` String,
  `sig_alg` String,
  `nonce` UInt64,
  `bus_offset` UInt64
) ENGINE = Null;

CREATE TABLE sandpiper.control_ledger (
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  ts UInt64,
  module LowCardinality(String),
  action LowCardinality(String),
  args Map(String, String),
  request_id String,
  issuer LowCardinality(String),
  schema_version LowCardinality(String),
  sig String,
  pubkey_id LowCardinality(String),
  sig_alg LowCardinality(String),
  nonce UInt64,
  bus_offset UInt64 CODEC(Delta, ZSTD(1)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  INDEX bus_offset_range bus_offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (at, request_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW sandpiper.view_control_ledger TO sandpiper.control_ledger AS SELECT
  fromUnixTimestamp64Micro(toInt64(ts * 1000000), 'UTC') AS at,
  ts,
  module,
  action,
  args,
  request_id,
  issuer,
  schema_version,
  sig,
  pubkey_id,
  sig_alg,
  nonce,
  bus_offset
FROM sandpiper.ingest_control_commands;
