/** All doors of a local cluster, on the ports of the options: RPC, WebSocket, block engine, and the TPU where it is used. */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import type { BlockEngine } from "./block-engine/block-engine.ts";
import { startBlockEngineDoor } from "./block-engine/door.ts";
import type { LocalCluster } from "./cluster/local-cluster.ts";
import { type RpcDoorOptions, startRpcDoor } from "./cluster/rpc-door.ts";
import { startSocketDoor } from "./cluster/socket-door.ts";
import { startTpuDoor } from "./tpu/tpu-door.ts";

export type Doors = { readonly rpcUrl: string; readonly wsUrl: string; stop(): Promise<void> };

/** Throws a SandpiperError when a port is taken. `prepare` is waited for before a call is answered. */
export async function openDoors(
  cluster: LocalCluster,
  engine: BlockEngine,
  { config, clock }: { readonly config: Config; readonly clock: Clock },
  prepare?: RpcDoorOptions["prepare"],
): Promise<Doors> {
  const ws = startSocketDoor(cluster, { port: config["sim.wsPort"], clock });
  const hedges = config["execute.hedge"] !== "none";
  const tpu = hedges ? await startTpuDoor(cluster, { port: config["sim.tpuPort"] }) : undefined;
  const first = prepare === undefined ? {} : { prepare };
  const rpc = startRpcDoor(cluster, {
    port: config["sim.rpcPort"],
    socketPort: ws.port,
    ...(tpu !== undefined && { tpuPort: tpu.port }),
    ...first,
  });
  const jito = startBlockEngineDoor(engine, { port: config["sim.blockEnginePort"], ...first });
  const stop = async () => {
    await Promise.all([jito.stop(), rpc.stop(), ws.stop(), tpu?.stop()]);
  };
  return { rpcUrl: rpc.url, wsUrl: ws.url, stop };
}
