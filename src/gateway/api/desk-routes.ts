/** What the page shows beside the record: processes and queues, tips and routes, whether estimates hold, the runbook. */
import { Elysia } from "elysia";
import type { TokenNames } from "#core/token-names.ts";
import type { GatewayData } from "#gateway/data.ts";
import type { LiveStats } from "#gateway/realtime/live-feed.ts";
import { runbookPage } from "#gateway/runbook.ts";
import { runWindow, type StatusSources } from "#gateway/status.ts";
import {
  CalibrationSchema,
  ProcessesSchema,
  RoutesSchema,
  RunbookSchema,
  TipsSchema,
  TokensSchema,
} from "./desk-schemas.ts";
import { readNoQuery } from "./query.ts";
import { ErrorSchema } from "./schemas.ts";

const refusals = { 400: ErrorSchema, 401: ErrorSchema, 414: ErrorSchema } as const;
const storeAway = { ...refusals, 503: ErrorSchema } as const;

export function deskRoutes(parts: {
  readonly data: GatewayData;
  readonly sources: StatusSources;
  readonly live: () => LiveStats;
  readonly tokenNames: () => TokenNames | undefined;
}) {
  const { data, sources } = parts;
  return new Elysia({ normalize: false })
    .onBeforeHandle(({ request }) => readNoQuery(new URL(request.url)))
    .get("/api/processes", () => processesOf(sources, parts.live()), {
      response: { 200: ProcessesSchema, ...refusals },
      detail: {
        tags: ["Run"],
        summary: "Processes, queues and drops",
        description:
          "The supervisor's report with heartbeats, what each agent last measured, and what waits on the bus.",
      },
    })
    .get(
      "/api/tokens",
      () => ({ tokens: Object.entries(parts.tokenNames() ?? {}).map(([mint, name]) => ({ mint, ...name })) }),
      {
        response: { 200: TokensSchema, ...refusals },
        detail: {
          tags: ["Run"],
          summary: "What tokens call themselves",
          description:
            "Of the tokens that followed pools trade, as Token-2022 and Metaplex have it; empty in a replay.",
        },
      },
    )
    .get("/api/tips", () => tipsOf(sources), {
      response: { 200: TipsSchema, ...refusals },
      detail: {
        tags: ["Run"],
        summary: "The rungs of the tip ladder, and how they fared",
        description: "As the agents' bandits have it now; empty while none plays.",
      },
    })
    .get(
      "/api/routes",
      async () => ({
        routes: (await data.routes(runWindow(sources))).map((route) => ({
          ...{ path: route.path, sent: route.sent, landed: route.landed },
          ...{ tip_lamports: route.tipLamports.toString(), profit_lamports: route.profitLamports.toString() },
          ...{ acknowledged_ms_p50: route.acknowledgedMsP50, acknowledged_ms_p99: route.acknowledgedMsP99 },
          ...{ landed_ms_p50: route.landedMsP50, slot_deltas: [...route.slotDeltas], ends: [...route.ends] },
        })),
      }),
      {
        response: { 200: RoutesSchema, ...storeAway },
        detail: {
          tags: ["Record"],
          summary: "Routes of this run",
          description: "How many bundles went each way, how they ended, how long it took and how many slots.",
        },
      },
    )
    .get(
      "/api/calibration",
      async () => ({
        buckets: (await data.calibration(runWindow(sources))).map((bucket) => ({
          ...{ model_hash: bucket.modelHash, bucket: bucket.bucket, bundles: bucket.bundles },
          ...{ estimated: bucket.estimated, landed_share: bucket.landedShare },
        })),
      }),
      {
        response: { 200: CalibrationSchema, ...storeAway },
        detail: {
          tags: ["Record"],
          summary: "Whether estimated chances to land hold",
          description: "Sent bundles of this run by model and by tenths of the estimate, against what landed of them.",
        },
      },
    )
    .get(
      "/api/runbook/:name",
      ({ params, status }) => {
        const name = String(params.name);
        const markdown = runbookPage(name);
        if (markdown !== undefined) return { name, markdown };
        const message = `Cannot find the page: the name of an alarm, was ${JSON.stringify(name.slice(0, 40))}`;
        return status(404, { error: { code: "not_found", message } });
      },
      {
        response: { 200: RunbookSchema, 404: ErrorSchema, ...refusals },
        detail: {
          tags: ["Run"],
          summary: "What to do about an alarm",
          description: "A page of docs/runbook, as Markdown.",
          parameters: [
            { name: "name", in: "path", required: true, description: "Of the alarm.", schema: { type: "string" } },
          ],
        },
      },
    );
}

function processesOf(sources: StatusSources, { clients, refused, dropped, poison, busLag }: LiveStats) {
  const report = sources.view.report();
  const nowMs = sources.nowMs();
  return {
    report_age_ms: report ? Math.max(0, nowMs - report.updatedAtMs) : null,
    processes: (report?.processes ?? []).map((process) => ({
      ...{ name: process.name, pid: process.pid, state: process.state, core: process.core },
      ...{ restarts: process.restarts, last_exit: process.lastExit, started_at_ms: process.startedAtMs },
      heartbeat_age_ms: process.heartbeatAgeMs < 0 ? null : process.heartbeatAgeMs,
    })),
    agents: [...sources.telemetry.agents()].map(([agent, metrics]) => ({
      ...{ agent, heard_age_ms: Math.max(0, nowMs - sources.telemetry.heardAtMs(agent)) },
      ...{ events: Number(metrics.events), decisions: Number(metrics.decisions), sends: Number(metrics.sends) },
      ...{ ring_depth_max: metrics.ringDepthMax, market_dropped: Number(metrics.marketDropped) },
      publish_dropped: Number(metrics.publishDropped),
      hotpath_us: [metrics.hotpathP50Ns, metrics.hotpathP99Ns, metrics.hotpathP999Ns, metrics.hotpathMaxNs].map(
        (ns) => Number(ns) / 1_000,
      ),
    })),
    queues: sources.groupLags().map(({ group, topic, messages }) => ({ group, topic, messages })),
    live: { clients, refused, dropped, poison, bus_lag: busLag },
  };
}

const tipsOf = ({ telemetry }: StatusSources) => ({
  agents: [...telemetry.agents()]
    .filter(([, { tipLadder }]) => tipLadder.length > 0)
    .map(([agent, { tipLadder, tipPlayed, tipLanded, tipPayoff }]) => ({
      agent,
      arms: tipLadder.map((tip, i) => ({
        ...{ tip_lamports: tip.toString(), played: Number(tipPlayed[i] ?? 0), landed: Number(tipLanded[i] ?? 0) },
        payoff: tipPayoff[i] ?? 0,
      })),
    })),
});
