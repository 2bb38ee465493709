/**
 * The API: routes on Elysia, and the OpenAPI document that is made from them at /openapi.json. Each route
 * checks its query by the same table that documents it (query.ts).
 */
import { openapi } from "@elysiajs/openapi";
import { Elysia, type Static, t, ValidationError } from "elysia";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { TokenNames } from "#core/token-names.ts";
import type { GatewayData } from "#gateway/data.ts";
import { failure, TurnedAway } from "#gateway/door.ts";
import { GATEWAY_ERROR } from "#gateway/errors.ts";
import type { LiveStats } from "#gateway/realtime/live-feed.ts";
import { readHealth, readStatus, runWindow, type StatusSources } from "#gateway/status.ts";
import type { TrainingDesk } from "#gateway/training-desk.ts";
import { authRoutes } from "./auth-routes.ts";
import { type ControlParts, controlRoutes } from "./control-routes.ts";
import { deskRoutes } from "./desk-routes.ts";
import { ledgerRoutes } from "./ledger-routes.ts";
import { modelRoutes } from "./model-routes.ts";
import { namedFeatures } from "./named-features.ts";
import { OPENAPI_INFO } from "./openapi-info.ts";
import { prometheusText } from "./prometheus.ts";
import {
  DECISION_PARAMETERS,
  nextCursor,
  OUTCOME_PARAMETERS,
  openapiParameters,
  PROFIT_PARAMETERS,
  readDecisionQuery,
  readNoQuery,
  readOutcomeQuery,
  readProfitQuery,
  readSandwichQuery,
  SANDWICH_PARAMETERS,
} from "./query.ts";
import {
  DecisionDetailSchema,
  DecisionListSchema,
  ErrorSchema,
  GuardSchema,
  HealthSchema,
  OutcomeListSchema,
  ProfitSchema,
  RealtimeSchema,
  SandwichListSchema,
  StatusSchema,
} from "./schemas.ts";
import { trainingRoutes } from "./training-routes.ts";

export type ApiOptions = {
  readonly data: GatewayData;
  readonly sources: StatusSources;
  readonly live: () => LiveStats;
  readonly ledgerFolder: string;
  readonly modelsFolder: string;
  readonly tokenNames: () => TokenNames | undefined;
  /** How the live stream is reached. */
  readonly realtime: () => Static<typeof RealtimeSchema>;
  readonly door: ControlParts & { readonly anonymous: "viewer" | "none" };
  readonly training: TrainingDesk;
  readonly log: Log;
};

const BUCKET_MS_MIN = 1_000;
/** Longest id that is looked for; longer ones are simply not there. */
const ID_LENGTH_MAX = 128;

const NOTHING = new Uint8Array(0);

const badQuery = { 400: ErrorSchema, 414: ErrorSchema } as const;
const storeAway = { 503: ErrorSchema } as const;

/** Answers any request under /api, /health, /metrics and /openapi.json; never throws. */
export function createApi(options: ApiOptions): (request: Request) => Promise<Response> {
  const api = routesOf(options);
  return (request) => Promise.resolve(api.handle(request));
}

/** Every route with what it takes and answers: what a typed client (Eden) is made from. */
export type Api = ReturnType<typeof routesOf>;

function routesOf(options: ApiOptions) {
  return new Elysia({ normalize: false })
    .onError(({ error, code, path }) => {
      const answer = asFailure(error, String(code), path, options.log);
      if (answer.status === 400 && path.startsWith("/api/control/"))
        options.door.audit.refused({ door: "api", who: "", code: "invalid_body", reason: path, message: NOTHING });
      return answer;
    })
    .use(openapi({ provider: null, path: "/swagger", specPath: "/openapi.json", documentation: OPENAPI_INFO }))
    .use(runRoutes(options))
    .use(recordRoutes(options))
    .use(authRoutes(options.door))
    .use(controlRoutes(options.door))
    .use(ledgerRoutes(options.ledgerFolder))
    .use(trainingRoutes({ auth: options.door.auth, training: options.training }))
    .use(deskRoutes(options))
    .use(modelRoutes({ folder: options.modelsFolder, auth: options.door.auth, nowMs: options.sources.nowMs }));
}

function runRoutes({ sources, live, realtime }: ApiOptions) {
  return new Elysia({ normalize: false })
    .get(
      "/api/status",
      ({ request }) => {
        readNoQuery(new URL(request.url));
        return readStatus(sources);
      },
      {
        response: { 200: StatusSchema, ...badQuery },
        detail: {
          tags: ["Run"],
          summary: "The run on one page",
          description:
            "Always answers. When the store is away the last known sums are given and store.reachable is false.",
        },
      },
    )
    .get(
      "/api/guard",
      ({ request, status }) => {
        readNoQuery(new URL(request.url));
        const report = sources.guard();
        if (report !== undefined) return structuredClone(report) as Static<typeof GuardSchema>;
        const message = "Cannot show the guard: one that has reported, was none";
        return status(404, { error: { code: "not_found", message } });
      },
      {
        response: { 200: GuardSchema, 404: ErrorSchema, ...badQuery },
        detail: {
          tags: ["Run"],
          summary: "What the guard sees and has done",
          description: "Every service level with its limit and its present value, and the last actions.",
        },
      },
    )
    .get(
      "/api/realtime",
      ({ request }) => {
        readNoQuery(new URL(request.url));
        return realtime();
      },
      {
        response: { 200: RealtimeSchema, ...badQuery },
        detail: {
          tags: ["Run"],
          summary: "How to read the live stream",
          description:
            "Each WebSocket frame and each WebTransport datagram is one zstd-compressed protobuf Batch; what must arrive comes " +
            "on one WebTransport stream, each Batch behind its length (big-endian u32). After a reconnect say ?since=<resume_ms> " +
            "of the newest Batch that had one. docs/realtime.md has examples.",
        },
      },
    )
    .get(
      "/health",
      async ({ request, status }) => {
        readNoQuery(new URL(request.url));
        const health = await readHealth(sources);
        return status(health.ok ? 200 : 503, health);
      },
      {
        response: { 200: HealthSchema, 503: HealthSchema, ...badQuery },
        detail: {
          tags: ["Run"],
          summary: "Whether everything that should run does",
          description: "503 with the reasons.",
        },
      },
    )
    .get(
      "/metrics",
      async ({ request, set }) => {
        readNoQuery(new URL(request.url));
        set.headers["content-type"] = "text/plain; version=0.0.4; charset=utf-8";
        return prometheusText({
          status: await readStatus(sources),
          telemetry: sources.telemetry,
          live: live(),
          groupLags: sources.groupLags(),
          guard: sources.guard(),
          market: sources.marketReport(),
          trace: sources.traceReport(),
        });
      },
      {
        response: { 200: t.String({ description: "Prometheus text format 0.0.4." }), ...badQuery },
        detail: {
          tags: ["Run"],
          summary: "Figures for Prometheus",
          description: "Names start with sandpiper_ and never change.",
        },
      },
    );
}

function recordRoutes({ data, sources }: ApiOptions) {
  return new Elysia({ normalize: false })
    .get(
      "/api/decisions",
      async ({ request }) => {
        const query = readDecisionQuery(new URL(request.url));
        const decisions = await data.decisions(query);
        const next = nextCursor(decisions, query.limit, (row) => ({ ns: BigInt(row.decide_ns), id: row.decision_id }));
        return { decisions, next };
      },
      {
        response: { 200: DecisionListSchema, ...badQuery, ...storeAway },
        detail: {
          tags: ["Record"],
          summary: "Decisions, newest first",
          description: "Every decision on record, sent or not, of this run and of earlier ones.",
          parameters: openapiParameters(DECISION_PARAMETERS),
        },
      },
    )
    .get(
      "/api/decisions/:id",
      async ({ request, params, status }) => {
        readNoQuery(new URL(request.url));
        // Null when the path holds bytes that are no UTF-8.
        const id: string | null = params.id;
        const found = id !== null && id.length <= ID_LENGTH_MAX ? await data.decision(id) : undefined;
        const shown = JSON.stringify(id?.slice(0, ID_LENGTH_MAX) ?? "bytes that are no text");
        if (found) return { ...found, features: namedFeatures(found.features) };
        return status(404, {
          error: { code: "not_found", message: `Cannot find the decision: a decision_id on record, was ${shown}` },
        });
      },
      {
        response: { 200: DecisionDetailSchema, 404: ErrorSchema, ...badQuery, ...storeAway },
        detail: {
          tags: ["Record"],
          summary: "One decision with its features and its outcome",
          description: "The outcome is null while it is not known, or when nothing was sent.",
          parameters: [
            { name: "id", in: "path", required: true, description: "The decision_id.", schema: { type: "string" } },
          ],
        },
      },
    )
    .get(
      "/api/outcomes",
      async ({ request }) => {
        const query = readOutcomeQuery(new URL(request.url));
        const outcomes = await data.outcomes(query);
        return {
          outcomes,
          next: nextCursor(outcomes, query.limit, (row) => ({ ns: BigInt(row.land_ns), id: row.bundle_id })),
        };
      },
      {
        response: { 200: OutcomeListSchema, ...badQuery, ...storeAway },
        detail: {
          tags: ["Record"],
          summary: "Outcomes of sent bundles, newest first",
          description: "One final state per bundle, with the reason when it did not land.",
          parameters: openapiParameters(OUTCOME_PARAMETERS),
        },
      },
    )
    .get(
      "/api/sandwiches",
      async ({ request }) => {
        const query = readSandwichQuery(new URL(request.url));
        const sandwiches = await data.sandwiches(query);
        const next = nextCursor(sandwiches, query.limit, (row) => ({ ns: BigInt(row.decide_ns), id: row.decision_id }));
        return { sandwiches, next };
      },
      {
        response: { 200: SandwichListSchema, ...badQuery, ...storeAway },
        detail: {
          tags: ["Record"],
          summary: "Sandwiches by others, newest first",
          description: "What the mev agent found, with its legs, its victims and the evidence.",
          parameters: openapiParameters(SANDWICH_PARAMETERS),
        },
      },
    )
    .get("/api/profit", ({ request }) => profitOfRun(new URL(request.url), data, sources), {
      response: { 200: ProfitSchema, ...badQuery, ...storeAway },
      detail: {
        tags: ["Record"],
        summary: "Profit of this run over time",
        description: "Running sums of realised profit and landed bundles.",
        parameters: openapiParameters(PROFIT_PARAMETERS),
      },
    });
}

async function profitOfRun(url: URL, data: GatewayData, sources: StatusSources) {
  const { points } = readProfitQuery(url);
  const window = runWindow(sources);
  const elapsedMs = Math.max(0, sources.nowMs() - window.sinceMs);
  const stepMs = Math.max(BUCKET_MS_MIN, Math.ceil(elapsedMs / points));
  let profit = 0n;
  let landed = 0;
  const steps = await data.profit(window, stepMs);
  return {
    started_at_ms: window.sinceMs,
    points: steps.map((step) => {
      profit += step.lamports;
      landed += step.landed;
      return { at_ms: window.sinceMs + (step.bucket + 1) * stepMs, profit_lamports: profit.toString(), landed };
    }),
  };
}

function asFailure(error: unknown, code: string, path: string, log: Log): Response {
  if (error instanceof TurnedAway) return error.response;
  if (code === "NOT_FOUND")
    return failure(404, "not_found", `Cannot find ${JSON.stringify(path.slice(0, 100))}: a path of /swagger`);
  // An answer of ours that is not what we say of it is our fault.
  const asked = !(error instanceof ValidationError) || error.type !== "response";
  if ((code === "VALIDATION" && asked) || code === "PARSE")
    return failure(400, "invalid_body", "Cannot read the body: JSON as /swagger describes it, was something else");
  if (error instanceof SandpiperError && error.code === GATEWAY_ERROR.body)
    return failure(400, "invalid_body", error.message);
  if (error instanceof SandpiperError && error.code === GATEWAY_ERROR.query)
    return failure(400, "invalid_query", error.message);
  if (error instanceof SandpiperError && error.retry !== "never") {
    const answer = failure(503, "store_unreachable", error.message);
    answer.headers.set("Retry-After", "1");
    return answer;
  }
  log.error("cannot answer", { path, why: errorText(error) });
  return failure(500, "internal", "Cannot answer: the gateway's log says why");
}
