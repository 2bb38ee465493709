/** The local cluster in one process: the market in the box, or in mode fork a private copy of the operator's cluster. */
import { watchOrigin } from "#market/live/watch-origin.ts";
import { startFork } from "#sim/fork/start-fork.ts";
import { startMarket } from "#sim/start-market.ts";
import { type AgentContext, runAgent } from "#supervise/agent-runtime.ts";
import { ensureWallet } from "#supervise/first-start.ts";

runAgent("sim", async (given) => {
  // Without SOL the agent never begins to trade, so the market knows its wallet whoever started this process.
  const wallet = given.config["sim.wallet"] || ensureWallet(given.paths);
  const agent: AgentContext = { ...given, config: { ...given.config, "sim.wallet": wallet } };
  const forks = agent.config.mode === "fork";
  const stop = forks ? (await startFork({ ...agent, watch: await watchOrigin(agent) })).stop : await startMarket(agent);
  agent.ready();
  return stop;
});
