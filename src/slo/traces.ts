/**
 * Traces of the slow path for OpenTelemetry: of a share of the bundles that came to an end, one trace each, from the market
 * event to the landing, sent as OTLP/HTTP JSON (opentelemetry.io/docs/specs/otlp) to otel.endpoint. Everything in it comes from
 * the Outcome on the bus, so nothing in an agent waits for it, and the same bundle gives the same trace id everywhere.
 */
import { createHash } from "node:crypto";
import type { Bus } from "#bus/bus.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { decodeEnvelope, type Outcome } from "#wire/envelope.ts";

/** Traces in one request, requests that wait at most this long, and an answer for as long. */
const BATCH_MAX = 256;
const WAIT_MS = 1_000;
const ANSWER_MS_MAX = 5_000;
const RETRY_MS = 1_000;
/** Tries of one request; then its traces are dropped and counted. */
const TRIES_MAX = 3;

/** Span kinds and status codes of the protocol. */
const KIND_INTERNAL = 1;
const KIND_CLIENT = 3;
const STATUS_OK = 1;
const STATUS_ERROR = 2;

type Span = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly Attribute[];
  readonly status?: { readonly code: number; readonly message?: string };
};
type Attribute = {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
};

export type TracesOptions = {
  readonly bus: Pick<Bus, "consumer">;
  /** Base address of a collector: /v1/traces is added. */
  readonly endpoint: string;
  /** Share of the bundles that are traced, 0..1. */
  readonly share: number;
  readonly version: string;
  readonly log: Log;
};

export type Traces = {
  /** Traces that were sent, and those that no collector took. */
  readonly counts: { sent: number; dropped: number };
  stop(): Promise<void>;
};

export function startTraces(options: TracesOptions): Traces {
  const { bus, share, log } = options;
  const counts = { sent: 0, dropped: 0 };
  const consumer = bus.consumer({ group: "traces", topics: ["bundle-outcomes-proto"], start: "next", ephemeral: true });
  let running = true;
  const turn = async () => {
    if (!(await consumer.wait(WAIT_MS))) return;
    const spans: Span[] = [];
    for (const { value } of await consumer.poll(BATCH_MAX)) {
      const outcome = outcomeOf(value);
      if (outcome !== undefined && isSampled(outcome.decisionId, share)) spans.push(...spansOf(outcome));
    }
    if (spans.length > 0) await deliver(spans, options, counts, () => running);
  };
  const work = async () => {
    while (running) {
      try {
        await turn();
      } catch (thrown) {
        log.warn("traces cannot be read from the bus now", { why: errorText(thrown) });
        await Bun.sleep(RETRY_MS);
      }
    }
  };
  const working = work();
  return {
    counts,
    stop: async () => {
      running = false;
      await working;
      await consumer.close();
    },
  };
}

/** The same share of decisions whoever asks: by the first 32 bits of the trace id. */
export const isSampled = (decisionId: string, share: number): boolean =>
  Number.parseInt(traceIdOf(decisionId).slice(0, 8), 16) < share * 2 ** 32;

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const traceIdOf = (decisionId: string): string => digestOf(decisionId).slice(0, 32);

function outcomeOf(bytes: Uint8Array): Outcome | undefined {
  try {
    const { payload } = decodeEnvelope(bytes);
    return payload.case === "outcome" ? payload.value : undefined;
  } catch {
    // Poison is the recorder's business.
    return undefined;
  }
}

/** The root span from event to end, and under it one for each step that was taken. */
export function spansOf(outcome: Outcome): readonly Span[] {
  const { decisionId, eventNs, decideNs, sendNs, acceptedNs, landNs, state, reason } = outcome;
  const traceId = traceIdOf(decisionId);
  const spanIdOf = (name: string) => digestOf(`${decisionId} ${name}`).slice(0, 16);
  const root = spanIdOf("bundle");
  const steps: readonly (readonly [name: string, kind: number, fromNs: bigint, toNs: bigint])[] = [
    ["decide", KIND_INTERNAL, eventNs, decideNs],
    ["build and sign", KIND_INTERNAL, decideNs, sendNs],
    ["route", KIND_CLIENT, sendNs, acceptedNs],
    ["landing", KIND_CLIENT, acceptedNs, landNs],
  ];
  const landed = state === "landed";
  const bundle: Span = {
    ...{ traceId, spanId: root, name: "bundle", kind: KIND_INTERNAL },
    startTimeUnixNano: String(eventNs),
    endTimeUnixNano: String(landNs),
    attributes: attributesOf(outcome),
    status: landed ? { code: STATUS_OK } : { code: STATUS_ERROR, message: `${state}: ${reason}` },
  };
  const under = steps
    .filter(([, , fromNs, toNs]) => fromNs > 0n && toNs >= fromNs)
    .map(([name, kind, fromNs, toNs]) => ({
      ...{ traceId, spanId: spanIdOf(name), parentSpanId: root, name, kind },
      startTimeUnixNano: String(fromNs),
      endTimeUnixNano: String(toNs),
    }));
  return [bundle, ...under];
}

function attributesOf(outcome: Outcome): readonly Attribute[] {
  const text = (key: string, value: string): Attribute => ({ key: `sandpiper.${key}`, value: { stringValue: value } });
  const whole = (key: string, value: bigint): Attribute => ({
    key: `sandpiper.${key}`,
    value: { intValue: String(value) },
  });
  return [
    text("decision_id", outcome.decisionId),
    text("bundle_id", outcome.bundleId),
    text("agent", outcome.agent),
    text("mode", outcome.mode),
    text("route", outcome.path),
    text("leader", outcome.leader),
    text("state", outcome.state),
    whole("tip_lamports", outcome.tipLamports),
    whole("realised_net_lamports", outcome.realisedNetLamports),
    whole("decided_slot", outcome.decidedSlot),
    whole("landed_slot", outcome.landedSlot),
  ];
}

/** Tries a few times; a collector that is away costs its traces and nothing else. */
async function deliver(
  spans: readonly Span[],
  { endpoint, version, log }: TracesOptions,
  counts: Traces["counts"],
  goesOn: () => boolean,
): Promise<void> {
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "sandpiper" } }] };
  const scopeSpans = [{ scope: { name: "sandpiper", version }, spans }];
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans }] });
  const traces = spans.filter(({ parentSpanId }) => parentSpanId === undefined).length;
  let why = "";
  for (let tries = 0; tries < TRIES_MAX && goesOn(); tries++) {
    if (tries > 0) await Bun.sleep(RETRY_MS);
    try {
      const answer = await fetch(`${endpoint.replace(/\/$/, "")}/v1/traces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      if (answer.ok) {
        counts.sent += traces;
        return;
      }
      why = `status ${answer.status}`;
    } catch (thrown) {
      why = errorText(thrown);
    }
  }
  counts.dropped += traces;
  log.warn("traces dropped: the collector did not take them", { why, dropped: counts.dropped });
}
