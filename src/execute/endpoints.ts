/** Where transactions are read, sent and auctioned: the local cluster's own doors, or in mode live the network's. */
import type { Config } from "#core/config.ts";
import { createRpc, type Rpc } from "./rpc.ts";

type Endpoints = { readonly rpcUrl: string; readonly blockEngineUrl: string };

export function endpointsOf(config: Config): Endpoints {
  if (config.mode === "live")
    return { rpcUrl: config["market.rpcUrl"], blockEngineUrl: config["execute.blockEngineUrl"].replace(/\/+$/, "") };
  return {
    rpcUrl: `http://127.0.0.1:${config["sim.rpcPort"]}`,
    blockEngineUrl: `http://127.0.0.1:${config["sim.blockEnginePort"]}`,
  };
}

/** The cluster that a run reads from; undefined in a replay, which asks nobody. */
export const openRpc = (config: Config): Rpc | undefined =>
  config.mode === "replay" ? undefined : createRpc({ url: endpointsOf(config).rpcUrl });
