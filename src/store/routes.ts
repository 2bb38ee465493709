/**
 * Which topic goes into which ingest table, as which protobuf message, and where its views put the rows. Topics that are
 * not here are not recorded: control-acks-proto and policy-updates-proto have no message format yet, dead-letter-proto
 * is for other consumers than the tables.
 */
import { errorText } from "#core/error.ts";
import { decodeEnvelope } from "#wire/envelope.ts";
import { unreadableBecause } from "#wire/readable.ts";
import type { Topic } from "#wire/topics.ts";

export type Route = {
  readonly topic: Topic;
  readonly table: string;
  /** File and message, as ClickHouse's setting format_schema wants them. */
  readonly message: string;
  /** The typed tables that the views of `table` fill; each message ends in exactly one of them. */
  readonly targets: readonly string[];
  /** Why ClickHouse must not get these bytes, or undefined. What it then still cannot read it refuses itself. */
  readonly refusal: (value: Uint8Array) => string | undefined;
};

/** Payloads of an Envelope with their number in the enum realtime.Type. */
const TYPE_OF = { arb: 1, mev: 2, outcome: 3, metrics: 4, training: 5, dataset: 6 } as const;
type Payload = keyof typeof TYPE_OF;

const ENVELOPE = "realtime:Envelope";

export const ROUTES: readonly Route[] = [
  {
    topic: "arbitrage-decisions-proto",
    table: "ingest_arbitrage_decisions",
    message: ENVELOPE,
    targets: ["arb_opportunities"],
    refusal: envelopeOf("arb"),
  },
  {
    topic: "sandwich-decisions-proto",
    table: "ingest_sandwich_decisions",
    message: ENVELOPE,
    targets: ["mev_opportunities"],
    refusal: envelopeOf("mev"),
  },
  {
    topic: "bundle-outcomes-proto",
    table: "ingest_bundle_outcomes",
    message: ENVELOPE,
    targets: ["bundle_outcomes_typed"],
    refusal: envelopeOf("outcome"),
  },
  {
    topic: "metrics-proto",
    table: "ingest_metrics",
    message: ENVELOPE,
    targets: ["metrics", "training_progress", "datasets"],
    refusal: envelopeOf("metrics", "training", "dataset"),
  },
  {
    topic: "control-commands-proto",
    table: "ingest_control_commands",
    message: "control:Command",
    targets: ["control_ledger"],
    refusal: (value) => unreadableBecause("Command", value),
  },
  {
    topic: "train-requests-proto",
    table: "ingest_train_requests",
    message: "jobs:TrainRequest",
    targets: ["train_jobs"],
    refusal: (value) => unreadableBecause("TrainRequest", value),
  },
  {
    topic: "train-acks-proto",
    table: "ingest_train_acks",
    message: "jobs:TrainAck",
    targets: ["train_job_states"],
    refusal: (value) => unreadableBecause("TrainAck", value),
  },
];

/** An envelope that no view would take must not vanish: its payload must be one of these, and agree with its type. */
function envelopeOf(...payloads: readonly Payload[]): Route["refusal"] {
  return (value) => {
    try {
      const { type, payload } = decodeEnvelope(value);
      const found = payloads.find((name) => name === payload.case);
      if (found === undefined) return `a payload of ${payloads.join(", ")}, was ${payload.case ?? "none"}`;
      if (Number(type) !== TYPE_OF[found])
        return `type ${TYPE_OF[found]} for the payload ${found}, was ${Number(type)}`;
      return undefined;
    } catch (thrown) {
      return errorText(thrown);
    }
  };
}
