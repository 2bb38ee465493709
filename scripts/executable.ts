/**
 * The entry of the compiled executable, which holds every role: `sandpiper agent <name> …` is that process, anything else
 * is a command of the CLI. From source each of these files is started by itself.
 */
import { main } from "#cli/main.ts";

const ROLES: Readonly<Record<string, () => Promise<unknown>>> = {
  clickhouse: () => import("../agents/clickhouse.ts"),
  sim: () => import("../agents/sim.ts"),
  feed: () => import("../agents/feed.ts"),
  arbitrage: () => import("../agents/arbitrage.ts"),
  mev: () => import("../agents/mev.ts"),
  recorder: () => import("../agents/recorder.ts"),
  gateway: () => import("../agents/gateway.ts"),
  guard: () => import("../agents/guard.ts"),
  trainer: () => import("../agents/trainer.ts"),
};

const [command, name, ...rest] = process.argv.slice(2);
const role = command === "agent" && name !== undefined && Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
if (role !== undefined) await role();
else process.exit(await main(command === undefined ? [] : name === undefined ? [command] : [command, name, ...rest]));
