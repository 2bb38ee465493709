/** The shapes of what the views of the page read beside the record, as TypeBox schemas; see schemas.ts. */
import { t } from "elysia";

const count = (description: string) => t.Integer({ minimum: 0, description });
const ms = (description: string) => t.Number({ description });
const whole64 = (description: string) => t.String({ pattern: "^-?[0-9]{1,20}$", description });

export const ProcessesSchema = t.Object({
  report_age_ms: t.Union([t.Number(), t.Null()], { description: "Of the supervisor's report; null without one." }),
  processes: t.Array(
    t.Object({
      name: t.String(),
      pid: t.Integer({ description: "0 when it is not running." }),
      state: t.String({ description: "starting, ready, stalled, restarting, stopping or stopped." }),
      core: t.String({ description: 'Pinned to, or "shared".' }),
      restarts: count("Since the run started."),
      last_exit: t.String({ description: "Why it last ended; empty when it never did." }),
      started_at_ms: t.Integer({ description: "Unix ms; 0 when it never was." }),
      heartbeat_age_ms: t.Union([t.Number(), t.Null()], { description: "Since its last beat; null when it is down." }),
    }),
  ),
  agents: t.Array(
    t.Object({
      agent: t.String(),
      heard_age_ms: ms("Since its last metrics; they come every second."),
      events: count("Market events in that second."),
      decisions: count("In that second."),
      sends: count("In that second."),
      ring_depth_max: count("Deepest its market ring was in that second."),
      market_dropped: count("Events its ring had no room for, since it started."),
      publish_dropped: count("Records that it could not hand over, since it started."),
      hotpath_us: t.Array(t.Number(), { minItems: 4, maxItems: 4, description: "p50, p99, p99.9 and most, in µs." }),
    }),
  ),
  queues: t.Array(
    t.Object({ group: t.String(), topic: t.String(), messages: count("That the group has not committed.") }),
  ),
  live: t.Object({
    clients: count("Pages that are fed now."),
    refused: count("Pages refused because there were too many."),
    dropped: count("Messages dropped for pages that were too slow."),
    poison: count("Messages that were no envelopes."),
    bus_lag: count("Messages that the live stream has not read."),
  }),
});

export const TokensSchema = t.Object({
  tokens: t.Array(
    t.Object({
      mint: t.String({ description: "The token's address." }),
      name: t.String(),
      symbol: t.String({ description: "What it calls itself; others may call themselves the same." }),
    }),
  ),
});

export const TipsSchema = t.Object({
  agents: t.Array(
    t.Object({
      agent: t.String(),
      arms: t.Array(
        t.Object({
          tip_lamports: whole64("The rung."),
          played: count("Ended auctions that were played with it, since the agent started."),
          landed: count("Of them."),
          payoff: t.Number({ description: "Mean of landed × net profit over the profit before the tip, 0..1." }),
        }),
      ),
    }),
  ),
});

export const RoutesSchema = t.Object({
  routes: t.Array(
    t.Object({
      path: t.String({ description: "jito, tpu, rpc or paper." }),
      sent: count("Bundles of this run that have ended."),
      landed: count("Of them."),
      tip_lamports: whole64("Sum of the tips."),
      profit_lamports: whole64("Realised."),
      acknowledged_ms_p50: ms("From the send to the route's answer; 0 when none came."),
      acknowledged_ms_p99: ms("The same, 99th percentile."),
      landed_ms_p50: ms("From the send to the landing known here."),
      slot_deltas: t.Array(
        t.Object({
          slots: count("From the decision's slot to the landing's."),
          bundles: count("Landed so."),
        }),
      ),
      ends: t.Array(t.Object({ state: t.String(), bundles: count("That ended so.") })),
    }),
    { description: "The most used first." },
  ),
});

export const CalibrationSchema = t.Object({
  buckets: t.Array(
    t.Object({
      model_hash: t.String(),
      bucket: t.Integer({ minimum: 0, maximum: 9, description: "Tenth of the estimated chance to land." }),
      bundles: count("Sent and ended."),
      estimated: t.Number({ description: "Mean of the estimates." }),
      landed_share: t.Number({ description: "What landed of them." }),
    }),
  ),
});

export const RunbookSchema = t.Object({ name: t.String(), markdown: t.String() });

export const ModelChangesSchema = t.Object({
  changes: t.Array(
    t.Object({
      at_ms: t.Integer({ description: "Unix ms." }),
      action: t.String({ description: "promote, rollback, shadow, unshadow or retire." }),
      from: t.String(),
      to: t.String(),
      by: t.String(),
      why: t.String(),
    }),
    { description: "Newest first." },
  ),
});
export const ModelHashSchema = t.Object(
  { hash: t.String({ pattern: "^[0-9a-f]{16}$", description: "Of a version on record." }) },
  { additionalProperties: false },
);
