/** What the methods of the RPC door are: functions of the cluster and their parameters. */
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import type { Config } from "./params.ts";

/** The Agave whose runtime LiteSVM 1.5.0 is built from. */
export const AGAVE_VERSION = "4.2.0";

export type RpcContext = {
  readonly cluster: LocalCluster;
  /** Where the doors stand, for getClusterNodes; empty while not known. */
  readonly doors: { readonly rpc: string; readonly pubsub: string; readonly tpuQuic: string | null };
  /** Wraps a value as `{context, value}`; throws when the caller's minContextSlot is not reached. */
  context(config: Config, value: unknown): unknown;
};

type RpcMethod = (context: RpcContext, params: readonly unknown[]) => unknown;
export type RpcMethods = Readonly<Record<string, RpcMethod>>;
