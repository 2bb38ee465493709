/**
 * The market in the box, running: the local cluster with its doors, the pools, traders and rivals of the seed, and the
 * block engine. It always starts from genesis, but above the last slot that anybody has seen.
 */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import type { Log } from "#core/log.ts";
import type { RunPaths } from "#core/paths.ts";
import { createCluster } from "./cluster/lite-cluster.ts";
import { startSlotClock } from "./cluster/slot-clock.ts";
import { readProgramFile } from "./genesis/program-file.ts";
import { createMarketBox, startPulse } from "./market-box.ts";
import { openDoors } from "./open-doors.ts";
import { saveSlot, saveSlotNowAndThen, startSlotOf } from "./slot-state.ts";

export type StartParts = {
  readonly config: Config;
  readonly paths: Pick<RunPaths, "simState">;
  readonly clock: Clock;
  readonly log: Log;
};

/** How often the market's counters are logged, in slots. */
const LOG_EVERY_SLOTS = 100n;

/** Answers how to stop it. Throws a SandpiperError when a port is taken or the state's file is damaged. */
export async function startMarket({ config, paths, log, clock }: StartParts): Promise<() => Promise<void>> {
  const seed = config["sim.seed"];
  const slotMs = config["sim.slotMs"];
  const cluster = createCluster({ seed, clock, slotMs, startSlot: startSlotOf(paths.simState) });
  const box = await createMarketBox(cluster, {
    seed,
    clock,
    slotMs,
    tradesPerSlot: config["sim.tradesPerSlot"],
    rivals: config["sim.rivals"],
    sandwichShare: config["sim.sandwichShare"],
    wallet: config["sim.wallet"],
    program: readProgramFile("cp-swap"),
    concentrated: { pools: config["sim.concentratedPools"], program: readProgramFile("clmm") },
  });
  const doors = await openDoors(cluster, box.engine, { config, clock });
  saveSlot(paths.simState, cluster.slot);
  const slotClock = startSlotClock(cluster, { slotMs, clock });
  const stopPulse = startPulse(box, slotMs);
  const stopSlots = cluster.onSlot((slot) => {
    saveSlotNowAndThen(paths.simState, slot);
    if (slot % LOG_EVERY_SLOTS !== 0n) return;
    const { traders, concentratedTraders, engine } = box;
    log.debug("market", {
      slot,
      slotsLost: slotClock.slotsLost,
      ...traders.counters,
      concentratedLanded: concentratedTraders.counters.landed,
      concentratedFailed: concentratedTraders.counters.failed,
      bundles: engine.counters.landed,
    });
  });
  const { pools, concentrated } = box.market;
  log.info("market open", {
    slot: cluster.slot,
    pools: pools.length,
    concentratedPools: concentrated.length,
    rpc: doors.rpcUrl,
    ws: doors.wsUrl,
  });
  return async () => {
    stopPulse();
    slotClock.stop();
    stopSlots();
    saveSlot(paths.simState, cluster.slot);
    await doors.stop();
  };
}
