-- What the ledger signed of itself, as the recorder saw it: beside the commands, so that a ledger that was rolled back as a
-- whole is behind what stands here.
CREATE TABLE IF NOT EXISTS sandpiper.control_ledger_checkpoints (
  origin LowCardinality(String),
  size UInt64,
  root String,
  note String,
  inserted_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
) ENGINE = ReplacingMergeTree PARTITION BY toYYYYMM(inserted_at) ORDER BY (origin, size, root);
