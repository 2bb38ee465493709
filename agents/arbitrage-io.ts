/** The arbitrage agent's io thread (a Worker of arbitrage.ts): joins the shared memory, the bus and the io service. */
import { openBus } from "#bus/open.ts";
import { startControl } from "#control/agent/start-control.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { seededRandom } from "#core/random.ts";
import { VERSION } from "#core/version.ts";
import { bellWaiter } from "#decide/agent-memory.ts";
import { countersOver } from "#decide/counters.ts";
import { readDecision, sendOutcomeNote } from "#decide/decision-record.ts";
import { firstPolicy } from "#decide/loop-settings.ts";
import { drainTape } from "#decide/tape-recorder.ts";
import { readTipStatistics } from "#decide/tips/tip-bandit.ts";
import { startIoService } from "#execute/io-service.ts";
import { serveIoThread } from "#execute/io-thread.ts";
import { RECOVERY_TOPICS } from "#execute/recovery.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { GuardLineReader } from "#memory/guard-line.ts";
import { openRegion } from "#memory/region.ts";
import { SlotConsumer, SlotProducer } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { TelemetryDesk } from "#memory/telemetry.ts";
import { takeThreadPlace } from "#supervise/placement/take-place.ts";

serveIoThread(async ({ config, modelHash, runStartMs, memory, recording }) => {
  takeThreadPlace("arbitrage-io");
  const log = createLog({ process: "arbitrage", level: config["log.level"], format: config["log.format"] });
  const paths = runPaths(config.dataDir);
  const clock = createSystemClock();
  const guard = new GuardLineReader(openRegion(paths.guardLine("arbitrage")), clock.monotonicNs());
  const bus = await openBus(config, paths, log, "arbitrage");
  const switchboard = new Switchboard(memory.switchboard);
  const telemetry = new TelemetryDesk(openRegion(paths.telemetry("arbitrage")));
  const control = startControl({
    agent: "arbitrage",
    module: "arbitrage",
    ...{ config, paths, bus, switchboard, clock, log },
    configured: firstPolicy(config),
    onStarts: (starts) => telemetry.figures.set("starts", starts),
  });
  const decisions = new SlotConsumer(memory.decisions);
  const outcomes = new SlotProducer(memory.outcomes);
  const service = await startIoService({
    config,
    identity: { agent: "arbitrage", mode: config.mode, version: VERSION, runStartMs },
    modelHash,
    nextDecision: () => {
      const at = decisions.peek();
      if (at < 0) return undefined;
      const decision = readDecision(decisions, at);
      decisions.advance();
      decisions.release();
      return decision;
    },
    waitForDecision: bellWaiter(memory),
    isKilled: () => switchboard.isKilled() || guard.limits(clock.monotonicNs()).killed,
    note: (note) => void sendOutcomeNote(outcomes, note),
    publish: (topic, key, value) => bus.publish(topic, key, value),
    reader: bus.consumer({ group: "arbitrage-recovery", topics: RECOVERY_TOPICS, start: "first" }),
    counters: countersOver(memory.counters),
    tipStatistics: () => readTipStatistics(memory.tipStatistics),
    riskWords: memory.risk,
    telemetry,
    sloViolated: () => guard.violated,
    clock,
    random: seededRandom(`tips ${runStartMs}`).unit,
    log,
  });
  const stopTape = drainTape(memory.tape, recording, log);
  return async () => {
    await control.stop();
    await service.stop();
    stopTape();
    await bus.close();
  };
});
