/**
 * A cluster that others point at: a market in the box in real time, with all its doors and a Yellowstone server, as a node
 * of the network would have them. What somebody's transactions did there can be asked.
 */
import { loadConfig } from "#core/config.ts";
import type { Address } from "#core/units.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import type { RecordedTransaction } from "#sim/cluster/local-cluster.ts";
import { startSlotClock } from "#sim/cluster/slot-clock.ts";
import { readProgramFile } from "#sim/genesis/program-file.ts";
import { createMarketBox, startPulse } from "#sim/market-box.ts";
import { openDoors } from "#sim/open-doors.ts";
import { startFakeGeyser } from "./fake-geyser/fake-geyser.ts";
import { freePorts } from "./supervised-run.ts";

const SLOT_MS = 200;
const PORTS = ["sim.rpcPort", "sim.wsPort", "sim.blockEnginePort"] as const;

export async function startOrigin(seed: string, wallet: string, slotMs = SLOT_MS) {
  const ports = await freePorts(PORTS.length);
  const flags = PORTS.flatMap((key, i) => [`--${key}`, String(ports[i])]);
  const { config } = loadConfig({ environment: {}, flags });
  const clock = createSystemClock();
  const cluster = createCluster({ seed, clock, slotMs });
  const box = await createMarketBox(cluster, {
    ...{ seed, clock, slotMs, wallet },
    tradesPerSlot: 4,
    rivals: 0,
    program: readProgramFile("cp-swap"),
    concentrated: { pools: 2, program: readProgramFile("clmm") },
  });
  const transactions: RecordedTransaction[] = [];
  cluster.onTransaction((transaction) => transactions.push(transaction));
  const doors = await openDoors(cluster, box.engine, { config, clock });
  const slots = startSlotClock(cluster, { slotMs, clock });
  const stopPulse = startPulse(box, slotMs);
  const geyser = await startFakeGeyser(cluster);
  return {
    cluster,
    box,
    rpcUrl: doors.rpcUrl,
    wsUrl: doors.wsUrl,
    blockEngineUrl: `http://127.0.0.1:${config["sim.blockEnginePort"]}`,
    grpcUrl: geyser.url,
    genesisHash: cluster.genesisHash,
    /** Transactions that name this account. */
    naming: (address: Address) => transactions.filter(({ keys }) => keys.includes(address)),
    stop: async () => {
      stopPulse();
      slots.stop();
      await geyser.stop();
      await doors.stop();
    },
  };
}
