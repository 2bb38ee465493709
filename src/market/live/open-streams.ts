/** The streams of the network that the options name: Yellowstone gRPC, a node's WebSocket, or both. */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import { SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Random } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { RAYDIUM_CLMM_PROGRAM, RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { MARKET_ERROR } from "#market/errors.ts";
import type { LiveStream } from "./live-stream.ts";
import type { RpcNode } from "./rpc-node.ts";
import { createRpcStream } from "./rpc-stream.ts";
import { createYellowstoneStream } from "./yellowstone-stream.ts";

export type StreamsParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly node: RpcNode;
  /** Accounts to follow beside those of the programs; may grow. */
  readonly accounts: Set<Address>;
  /** Where a feed before this one ended; without it they begin with what is now. */
  readonly fromSlot?: number;
};

/** Empty where no stream is configured. */
export function openStreams({ config, clock, random, log, node, accounts, fromSlot = 0 }: StreamsParts): LiveStream[] {
  const [wsUrl, grpcUrl] = [config["market.wsUrl"], config["market.grpcUrl"]];
  const filter = { programs: [RAYDIUM_CPMM_PROGRAM, RAYDIUM_CLMM_PROGRAM], accounts };
  const common = { clock, random, log, filter, fromSlot, commitment: config["market.commitment"] };
  const streams: LiveStream[] = [];
  if (grpcUrl !== "")
    streams.push(createYellowstoneStream({ ...common, name: "grpc", url: grpcUrl, token: config["market.grpcToken"] }));
  if (wsUrl !== "") streams.push(createRpcStream({ ...common, name: "ws", wsUrl, node }));
  return streams;
}

/**
 * Refuses a node of another cluster, whose pools are not there, and one that says itself that it lags. Asked before
 * anything of it is used; `genesisHash` empty takes any cluster.
 */
export async function checkNode(node: RpcNode, genesisHash: string): Promise<void> {
  if (genesisHash !== "") {
    const found = (await node.call("getGenesisHash", [])).text();
    if (found !== genesisHash)
      throw new SandpiperError(
        MARKET_ERROR.wrongNode,
        `Cannot follow the network: a node of the cluster with genesis hash ${genesisHash} (market.genesisHash), was ${node.name} with ${found}`,
      );
  }
  const health = await node.health();
  if (health !== "ok")
    throw new SandpiperError(
      MARKET_ERROR.staleNode,
      `Cannot follow the network: a node that keeps up with its cluster, was ${node.name}, which says: ${health}`,
      "later",
    );
}
