/** What the record says of routes and of estimates: sums over one run, small whatever its length. */
import type { Store } from "#store/client.ts";
import type { CalibrationBucket, RouteSums, RunWindow } from "./data.ts";

const DECISIONS = "sandpiper.arb_opportunities";
const OUTCOMES = "sandpiper.bundle_outcomes_typed";
/** More ways, slots and states than there are. */
const ROWS_MAX = 500;
const isOfRun = (window: RunWindow, table = "") => `${table}${window.by} >= fromUnixTimestamp64Milli({since:Int64})`;

type Sums = Readonly<Record<"path" | "sent" | "ended" | "tips" | "profit", string>> &
  Readonly<Record<"ack50" | "ack99" | "land50", number>>;

export async function readRoutes(store: Pick<Store, "query">, window: RunWindow): Promise<RouteSums[]> {
  const since = { since: window.sinceMs, most: ROWS_MAX };
  const [sums, deltas, ends] = await Promise.all([
    store.query<Sums>(
      `SELECT path, count() AS sent, countIf(landed) AS ended, sum(tip_lamports) AS tips,
              sum(realised_net_lamports) AS profit,
              ifNotFinite(quantileIf(0.5)((accepted_ns - send_ns) / 1e6, accepted_ns > send_ns), 0) AS ack50,
              ifNotFinite(quantileIf(0.99)((accepted_ns - send_ns) / 1e6, accepted_ns > send_ns), 0) AS ack99,
              ifNotFinite(quantileIf(0.5)((land_ns - send_ns) / 1e6, landed AND land_ns > send_ns), 0) AS land50
       FROM ${OUTCOMES} WHERE ${isOfRun(window)} GROUP BY path ORDER BY sent DESC LIMIT {most:UInt32}`,
      since,
    ),
    store.query<{ path: string; slots: string; bundles: string }>(
      `SELECT path, landed_slot - decided_slot AS slots, count() AS bundles FROM ${OUTCOMES}
       WHERE ${isOfRun(window)} AND landed AND landed_slot >= decided_slot
       GROUP BY path, slots ORDER BY path, slots LIMIT {most:UInt32}`,
      since,
    ),
    store.query<{ path: string; state: string; bundles: string }>(
      `SELECT path, state, count() AS bundles FROM ${OUTCOMES} WHERE ${isOfRun(window)}
       GROUP BY path, state ORDER BY path, bundles DESC LIMIT {most:UInt32}`,
      since,
    ),
  ]);
  return sums.map(({ path, sent, ended, tips, profit, ack50, ack99, land50 }) => ({
    ...{ path, sent: Number(sent), landed: Number(ended), tipLamports: BigInt(tips), profitLamports: BigInt(profit) },
    ...{ acknowledgedMsP50: ack50, acknowledgedMsP99: ack99, landedMsP50: land50 },
    slotDeltas: deltas
      .filter((row) => row.path === path)
      .map(({ slots, bundles }) => ({ slots: Number(slots), bundles: Number(bundles) })),
    ends: ends.filter((row) => row.path === path).map(({ state, bundles }) => ({ state, bundles: Number(bundles) })),
  }));
}

/** What was refused before it went anywhere says nothing of the estimate. */
export async function readCalibration(store: Pick<Store, "query">, window: RunWindow): Promise<CalibrationBucket[]> {
  const rows = await store.query<{
    model: string;
    bucket: number;
    bundles: string;
    estimated: number;
    share: number;
  }>(
    `SELECT d.model_hash AS model, toUInt8(least(9, floor(d.p_land_est * 10))) AS bucket, count() AS bundles,
            ifNotFinite(avg(d.p_land_est), 0) AS estimated, avg(o.landed) AS share
     FROM ${DECISIONS} AS d INNER JOIN ${OUTCOMES} AS o ON d.decision_id = o.decision_id
     WHERE ${isOfRun(window, "d.")} AND ${isOfRun(window, "o.")} AND d.action = 'send'
       AND o.state NOT IN ('rejected', 'unknown')
     GROUP BY model, bucket ORDER BY model, bucket LIMIT {most:UInt32}`,
    { since: window.sinceMs, most: ROWS_MAX },
  );
  return rows.map(({ model, bucket, bundles, estimated, share }) => ({
    ...{ modelHash: model, bucket: Number(bucket), bundles: Number(bundles), estimated, landedShare: share },
  }));
}
