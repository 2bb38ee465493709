/** Where transactions are read, sent and auctioned: the local cluster's own doors, or in mode live the network's. */
import type { Config } from "#core/config.ts";
import { createRpc, type Rpc } from "./rpc.ts";

type Endpoints = {
  readonly rpcUrl: string;
  /** Of the block engine's regions, at least one. */
  readonly blockEngineUrls: readonly string[];
  /** Empty: at the block engine. */
  readonly tipFloorUrl: string;
};

export function endpointsOf(config: Config): Endpoints {
  if (config.mode === "live")
    return {
      rpcUrl: config["market.rpcUrl"],
      blockEngineUrls: [config["execute.blockEngineUrl"], ...config["execute.blockEngineRegions"].split(",")]
        .map(bare)
        .filter(Boolean),
      tipFloorUrl: bare(config["execute.tipFloorUrl"]),
    };
  return {
    rpcUrl: `http://127.0.0.1:${config["sim.rpcPort"]}`,
    tipFloorUrl: "",
    blockEngineUrls: [`http://127.0.0.1:${config["sim.blockEnginePort"]}`],
  };
}

const bare = (url: string): string => url.trim().replace(/\/+$/, "");

/** The cluster that a run reads from; undefined in a replay, which asks nobody. */
export const openRpc = (config: Config): Rpc | undefined =>
  config.mode === "replay" ? undefined : createRpc({ url: endpointsOf(config).rpcUrl });
