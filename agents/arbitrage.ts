/**
 * The arbitrage agent's main thread: the hot loop and nothing else. It parks on the market ring's doorbell when there is
 * nothing to do and goes back to the event loop at least every WAIT_MS_MAX, for signals and the worker's words; each turn
 * and each batch is a heartbeat. Everything slow lives in arbitrage-io.ts, a Worker that shares the memory made here.
 */
import { recordingFolder } from "#core/recording-folder.ts";
import { bellRinger, createAgentMemory } from "#decide/agent-memory.ts";
import { CatalogueFollower } from "#decide/catalogue-follower.ts";
import { COUNTER, countersOver } from "#decide/counters.ts";
import { PolicyDesk } from "#decide/policy-desk.ts";
import { openHotLoop } from "#decide/taped-loop.ts";
import { IoThread } from "#execute/io-thread.ts";
import { createDoorbell } from "#ffi/doorbell.ts";
import { GUARD_LINE_BYTES, GuardLineReader } from "#memory/guard-line.ts";
import { createRegion, openRegion } from "#memory/region.ts";
import { SLOT_RING_DOORBELL_BYTE } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { hotPathHistogram, TELEMETRY_BYTES, TelemetryFigures } from "#memory/telemetry.ts";
import { openLiveModels } from "#model/default-model.ts";
import { runAgent } from "#supervise/agent-runtime.ts";

/** Longest sleep on the doorbell: a flipped model is noticed within two of them. And most batches before the event loop gets its turn. */
const WAIT_MS_MAX = 20;
const BATCHES_MAX = 256;

runAgent("arbitrage", async ({ config, paths, clock, log, ready, beat, runId }) => {
  const { model, shadow } = openLiveModels(paths.models, "arb", log);
  const recording = recordingFolder(config["record.path"], runId, "tape");
  const memory = createAgentMemory(recording !== undefined);
  const telemetry = createRegion(paths.telemetry("arbitrage"), TELEMETRY_BYTES);
  const guardLine = createRegion(paths.guardLine("arbitrage"), GUARD_LINE_BYTES);
  const io = new IoThread(new Worker(new URL("./arbitrage-io.ts", import.meta.url), { name: "arbitrage-io" }));
  const runStartMs = Date.now();
  const run = { config, runStartMs, modelHash: model.hash, recording };
  await io.start({ ...run, memory });
  const market = openRegion(paths.marketRing("arbitrage"));
  const doorbell = createDoorbell(market, SLOT_RING_DOORBELL_BYTE);
  const switchboard = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  const guard = new GuardLineReader(guardLine, clock.monotonicNs());
  const policy = new PolicyDesk(switchboard, guard, new Switchboard(memory.switchboard), (limits) =>
    log.info("limits in force", { ...limits }),
  );
  policy.keep(clock.monotonicNs());
  const counters = countersOver(memory.counters);
  const figures = new TelemetryFigures(telemetry);
  const parts = {
    switchboard,
    model,
    // A replay of the tape knows the model that decides, not one that only looks on.
    ...(recording === undefined && { shadow }),
    clock,
    counters,
    latency: hotPathHistogram(telemetry),
    wake: bellRinger(memory),
  };
  const loop = openHotLoop(parts, { ...memory, market }, run);
  const catalogue = new CatalogueFollower(loop, paths.poolCatalogue);
  let running = true;
  const work = async () => {
    while (running) {
      beat();
      doorbell.wait(WAIT_MS_MAX);
      for (let batch = 0, taken = 1; batch < BATCHES_MAX && taken > 0; batch++) {
        policy.keep(clock.monotonicNs());
        taken = loop.doWork();
        beat();
      }
      catalogue.follow(clock.monotonicNs());
      figures.set("newestFeedNs", counters[COUNTER.newestFeedNs] as number);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const working = work();
  ready();
  return async () => {
    running = false;
    await working;
    await io.stop();
  };
});
