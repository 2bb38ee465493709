/** The ways that the options allow: the block engine alone, or hedged by the leaders' own doors, an RPC node, or both. */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import type { Log } from "#core/log.ts";
import { RouteManager } from "#decide/routes/route-manager.ts";
import type { Route, RouteName, SendingRoute } from "#execute/route.ts";
import type { Rpc } from "#execute/rpc.ts";
import { openTpuEngine } from "#execute/tpu/open-tpu-engine.ts";
import type { TpuEngine } from "#execute/tpu/tpu-engine.ts";
import { TpuRoute } from "#execute/tpu/tpu-route.ts";
import type { Wallet } from "#execute/wallet.ts";
import { HedgedRoute } from "./hedged-route.ts";
import { RpcRoute } from "./rpc-route.ts";

export type OpenRoutes = {
  readonly route: Route;
  readonly tpu: TpuRoute | undefined;
  readonly tpuEngine: TpuEngine | undefined;
};

export function openRoutes(
  parts: { readonly config: Config; readonly clock: Clock; readonly random: () => number; readonly log: Log },
  wallet: Pick<Wallet, "keypair">,
  rpc: Rpc,
  main: Route,
  leader: () => string,
): OpenRoutes {
  const { config, clock, random } = parts;
  const hedge = config["execute.hedge"];
  if (hedge === "none") return { route: main, tpu: undefined, tpuEngine: undefined };
  const usesTpu = hedge !== "rpc";
  const tpuEngine = usesTpu ? openTpuEngine(wallet.keypair.tlsIdentity(), parts) : undefined;
  const tpu = tpuEngine && new TpuRoute(rpc, tpuEngine);
  const routes: SendingRoute[] = [main];
  if (tpu !== undefined) routes.push(tpu);
  if (hedge !== "tpu") routes.push(new RpcRoute(rpc, clock));
  // A direct way may land what fails; until there is experience the block engine goes first.
  const priors = { jito: { pLand: 0.8 }, tpu: { pLand: 0.5 }, rpc: { pLand: 0.3 } };
  const manager = new RouteManager<RouteName>(
    routes.map(({ name }) => name),
    random,
    priors,
  );
  const route = new HedgedRoute({
    main,
    routes,
    manager,
    moment: () => ({ leader: leader(), hour: Number((clock.wallNs() / 3_600_000_000_000n) % 24n) }),
    hedgeMsMin: config["execute.hedgeMsMin"],
    hedgeMsMax: config["execute.hedgeMsMax"],
    extraPctMax: config["execute.hedgeExtraPctMax"],
    sleep: Bun.sleep,
    clock,
  });
  return { route, tpu, tpuEngine };
}
