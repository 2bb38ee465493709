-- Offsets of Kafka count within a partition.
ALTER TABLE sandpiper.dead_letter ADD COLUMN IF NOT EXISTS bus_partition UInt64 DEFAULT 0 AFTER topic;
