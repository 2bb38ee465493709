/**
 * The market source that the options ask for. Sim and fork follow the local cluster, replay a recording, live the network:
 * by Yellowstone gRPC, by a node's RPC and WebSocket, or by both at once.
 */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import { SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { type MarketPosition, resumeSlotOf } from "./catch-up.ts";
import { MARKET_ERROR } from "./errors.ts";
import { createLiveSource } from "./live/live-source.ts";
import { checkNode, openStreams } from "./live/open-streams.ts";
import { RpcNode } from "./live/rpc-node.ts";
import { poolFilter } from "./pool-filter.ts";
import { createReplaySource } from "./replay-source.ts";
import { readAccounts, readRpcSnapshot } from "./rpc-snapshot.ts";
import { createSimSource } from "./sim-source.ts";
import type { MarketSource } from "./source.ts";

export type OpenSourceParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this run: no two runs pause alike. */
  readonly runId: string;
  /** Waited for before each recorded block. */
  readonly pace: () => Promise<void>;
  /** What a feed passed on last, the newest first, so that nothing is missed over its restart and nothing told twice. */
  readonly since?: (max: number) => readonly MarketPosition[];
};

/** Transactions of an earlier feed that are known again: some seconds of a busy market. */
const PASSED_MAX = 2_048;

export function openMarketSource(parts: OpenSourceParts): MarketSource {
  const { config, clock, log, runId, pace, since } = parts;
  switch (config.mode) {
    case "replay":
      return createReplaySource({ path: config["replay.path"], pace });
    case "sim":
    case "fork":
      return createSimSource({
        rpcUrl: `http://127.0.0.1:${config["sim.rpcPort"]}`,
        wsUrl: `ws://127.0.0.1:${config["sim.wsPort"]}`,
        clock,
        random: seededRandom(`feed ${runId}`),
        filter: poolFilter(config),
        ...(since === undefined ? {} : { since: () => since(1)[0] }),
        log,
      });
    case "live":
      return openLive(parts);
  }
}

function openLive({ config, clock, log, runId, since }: OpenSourceParts): MarketSource {
  const random = seededRandom(`feed ${runId}`);
  const [rpcUrl, wsUrl, grpcUrl] = [config["market.rpcUrl"], config["market.wsUrl"], config["market.grpcUrl"]];
  if (rpcUrl === "" || wsUrl + grpcUrl === "")
    throw new SandpiperError(
      MARKET_ERROR.mode,
      "Cannot follow the network: market.rpcUrl and one of market.grpcUrl and market.wsUrl set, was one of them missing",
    );
  const node = new RpcNode(rpcUrl, random);
  const vaults = new Set<Address>();
  const filter = poolFilter(config);
  const commitment = config["market.commitment"];
  const passed = since?.(PASSED_MAX) ?? [];
  const fromSlot = resumeSlotOf(passed);
  const streams = openStreams({ config, clock, random, log, node, accounts: vaults, fromSlot });
  return createLiveSource({
    streams,
    passed,
    snapshot: () => readRpcSnapshot(node, commitment, filter.pools),
    accounts: (addresses) => readAccounts(node, addresses, commitment),
    vaults,
    node: node.counters,
    allowed: filter.passes,
    check: () => checkNode(node, config["market.genesisHash"]),
    clock,
    random,
    log,
  });
}
