/**
 * A fork of the operator's cluster, running: a local cluster with all its doors, whose programs and accounts come from the
 * origin and move with it. The wallet has money here; nothing reaches the network.
 */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { RunPaths } from "#core/paths.ts";
import type { Address } from "#core/units.ts";
import { createRpc, whole } from "#execute/rpc.ts";
import { BlockEngine, TICK_MS } from "#sim/block-engine/block-engine.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startSlotClock } from "#sim/cluster/slot-clock.ts";
import { SIM_ERROR } from "#sim/errors.ts";
import { openDoors } from "#sim/open-doors.ts";
import { writeForkReport } from "./fork-report.ts";
import { fundWallet, giveTokenAccount } from "./fork-wallet.ts";
import { RemoteFork } from "./remote-fork.ts";

/** Which accounts of the origin moved. */
type OriginWatch = {
  follow(addresses: Iterable<Address>): void;
  take(): { readonly moved: readonly Address[] | "all"; readonly found: readonly Address[] };
  stop(): void;
};

export type StartForkParts = {
  readonly config: Config;
  readonly paths: Pick<RunPaths, "forkReport">;
  readonly clock: Clock;
  readonly log: Log;
  readonly watch: OriginWatch;
};

const CALL_MS_MAX = 20_000;
/** Between two looks at what moved. */
const LOOK_MS = 50;
/** Between two looks when everything has to be read. */
const LOOK_AT_ALL_MS = 400;
/** Everything is read now and then all the same: a stream may have kept something to itself. */
const ALL_EVERY_MS = 30_000;
const REPORT_MS = 1_000;

/** Throws a SandpiperError when the origin does not answer, or a port is taken. */
export async function startFork(parts: StartForkParts): Promise<{ fork: RemoteFork; stop(): Promise<void> }> {
  const { config, clock, log } = parts;
  const origin = createRpc({ url: config["market.rpcUrl"], timeoutMs: CALL_MS_MAX });
  const slot = await origin("getSlot", [{ commitment: "processed" }]);
  const startSlot = slot.ok ? whole(slot.value) : undefined;
  if (startSlot === undefined)
    throw new SandpiperError(
      SIM_ERROR.fork,
      `Cannot fork: an origin (market.rpcUrl) that says its slot, was ${slot.ok ? "another answer" : slot.error.text}`,
      "later",
    );
  const slotMs = config["sim.slotMs"];
  const cluster = createCluster({ seed: config["sim.seed"], clock, slotMs, startSlot: BigInt(Math.max(1, startSlot)) });
  const wallet = config["sim.wallet"] as Address;
  const fork: RemoteFork = new RemoteFork(cluster, origin, {
    rejoinSlots: config["fork.rejoinSlots"],
    onTaken: async (address, state) => {
      if (wallet !== "") await giveTokenAccount(fork, wallet, address, state);
    },
  });
  if (wallet !== "") await fundWallet(fork, wallet, config["fork.walletSol"]);
  const engine = new BlockEngine(cluster, { clock });
  const doors = await openDoors(cluster, engine, { config, clock }, fork.prepare);
  const slotClock = startSlotClock(cluster, { slotMs, clock });
  const ticking = setInterval(() => engine.tick(), TICK_MS);
  log.info("fork open", { rpc: doors.rpcUrl, ws: doors.wsUrl, slot: cluster.slot });
  let running = true;
  const following = follow(parts, fork, () => running);
  return {
    fork,
    stop: async () => {
      running = false;
      parts.watch.stop();
      clearInterval(ticking);
      slotClock.stop();
      await following;
      fork.close();
      await doors.stop();
    },
  };
}

async function follow(parts: StartForkParts, fork: RemoteFork, running: () => boolean): Promise<void> {
  const { watch, paths, log } = parts;
  let [allAtMs, reportedAtMs, failed] = [0, 0, false];
  while (running()) {
    watch.follow(fork.addresses);
    const { moved, found } = watch.take();
    const all = failed || moved === "all" || Date.now() - allAtMs > ALL_EVERY_MS;
    try {
      if (found.length > 0) await fork.discover(found);
      await fork.refresh(all ? undefined : moved);
      if (all) allAtMs = Date.now();
      failed = false;
    } catch (thrown) {
      failed = true;
      log.warn("the origin did not answer; the fork is older than it", { why: errorText(thrown) });
    }
    if (Date.now() - reportedAtMs > REPORT_MS) {
      reportedAtMs = Date.now();
      writeForkReport(paths.forkReport, fork, reportedAtMs);
    }
    await Bun.sleep(moved === "all" || failed ? LOOK_AT_ALL_MS : LOOK_MS);
  }
  writeForkReport(paths.forkReport, fork, Date.now());
}
