/**
 * The JSON-RPC door: Solana's HTTP RPC on loopback, as Agave answers it, for Sandpiper itself, its tests and any client
 * of Solana. Accounts are served from the slot being built for every commitment; slots, blocks and statuses follow the
 * commitment that was asked for.
 */

import type { LocalCluster } from "./local-cluster.ts";
import { DOOR_HOST, openDoor } from "./open-door.ts";
import { ACCOUNT_METHODS } from "./rpc/account-methods.ts";
import { BLOCK_METHODS } from "./rpc/block-methods.ts";
import { CHAIN_METHODS } from "./rpc/chain-methods.ts";
import { answerText, type RpcHandler } from "./rpc/json-rpc.ts";
import { AGAVE_VERSION, type RpcContext, type RpcMethods } from "./rpc/methods.ts";
import { contextSlot } from "./rpc/params.ts";
import { type Prepare, prepareCalls } from "./rpc/prepare.ts";
import { SEND_METHODS } from "./rpc/send-methods.ts";

const METHODS: RpcMethods = { ...CHAIN_METHODS, ...ACCOUNT_METHODS, ...BLOCK_METHODS, ...SEND_METHODS };
/** Agave's own limit. */
const REQUEST_BYTES_MAX = 50 * 1024;

export type RpcDoorOptions = {
  /** 0 takes a free port. */
  readonly port: number;
  /** Port of the socket door, told to clients by getClusterNodes. */
  readonly socketPort?: number;
  /** Port of the TPU door, told there too. */
  readonly tpuPort?: number;
  /** Waited for before a call is answered: a fork fetches what the call needs. */
  readonly prepare?: Prepare;
};
export type RpcDoor = { readonly port: number; readonly url: string; stop(): Promise<void> };

/** Throws a SandpiperError when the port is taken. */
export function startRpcDoor(cluster: LocalCluster, options: RpcDoorOptions): RpcDoor {
  const doors = {
    rpc: `${DOOR_HOST}:${options.port}`,
    tpuQuic: options.tpuPort === undefined ? null : `${DOOR_HOST}:${options.tpuPort}`,
    pubsub: options.socketPort === undefined ? "" : `${DOOR_HOST}:${options.socketPort}`,
  };
  const handle = rpcHandler(cluster, doors);
  const server = openDoor("RPC door", options.port, () =>
    Bun.serve({
      hostname: DOOR_HOST,
      port: options.port,
      maxRequestBodySize: REQUEST_BYTES_MAX,
      development: false,
      // Outside development Bun would share a port that another process has.
      reusePort: false,
      async fetch(request) {
        if (request.method === "GET" && new URL(request.url).pathname === "/health") return new Response("ok");
        if (request.method === "OPTIONS") return new Response(null, { headers: ALLOW });
        if (request.method !== "POST")
          return new Response("Used HTTP Method is not allowed. POST or OPTIONS is required\n", { status: 405 });
        const text = await request.text();
        const refused = options.prepare && (await prepareCalls(text, options.prepare));
        return new Response(refused ?? answerText(text, handle) ?? "", { headers: JSON_HEADERS });
      },
    }),
  );
  const port = server.port ?? options.port;
  doors.rpc = `${DOOR_HOST}:${port}`;
  return { port, url: `http://${DOOR_HOST}:${port}`, stop: () => server.stop(true) };
}

const ALLOW = { allow: "POST, OPTIONS" };
const JSON_HEADERS = { "content-type": "application/json" };

function rpcHandler(cluster: LocalCluster, doors: RpcContext["doors"]): RpcHandler {
  const context: RpcContext = {
    cluster,
    doors,
    context: (config, value) => ({ context: { apiVersion: AGAVE_VERSION, slot: contextSlot(cluster, config) }, value }),
  };
  return (name, params) => {
    const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    return method === undefined ? undefined : { result: method(context, params) };
  };
}
