/**
 * The engine's HTTP door on loopback, with Jito's paths:
 *
 *   POST /api/v1/bundles, /getBundleStatuses, /getInflightBundleStatuses, /getTipAccounts    JSON-RPC
 *   POST /api/v1/transactions[?bundleOnly=true]                    JSON-RPC sendTransaction; x-bundle-id in the answer
 *   GET  /api/v1/bundles/tip_floor                                 JSON
 *   WS   /api/v1/bundles/tip_stream                                the same, at once and then every second
 *
 * Clients that ask more often than the limit get 429 and Jito's error; each path answers only its own methods.
 */
import { errorText, SandpiperError } from "#core/error.ts";
import { answerText, jsonText, RpcError } from "#sim/cluster/rpc/json-rpc.ts";
import { type Prepare, prepareCalls } from "#sim/cluster/rpc/prepare.ts";
import { SIM_ERROR } from "#sim/errors.ts";
import type { BlockEngine } from "./block-engine.ts";
import { callMethod, rateLimited, sendTransaction } from "./methods.ts";
import { RequestBudget } from "./request-budget.ts";

const HOST = "127.0.0.1";
/** Five transactions in base64 and their wrapping fit ten times over. */
const REQUEST_BYTES_MAX = 128 * 1024;
/** Generous: Jito gives one a second without an agreement. */
const REQUESTS_PER_SECOND_MAX = 500;
const TIP_STREAM = "/api/v1/bundles/tip_stream";
const TIP_STREAM_MS = 1_000;
const JSON_HEADERS = { "content-type": "application/json" };
const BUNDLE_PATHS: ReadonlySet<string> = new Set([
  "/api/v1/bundles",
  "/api/v1/getBundleStatuses",
  "/api/v1/getInflightBundleStatuses",
  "/api/v1/getTipAccounts",
]);

export type BlockEngineDoorOptions = {
  /** 0 takes a free port. */
  readonly port: number;
  readonly requestsPerSecondMax?: number;
  /** Waited for before a call is answered: a fork fetches what a bundle needs. */
  readonly prepare?: Prepare;
};
export type BlockEngineDoor = { readonly port: number; readonly url: string; stop(): Promise<void> };

/** Throws a SandpiperError when the port is taken. */
export function startBlockEngineDoor(engine: BlockEngine, options: BlockEngineDoorOptions): BlockEngineDoor {
  try {
    return serve(engine, options);
  } catch (cause) {
    throw new SandpiperError(
      SIM_ERROR.blockEngine,
      `Cannot open the block engine: port ${options.port} must be free, was: ${errorText(cause)}`,
      "later",
      { cause },
    );
  }
}

function serve(engine: BlockEngine, options: BlockEngineDoorOptions): BlockEngineDoor {
  const budget = new RequestBudget(options.requestsPerSecondMax ?? REQUESTS_PER_SECOND_MAX, engine.clock);
  const tipFloor = () => [engine.tipFloor.read(Number(engine.clock.wallNs() / 1_000_000n))];
  const server = Bun.serve({
    hostname: HOST,
    port: options.port,
    maxRequestBodySize: REQUEST_BYTES_MAX,
    websocket: {
      open(socket) {
        socket.subscribe(TIP_STREAM);
        socket.send(JSON.stringify(tipFloor()));
      },
      // Nobody is to say anything here.
      message() {},
      maxPayloadLength: 1_024,
    },
    async fetch(request, self) {
      const url = new URL(request.url);
      if (!budget.take()) return limited();
      if (url.pathname === TIP_STREAM)
        return self.upgrade(request) ? undefined : new Response("Upgrade Required", { status: 426 });
      if (request.method === "GET" && url.pathname === "/api/v1/bundles/tip_floor") return Response.json(tipFloor());
      const known = BUNDLE_PATHS.has(url.pathname) || url.pathname === "/api/v1/transactions";
      if (!known) return new Response("Not Found", { status: 404 });
      if (request.method !== "POST") return new Response("Method Not Allowed", { status: 405 });
      const text = await request.text();
      const refused = options.prepare && (await prepareCalls(text, options.prepare));
      if (refused !== undefined) return new Response(refused, { headers: JSON_HEADERS });
      return url.pathname === "/api/v1/transactions"
        ? answerTransaction(engine, text, url.searchParams.get("bundleOnly") === "true")
        : answerBundles(engine, text);
    },
  });
  const port = server.port ?? options.port;
  const stream = setInterval(() => server.publish(TIP_STREAM, JSON.stringify(tipFloor())), TIP_STREAM_MS);
  stream.unref();
  return {
    port,
    url: `http://${HOST}:${port}`,
    stop: () => {
      clearInterval(stream);
      return server.stop(true);
    },
  };
}

function limited(): Response {
  const { code, message } = rateLimited();
  return new Response(jsonText({ jsonrpc: "2.0", error: { code, message }, id: null }), {
    status: 429,
    headers: JSON_HEADERS,
  });
}

/** Jito answers a refused call with 400, and a full auction with 429. */
function answerBundles(engine: BlockEngine, text: string): Response {
  let status = 200;
  const answer = answerText(text, (method, params) =>
    withStatus(
      () => callMethod(engine, method, params),
      (code) => {
        status = code;
      },
    ),
  );
  return new Response(answer, { status, headers: JSON_HEADERS });
}

function answerTransaction(engine: BlockEngine, text: string, bundleOnly: boolean): Response {
  let status = 200;
  const headers = new Headers(JSON_HEADERS);
  const answer = answerText(text, (method, params) =>
    withStatus(
      () => {
        if (method !== "sendTransaction") return undefined;
        const { signature, bundleId } = sendTransaction(engine, params, bundleOnly);
        if (bundleId !== undefined) headers.set("x-bundle-id", bundleId);
        return { result: signature };
      },
      (code) => {
        status = code;
      },
    ),
  );
  return new Response(answer, { status, headers });
}

function withStatus<T>(call: () => T, set: (status: number) => void): T {
  try {
    return call();
  } catch (thrown) {
    if (thrown instanceof RpcError) set(thrown.code === rateLimited().code ? 429 : 400);
    throw thrown;
  }
}
