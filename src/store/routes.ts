/**
 * Which topic goes into which ingest table, as which protobuf message, and where its views put the rows. Topics that are
 * not here are not recorded: control-acks-proto and policy-updates-proto have no message format yet, dead-letter-proto
 * is for other consumers than the tables.
 */
import { errorText } from "#core/error.ts";
import { decodeEnvelope, type Envelope } from "#wire/envelope.ts";
import { unreadableBecause } from "#wire/readable.ts";
import type { Topic } from "#wire/topics.ts";

export type Route = {
  readonly topic: Topic;
  readonly table: string;
  /** File and message, as ClickHouse's setting format_schema wants them. */
  readonly message: string;
  /** The typed tables that the views of `table` fill; each message ends in exactly one of them. */
  readonly targets: readonly string[];
  /**
   * Where a message may come twice (Kafka), what makes two messages one. The large tables replace by their sort key, which
   * is made of the message's own time and id (clickhouse/kafka/0001). The small ones are asked before a row is added: by
   * these columns, which stand in the message as in the table.
   */
  readonly once: "replaced" | { readonly target: string; readonly columns: string };
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
    once: "replaced",
    refusal: envelopeOf("arb"),
  },
  {
    topic: "sandwich-decisions-proto",
    table: "ingest_sandwich_decisions",
    message: ENVELOPE,
    targets: ["mev_opportunities"],
    once: "replaced",
    refusal: envelopeOf("mev"),
  },
  {
    topic: "bundle-outcomes-proto",
    table: "ingest_bundle_outcomes",
    message: ENVELOPE,
    targets: ["bundle_outcomes_typed"],
    once: "replaced",
    refusal: envelopeOf("outcome"),
  },
  {
    topic: "metrics-proto",
    table: "ingest_metrics",
    message: ENVELOPE,
    targets: ["metrics", "training_progress", "datasets"],
    once: "replaced",
    refusal: envelopeOf("metrics", "training", "dataset"),
  },
  {
    topic: "control-commands-proto",
    table: "ingest_control_commands",
    message: "control:Command",
    targets: ["control_ledger"],
    once: { target: "control_ledger", columns: "request_id, issuer, nonce, sig" },
    refusal: (value) => unreadableBecause("Command", value),
  },
  {
    topic: "train-requests-proto",
    table: "ingest_train_requests",
    message: "jobs:TrainRequest",
    targets: ["train_jobs"],
    once: { target: "train_jobs", columns: "job_id" },
    refusal: (value) => unreadableBecause("TrainRequest", value),
  },
  {
    topic: "train-acks-proto",
    table: "ingest_train_acks",
    message: "jobs:TrainAck",
    targets: ["train_job_states"],
    once: { target: "train_job_states", columns: "job_id, state, message" },
    refusal: (value) => unreadableBecause("TrainAck", value),
  },
];

/** What of an insert is not in the table, and each message once: for routes that are asked; else nothing. */
export function notThereYet({ once }: Route, database: string): string {
  if (once === "replaced") return "";
  const { target, columns } = once;
  return `(${columns}) NOT IN (SELECT ${columns} FROM ${database}.${target}) LIMIT 1 BY ${columns}`;
}

function idOf({ case: kind, value }: Envelope["payload"]): string {
  switch (kind) {
    case "arb":
    case "mev":
      return value.decisionId;
    case "outcome":
      return value.bundleId;
    case "metrics":
      return value.agent;
    case "training":
      return value.jobId;
    case "dataset":
      return value.name;
    case undefined:
      return "";
  }
}

/** An envelope that no view would take must not vanish: its payload must be one of these, and agree with its type. */
function envelopeOf(...payloads: readonly Payload[]): Route["refusal"] {
  return (value) => {
    try {
      const { type, payload } = decodeEnvelope(value);
      const found = payloads.find((name) => name === payload.case);
      if (found === undefined) return `a payload of ${payloads.join(", ")}, was ${payload.case ?? "none"}`;
      if (Number(type) !== TYPE_OF[found])
        return `type ${TYPE_OF[found]} for the payload ${found}, was ${Number(type)}`;
      // Without one the row could not be told from others.
      return idOf(payload) === "" ? "the payload of its type with an id, was none" : undefined;
    } catch (thrown) {
      return errorText(thrown);
    }
  };
}
