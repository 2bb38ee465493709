/**
 * The guard process: once a second it looks at what each trading agent measured about itself, throttles or kills it when
 * a service level stays broken, and says so. It reads and writes shared memory; bus, store and gateway may be down.
 */
import { errorText } from "#core/error.ts";
import { GUARD_LINE_BYTES } from "#memory/guard-line.ts";
import { createRegion } from "#memory/region.ts";
import { TELEMETRY_BYTES } from "#memory/telemetry.ts";
import { objectivesOf } from "#slo/objectives.ts";
import { GuardRecord, objectiveReport, wordsOf } from "#slo/report.ts";
import { Watch } from "#slo/watch.ts";
import { runAgent } from "#supervise/agent-runtime.ts";

const SECOND_MS = 1_000;

runAgent("guard", async ({ config, paths, clock, log, ready }) => {
  // A replay's time is the recording's: lag and latency in it say nothing about now.
  const acts = config["guard.acts"] === "yes" && config.mode !== "replay";
  const record = new GuardRecord(paths.guardReport);
  const watch = new Watch({
    agent: "arbitrage",
    objectives: objectivesOf(config),
    telemetry: createRegion(paths.telemetry("arbitrage"), TELEMETRY_BYTES),
    line: createRegion(paths.guardLine("arbitrage"), GUARD_LINE_BYTES),
    before: record.orderBefore("arbitrage"),
    clock,
    acts,
  });
  const second = () => {
    const action = watch.second();
    const atMs = Number(clock.wallNs() / 1_000_000n);
    if (action !== undefined) {
      const { kind, throttlePct } = action;
      const because = wordsOf(action.because);
      record.did({ atMs, agent: watch.agent, kind, throttlePct, because });
      log.warn(`guard: ${kind} ${watch.agent}`, { throttlePct, because });
    }
    const agents = [{ agent: watch.agent, ...watch.order(), objectives: watch.verdicts.map(objectiveReport) }];
    try {
      record.write({ atMs, acts, agents });
    } catch (thrown) {
      log.warn("guard report not written", { why: errorText(thrown) });
    }
  };
  second();
  const ticking = setInterval(second, SECOND_MS);
  ready();
  return () => clearInterval(ticking);
});
