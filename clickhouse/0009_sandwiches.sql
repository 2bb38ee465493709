-- What an mev finding says since fields 25 to 43: who, which legs, whom it hurt, and why it is believed.

DROP TABLE IF EXISTS sandpiper.view_mev_opportunities SYNC;
DROP TABLE IF EXISTS sandpiper.ingest_sandwich_decisions SYNC;

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
    `decide_ns` UInt64,
    `attackers` Array(String),
    `leader` String,
    `first_slot` UInt64,
    `gross_lamports` Int64,
    `fee_lamports` UInt64,
    `tip_lamports` UInt64,
    `victims_loss_lamports` Int64,
    `victims_unpriced` UInt32,
    `leg_roles` Array(String),
    `leg_wallets` Array(String),
    `leg_signatures` Array(String),
    `leg_pools` Array(String),
    `leg_amounts_in` Array(UInt64),
    `leg_amounts_out` Array(UInt64),
    `victim_wallets` Array(String),
    `victim_signatures` Array(String),
    `victim_pools` Array(String),
    `victim_losses_lamports` Array(Int64),
    `evidence` Array(String)
  ),
  `bus_offset` UInt64
) ENGINE = Null;

ALTER TABLE sandpiper.mev_opportunities
  ADD COLUMN IF NOT EXISTS attackers Array(LowCardinality(String)),
  ADD COLUMN IF NOT EXISTS leader LowCardinality(String),
  ADD COLUMN IF NOT EXISTS first_slot UInt64,
  ADD COLUMN IF NOT EXISTS gross_lamports Int64,
  ADD COLUMN IF NOT EXISTS fee_lamports UInt64,
  ADD COLUMN IF NOT EXISTS tip_lamports UInt64,
  ADD COLUMN IF NOT EXISTS victims_loss_lamports Int64,
  ADD COLUMN IF NOT EXISTS victims_unpriced UInt32,
  ADD COLUMN IF NOT EXISTS leg_roles Array(LowCardinality(String)),
  ADD COLUMN IF NOT EXISTS leg_wallets Array(String),
  ADD COLUMN IF NOT EXISTS leg_signatures Array(String),
  ADD COLUMN IF NOT EXISTS leg_pools Array(String),
  ADD COLUMN IF NOT EXISTS leg_amounts_in Array(UInt64),
  ADD COLUMN IF NOT EXISTS leg_amounts_out Array(UInt64),
  ADD COLUMN IF NOT EXISTS victim_wallets Array(String),
  ADD COLUMN IF NOT EXISTS victim_signatures Array(String),
  ADD COLUMN IF NOT EXISTS victim_pools Array(String),
  ADD COLUMN IF NOT EXISTS victim_losses_lamports Array(Int64),
  ADD COLUMN IF NOT EXISTS evidence Array(String);

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
  `mev`.`attackers` AS attackers,
  `mev`.`leader` AS leader,
  `mev`.`first_slot` AS first_slot,
  `mev`.`gross_lamports` AS gross_lamports,
  `mev`.`fee_lamports` AS fee_lamports,
  `mev`.`tip_lamports` AS tip_lamports,
  `mev`.`victims_loss_lamports` AS victims_loss_lamports,
  `mev`.`victims_unpriced` AS victims_unpriced,
  `mev`.`leg_roles` AS leg_roles,
  `mev`.`leg_wallets` AS leg_wallets,
  `mev`.`leg_signatures` AS leg_signatures,
  `mev`.`leg_pools` AS leg_pools,
  `mev`.`leg_amounts_in` AS leg_amounts_in,
  `mev`.`leg_amounts_out` AS leg_amounts_out,
  `mev`.`victim_wallets` AS victim_wallets,
  `mev`.`victim_signatures` AS victim_signatures,
  `mev`.`victim_pools` AS victim_pools,
  `mev`.`victim_losses_lamports` AS victim_losses_lamports,
  `mev`.`evidence` AS evidence,
  bus_offset
FROM sandpiper.ingest_sandwich_decisions AS envelope
WHERE envelope.type = 'MEV';;

-- Sandwiches by wallet; an attack of several wallets counts for each. share is of all sandwiches on record, with Wilson's interval at 95 %.
CREATE VIEW sandpiper.sandwiches_by_attacker AS SELECT
  wallet, sandwiches, victims, gross_lamports_sum, net_lamports_sum, tip_lamports_sum, victims_loss_lamports_sum, score_mean,
  slot_first, slot_last, share,
  (share + 1.9208 / n - half) / (1 + 3.8416 / n) AS share_low, (share + 1.9208 / n + half) / (1 + 3.8416 / n) AS share_high
FROM (
  SELECT wallet, count() AS sandwiches, sum(length(victim_wallets)) AS victims,
    sum(gross_lamports) AS gross_lamports_sum, sum(net_lamports) AS net_lamports_sum,
    sum(tip_lamports) AS tip_lamports_sum, sum(victims_loss_lamports) AS victims_loss_lamports_sum,
    avg(score) AS score_mean, min(slot) AS slot_first, max(slot) AS slot_last,
    (SELECT count() FROM sandpiper.mev_opportunities WHERE type IN ('same_slot', 'bundle', 'wide', 'multi_wallet')) AS n,
    sandwiches / n AS share, 1.96 * sqrt(share * (1 - share) / n + 0.9604 / (n * n)) AS half
  FROM sandpiper.mev_opportunities ARRAY JOIN attackers AS wallet
  WHERE type IN ('same_slot', 'bundle', 'wide', 'multi_wallet')
  GROUP BY wallet
) ORDER BY sandwiches DESC, wallet;

-- Sandwiches by the leader of the slot of the last leg. share is of all sandwiches on record, with Wilson's interval at 95 %.
CREATE VIEW sandpiper.sandwiches_by_leader AS SELECT
  leader, sandwiches, victims, gross_lamports_sum, net_lamports_sum, tip_lamports_sum, victims_loss_lamports_sum, score_mean,
  slot_first, slot_last, share,
  (share + 1.9208 / n - half) / (1 + 3.8416 / n) AS share_low, (share + 1.9208 / n + half) / (1 + 3.8416 / n) AS share_high
FROM (
  SELECT leader, count() AS sandwiches, sum(length(victim_wallets)) AS victims,
    sum(gross_lamports) AS gross_lamports_sum, sum(net_lamports) AS net_lamports_sum,
    sum(tip_lamports) AS tip_lamports_sum, sum(victims_loss_lamports) AS victims_loss_lamports_sum,
    avg(score) AS score_mean, min(slot) AS slot_first, max(slot) AS slot_last,
    (SELECT count() FROM sandpiper.mev_opportunities WHERE type IN ('same_slot', 'bundle', 'wide', 'multi_wallet')) AS n,
    sandwiches / n AS share, 1.96 * sqrt(share * (1 - share) / n + 0.9604 / (n * n)) AS half
  FROM sandpiper.mev_opportunities
  WHERE type IN ('same_slot', 'bundle', 'wide', 'multi_wallet')
  GROUP BY leader
) ORDER BY sandwiches DESC, leader;
