/**
 * The gateway: one TCP port with the API, the live stream and the pages. One door (door.ts) checks each request before
 * it reaches any of them, and dresses each answer.
 */
import type { Server } from "bun";
import type { Bus, GroupLag } from "#bus/bus.ts";
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { readMarketReport } from "#core/market-report.ts";
import type { RunPaths } from "#core/paths.ts";
import { readRunReport } from "#core/run-report.ts";
import { readTokenNames } from "#core/token-names.ts";
import { readTraceReport } from "#core/trace-report.ts";
import { readGuardReport } from "#slo/report.ts";
import { openAccess } from "./access.ts";
import { createApi } from "./api/api.ts";
import type { Audit } from "./audit.ts";
import { type Auth, untilMsOf } from "./auth/auth.ts";
import type { GatewayData } from "./data.ts";
import {
  assertLoopback,
  failure,
  isOwnOrigin,
  publicOriginOf,
  refusalOf,
  TurnedAway,
  withSecurityHeaders,
} from "./door.ts";
import { GATEWAY_ERROR } from "./errors.ts";
import { loadPages, type PageFiles } from "./page.ts";
import { LiveFeed } from "./realtime/live-feed.ts";
import { LiveSessions } from "./realtime/live-sessions.ts";
import { type LiveSocketData, socketHandler } from "./realtime/socket-transport.ts";
import {
  type Admission,
  type LiveRequest,
  sinceOf,
  startWebTransport,
  type WebTransport,
} from "./realtime/web-transport.ts";
import { ReportView } from "./report-view.ts";
import { RunTotalsCache } from "./run-totals.ts";
import { readStatus, type StatusSources } from "./status.ts";
import { Telemetry } from "./telemetry.ts";
import { TrainingDesk } from "./training-desk.ts";

export type GatewayOptions = {
  readonly config: Config;
  readonly paths: RunPaths;
  readonly runId: string;
  readonly bus: Bus;
  readonly data: GatewayData;
  readonly log: Log;
  /** The port to listen on when it is not config's; 0 lets the system choose. */
  readonly port?: number;
  readonly nowMs?: () => number;
  /** Where keys are looked for; the process's own when left out. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Shows the first account's password, once; on standard output when left out. */
  readonly show?: (text: string) => void;
};

export type Gateway = {
  readonly port: number;
  stop(): Promise<void>;
};

/** Seconds of silence after which a connection is let go. */
const IDLE_SECONDS_MAX = 30;
/** Above what the door takes: it is the door that says no, until a body is absurd. */
const REQUEST_BYTES_MAX = 65_536;
/** What needs an admin before anything of it is read. */
const COMMAND_PATH = "/api/control/module/";
const TRAINING_PATH = "/api/training/";
const MODEL_CHANGE = /^\/api\/models\/(promote|shadow|rollback)$/;
const HTTPS_PORT = 443;
/** What never is a file of a page, and so need not wait for them. */
const NO_PAGE = /^\/(api\/|live$|health$)/;
/** What needs no role: signing in, and whether it is well. */
const OPEN_PATHS = /^\/(api\/auth\/[^/]*|health)$/;

/** Throws a SandpiperError when the address is not loopback or the port is taken. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, log } = options;
  assertLoopback(config["gateway.host"]);
  const publicOrigin = publicOriginOf(config);
  const nowMs = options.nowMs ?? Date.now;
  const telemetry = new Telemetry(nowMs);
  const pages = startPages();
  const feed = new LiveFeed({
    bus: options.bus,
    telemetry,
    log,
    nowMs,
    clientsMax: config["gateway.liveClientsMax"],
    clientsPerAddressMax: config["gateway.liveClientsPerAddressMax"],
  });
  const guard = new ReportView(() => readGuardReport(options.paths.guardReport), nowMs);
  const names = new ReportView(() => readTokenNames(options.paths.tokenNames), nowMs);
  const market = new ReportView(() => readMarketReport(options.paths.marketReport), nowMs);
  const trace = new ReportView(() => readTraceReport(options.paths.traceReport), nowMs);
  const sources: StatusSources = {
    config,
    runId: options.runId,
    view: new ReportView(() => readRunReport(options.paths.runReport), nowMs),
    totals: new RunTotalsCache(options.data, nowMs),
    telemetry,
    guard: () => guard.report(),
    marketReport: () => market.report(),
    traceReport: () => trace.report(),
    busReadAtMs: () => feed.readAtMs(),
    groupLags: () => readGroupLags(options.bus),
    nowMs,
    startedAtMs: nowMs(),
  };
  const access = await openAccess(options, nowMs);
  const door = { ...access, anonymous: config["gateway.anonymous"] };
  const live: LiveParts = { off: "it starts" };
  const realtime = () => ({
    websocket: "/live" as const,
    webtransport: toldOf(live.transport, publicOrigin),
    webtransport_off: live.off,
    now_ms: nowMs(),
  });
  const api = createApi({
    data: options.data,
    sources,
    live: () => feed.stats(),
    ledgerFolder: options.paths.ledger,
    modelsFolder: options.paths.models,
    tokenNames: () => names.report(),
    realtime,
    door,
    training: new TrainingDesk({
      ...{ bus: options.bus, trainingDir: options.paths.training, modelsDir: options.paths.models, nowMs },
    }),
    log,
  });
  const sessions = new LiveSessions({ feed, status: () => readStatus(sources), nowMs });
  const stopParts = async () => {
    sessions.stop();
    live.transport?.stop();
    await Promise.all([feed.stop(), access.stop()]);
  };
  try {
    const server = listen(options, { pages, api, feed, sessions, publicOrigin, ...access });
    const port = server.port ?? 0;
    const admit = (request: LiveRequest) => admitLive(request, { port, publicOrigin, auth: access.auth });
    const started = startWebTransport({ config, port, feed, sessions, admit, log, nowMs });
    if ("off" in started) live.off = started.off;
    else Object.assign(live, { transport: started, off: "" });
    return {
      port,
      stop: async () => {
        await stopParts();
        await server.stop(true);
      },
    };
  } catch (thrown) {
    await stopParts();
    throw thrown;
  }
}

/**
 * From source the pages are bundled at every start, which takes longer than all else of it: the API and the live stream do
 * not wait for that, only who asks for a page. A gateway that cannot have its pages ends.
 */
function startPages(): Promise<PageFiles> {
  const pages = loadPages();
  pages.catch((thrown: unknown) =>
    queueMicrotask(() => {
      throw thrown;
    }),
  );
  return pages;
}

/** WebTransport when it is on, else why not. */
type LiveParts = { transport?: WebTransport; off: string };

/** Through a proxy its datagrams come at the public origin's own port (envoy/README.md). */
function toldOf(transport: WebTransport | undefined, publicOrigin: URL | undefined) {
  if (transport === undefined) return null;
  const info = transport.info();
  return publicOrigin === undefined ? info : { ...info, port: Number(publicOrigin.port || HTTPS_PORT) };
}

type LiveDoor = { readonly port: number; readonly publicOrigin: URL | undefined; readonly auth: Auth };

/** The door of a WebTransport session: the same questions as a WebSocket passes. */
async function admitLive(
  { path, origin, token }: LiveRequest,
  { port, publicOrigin, auth }: LiveDoor,
): Promise<Admission> {
  if (path !== "/live") return { status: 404 };
  if (origin !== "" && !isOwnOrigin(origin, port, publicOrigin)) return { status: 403 };
  const headers = new Headers(token === undefined ? {} : { Authorization: `Bearer ${token}` });
  const request = new Request("http://localhost/live", { headers });
  try {
    await auth.admit(request, "viewer", "read");
    return { untilMs: untilMsOf(request) };
  } catch (thrown) {
    if (thrown instanceof TurnedAway) return { status: thrown.response.status };
    throw thrown;
  }
}

function readGroupLags(bus: Bus): readonly GroupLag[] {
  try {
    return bus.groupLags();
  } catch {
    // The file is locked or away for the moment; readAtMs above tells when it stays so.
    return [];
  }
}

type Served = {
  readonly pages: Promise<PageFiles>;
  readonly api: (request: Request) => Promise<Response>;
  readonly feed: LiveFeed;
  readonly sessions: LiveSessions;
  readonly publicOrigin: URL | undefined;
  readonly auth: Auth;
  readonly audit: Audit;
};

function listen(
  { config, port = config["gateway.port"] }: GatewayOptions,
  { pages, api, feed, sessions, publicOrigin, auth, audit }: Served,
): Server<LiveSocketData> {
  const answer = async (request: Request, server: Server<LiveSocketData>): Promise<Response | undefined> => {
    const refusal = refusalOf(request, publicOrigin);
    if (refusal) {
      const reason = `${request.method.slice(0, 10)} ${request.url.slice(0, 100)}`;
      audit.refused({ door: "api", who: "", code: `status_${refusal.status}`, reason, message: new Uint8Array(0) });
      return refusal;
    }
    const { pathname } = new URL(request.url);
    const page = NO_PAGE.test(pathname) ? undefined : (await pages).get(pathname);
    if (page) return page.response(request);
    if (pathname.startsWith(COMMAND_PATH)) await auth.admit(request, "admin", pathname.slice(COMMAND_PATH.length));
    else if (request.method === "POST" && pathname.startsWith(TRAINING_PATH))
      await auth.admit(request, "admin", "train");
    else if (MODEL_CHANGE.test(pathname)) await auth.admit(request, "admin", "change the model");
    else if (!OPEN_PATHS.test(pathname)) await auth.admit(request, "viewer", "read");
    return pathname === "/live" ? upgrade(request, server, feed) : await api(request);
  };
  try {
    return Bun.serve<LiveSocketData>({
      hostname: config["gateway.host"],
      port,
      development: false,
      // Without this, Bun shares a taken port in production mode, and half the requests would go to another instance.
      reusePort: false,
      idleTimeout: IDLE_SECONDS_MAX,
      maxRequestBodySize: REQUEST_BYTES_MAX,
      fetch: async (request, server) => {
        const response = await answer(request, server).catch((thrown: unknown) => {
          if (thrown instanceof TurnedAway) return thrown.response;
          throw thrown;
        });
        return response && withSecurityHeaders(response);
      },
      error: () => withSecurityHeaders(failure(500, "internal", "Cannot answer: the gateway's log says why")),
      websocket: socketHandler(sessions),
    });
  } catch (thrown) {
    throw new SandpiperError(
      GATEWAY_ERROR.port,
      `Cannot listen on ${config["gateway.host"]}:${port}: a free port (gateway.port), was ${errorText(thrown)}`,
      "later",
      { cause: thrown },
    );
  }
}

/** Undefined when the socket took over. */
function upgrade(request: Request, server: Server<LiveSocketData>, feed: LiveFeed): Response | undefined {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    const refusal = failure(426, "upgrade_required", "Cannot stream: a WebSocket upgrade, was a plain request");
    refusal.headers.set("Upgrade", "websocket");
    return refusal;
  }
  const subscription = feed.subscribe({
    address: server.requestIP(request)?.address ?? "",
    sinceMs: sinceOf(new URL(request.url)),
    pieceBytesMax: () => Number.POSITIVE_INFINITY,
  });
  if (!subscription)
    return failure(
      503,
      "too_many_clients",
      "Cannot stream: fewer pages at a time (gateway.liveClientsMax, gateway.liveClientsPerAddressMax)",
    );
  // A browser that offers protocols wants one of them back; the token among them is none.
  const offered = request.headers.get("sec-websocket-protocol") ?? "";
  const headers = /(^|,)\s*sandpiper\s*(,|$)/.test(offered) ? { "Sec-WebSocket-Protocol": "sandpiper" } : {};
  if (server.upgrade(request, { headers, data: { subscription, untilMs: untilMsOf(request) } })) return undefined;
  feed.unsubscribe(subscription);
  return failure(400, "upgrade_required", "Cannot stream: a valid WebSocket handshake");
}
