-- What the runbook asks, as views: `sandpiper query NAME` reads them. Times are UTC.

-- Every command that was ever on the bus, and what it asked for.
CREATE VIEW sandpiper.operator_history AS SELECT
  at, issuer, module, action, args, request_id, nonce, pubkey_id, inserted_at
FROM sandpiper.control_ledger
ORDER BY at DESC, nonce DESC;

-- What is on record under one id: a command by its request, a training job with every state it went through.
CREATE VIEW sandpiper.request_trail AS SELECT request_id, at, step, detail FROM (
  SELECT request_id, at, concat('command ', action) AS step, concat(module, ' by ', issuer, ' ', toString(args)) AS detail
  FROM sandpiper.control_ledger
  UNION ALL
  SELECT job_id AS request_id, at, 'training asked' AS step,
    concat(module, ' ', model, ' by ', issuer, ', ', range_start, ' to ', range_end) AS detail
  FROM sandpiper.train_jobs
  UNION ALL
  SELECT job_id AS request_id, at, concat('training ', state) AS step, message AS detail
  FROM sandpiper.train_job_states
) ORDER BY at, step;

-- Rows that came into each table, by ten seconds of arrival, of the last hour.
CREATE VIEW sandpiper.rows_per_10s AS SELECT
  toStartOfInterval(inserted_at, INTERVAL 10 SECOND) AS since, source, count() AS rows
FROM (
  SELECT inserted_at, 'arb_opportunities' AS source FROM sandpiper.arb_opportunities
  UNION ALL SELECT inserted_at, 'mev_opportunities' AS source FROM sandpiper.mev_opportunities
  UNION ALL SELECT inserted_at, 'bundle_outcomes_typed' AS source FROM sandpiper.bundle_outcomes_typed
  UNION ALL SELECT inserted_at, 'metrics' AS source FROM sandpiper.metrics
  UNION ALL SELECT inserted_at, 'control_ledger' AS source FROM sandpiper.control_ledger
  UNION ALL SELECT inserted_at, 'dead_letter' AS source FROM sandpiper.dead_letter
)
WHERE inserted_at >= now64(6, 'UTC') - INTERVAL 1 HOUR
GROUP BY since, source ORDER BY since DESC, source;

-- Of the bundles that ended in a minute, how many landed, by the agent and route that sent them.
CREATE VIEW sandpiper.landed_share AS SELECT
  toStartOfMinute(at) AS minute, agent, path,
  count() AS ended, countIf(landed) AS landed_count, countIf(landed) / count() AS share
FROM sandpiper.bundle_outcomes_typed
GROUP BY minute, agent, path ORDER BY minute DESC, agent, path;

-- How many slots after its decision a bundle landed, and what it tipped, by route and minute.
CREATE VIEW sandpiper.slot_delta_and_tip AS SELECT
  toStartOfMinute(at) AS minute, path, count() AS landed_count,
  avg(toInt64(landed_slot) - toInt64(decided_slot)) AS slot_delta_mean,
  max(toInt64(landed_slot) - toInt64(decided_slot)) AS slot_delta_max,
  toUInt64(quantileExact(0.5)(tip_lamports)) AS tip_lamports_p50, sum(tip_lamports) AS tip_lamports_sum
FROM sandpiper.bundle_outcomes_typed
WHERE landed
GROUP BY minute, path ORDER BY minute DESC, path;

-- Milliseconds from the market event to each later step of a sent bundle, by route and minute.
CREATE VIEW sandpiper.latency_quantiles AS SELECT
  toStartOfMinute(at) AS minute, path, step, count() AS bundles,
  quantileExact(0.5)(ms) AS p50_ms, quantileExact(0.99)(ms) AS p99_ms, max(ms) AS max_ms
FROM (
  SELECT at, path, stamp.1 AS step, (toInt64(stamp.2) - toInt64(event_ns)) / 1e6 AS ms, stamp.2 AS stamp_ns
  FROM sandpiper.bundle_outcomes_typed
  ARRAY JOIN [('decided', decide_ns), ('sent', send_ns), ('accepted', accepted_ns), ('known', land_ns)] AS stamp
  WHERE event_ns > 0
)
WHERE stamp_ns > 0
GROUP BY minute, path, step ORDER BY minute DESC, path, p50_ms;

-- What the wallet gained by the bundles that ended in an hour, fees and tips paid.
CREATE VIEW sandpiper.profit_per_hour AS SELECT
  toStartOfHour(at) AS hour, agent, mode,
  sum(realised_net_lamports) AS net_lamports, sum(tip_lamports * landed) AS tips_lamports,
  countIf(landed) AS landed_count, countIf(landed AND NOT exact) AS inexact_count
FROM sandpiper.bundle_outcomes_typed
GROUP BY hour, agent, mode ORDER BY hour DESC, agent, mode;

-- Milliseconds from the event to the row that can be queried, by table and minute of the event, of the last day.
CREATE VIEW sandpiper.ingestion_lag AS SELECT
  toStartOfMinute(at) AS minute, source, count() AS rows,
  quantileExact(0.5)(lag_ms) AS p50_ms, quantileExact(0.99)(lag_ms) AS p99_ms, max(lag_ms) AS max_ms
FROM (
  SELECT at, 'arb_opportunities' AS source, dateDiff('microsecond', at, inserted_at) / 1e3 AS lag_ms
  FROM sandpiper.arb_opportunities
  UNION ALL
  SELECT at, 'mev_opportunities' AS source, dateDiff('microsecond', at, inserted_at) / 1e3 AS lag_ms
  FROM sandpiper.mev_opportunities
  UNION ALL
  SELECT at, 'bundle_outcomes_typed' AS source, dateDiff('microsecond', at, inserted_at) / 1e3 AS lag_ms
  FROM sandpiper.bundle_outcomes_typed
  UNION ALL
  SELECT at, 'metrics' AS source, dateDiff('microsecond', at, inserted_at) / 1e3 AS lag_ms
  FROM sandpiper.metrics
)
WHERE at >= now64(6, 'UTC') - INTERVAL 1 DAY
GROUP BY minute, source ORDER BY minute DESC, source;
