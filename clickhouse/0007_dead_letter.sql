-- What could not be recorded: bytes that are no message of their topic. `topic` and `bus_offset` name the message.

CREATE TABLE sandpiper.dead_letter (
  at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  topic LowCardinality(String),
  bus_offset UInt64,
  error String CODEC(ZSTD(3)),
  raw String CODEC(ZSTD(3)),
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
) ENGINE = MergeTree PARTITION BY toYYYYMM(at) ORDER BY (topic, bus_offset)
SETTINGS non_replicated_deduplication_window = 10000;
