/** The local cluster in one process: the market in the box, or in mode fork a private copy of the operator's cluster. */
import { watchOrigin } from "#market/live/watch-origin.ts";
import { startFork } from "#sim/fork/start-fork.ts";
import { startMarket } from "#sim/start-market.ts";
import { runAgent } from "#supervise/agent-runtime.ts";

runAgent("sim", async (agent) => {
  const forks = agent.config.mode === "fork";
  const stop = forks ? (await startFork({ ...agent, watch: await watchOrigin(agent) })).stop : await startMarket(agent);
  agent.ready();
  return stop;
});
