/**
 * The market in the box: the local cluster with its doors, the pools, traders and rivals of the seed, and the block engine,
 * in one process. It always starts from genesis, but above the last slot that anybody has seen.
 */

import { startBlockEngineDoor } from "#sim/block-engine/door.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSlotClock } from "#sim/cluster/slot-clock.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";
import { readProgramFile } from "#sim/genesis/program-file.ts";
import { createMarketBox, startPulse } from "#sim/market-box.ts";
import { saveSlot, saveSlotNowAndThen, startSlotOf } from "#sim/slot-state.ts";
import { startTpuDoor } from "#sim/tpu/tpu-door.ts";
import { runAgent } from "#supervise/agent-runtime.ts";

/** How often the market's counters are logged, in slots. */
const LOG_EVERY_SLOTS = 100n;

runAgent("sim", async ({ config, paths, log, clock, ready }) => {
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
  const socketDoor = startSocketDoor(cluster, { port: config["sim.wsPort"], clock });
  const hedges = config["execute.hedge"] !== "none";
  const tpuDoor = hedges ? await startTpuDoor(cluster, { port: config["sim.tpuPort"] }) : undefined;
  const rpcDoor = startRpcDoor(cluster, {
    port: config["sim.rpcPort"],
    socketPort: socketDoor.port,
    ...(tpuDoor !== undefined && { tpuPort: tpuDoor.port }),
  });
  const engineDoor = startBlockEngineDoor(box.engine, { port: config["sim.blockEnginePort"] });
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
    rpc: rpcDoor.url,
    ws: socketDoor.url,
  });
  ready();
  return async () => {
    stopPulse();
    slotClock.stop();
    stopSlots();
    saveSlot(paths.simState, cluster.slot);
    await Promise.all([engineDoor.stop(), rpcDoor.stop(), socketDoor.stop(), tpuDoor?.stop()]);
  };
});
