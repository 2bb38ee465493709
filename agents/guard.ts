/**
 * The guard process: once a second it looks at what each trading agent measured about itself, throttles or kills it when
 * a service level stays broken, and says so. It acts by shared memory; bus, store and gateway may be down. What it did
 * goes on the control topic as well, signed with a key that may only throttle and kill.
 */
import type { Bus } from "#bus/bus.ts";
import { openBus } from "#bus/open.ts";
import { Commander } from "#control/commander.ts";
import { ensureControlKeys, GUARD_KEY_ID } from "#control/key-files.ts";
import { readSecretKeyFile } from "#control/sign.ts";
import { errorText } from "#core/error.ts";
import { readClockQuality } from "#ffi/clock-quality.ts";
import { GUARD_LINE_BYTES } from "#memory/guard-line.ts";
import { createRegion } from "#memory/region.ts";
import { TELEMETRY_BYTES } from "#memory/telemetry.ts";
import { GuardCommands } from "#slo/guard-commands.ts";
import { guardEvent } from "#slo/guard-event.ts";
import { objectivesOf } from "#slo/objectives.ts";
import { GuardRecord, objectiveReport, wordsOf } from "#slo/report.ts";
import { Watch } from "#slo/watch.ts";
import { runAgent } from "#supervise/agent-runtime.ts";
import { encodeAudit } from "#wire/audit.ts";

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
    before: record.before("arbitrage"),
    clock,
    clockQuality: readClockQuality,
    acts,
  });
  // Opened with the first order: a bus or a disk that is down must not keep the guard from its work.
  let bus: Bus | undefined;
  let commander: Commander | undefined;
  const commands = new GuardCommands(async (request, action) => {
    ensureControlKeys(paths, process.env);
    bus ??= await openBus(config, paths, log, "guard");
    const key = readSecretKeyFile(paths.guardSecret);
    const noncesPath = paths.controlNonces("guard");
    commander ??= new Commander({ bus, key, keyId: GUARD_KEY_ID, issuer: "guard", noncesPath, clock });
    const event = encodeAudit(clock.wallNs(), guardEvent("arbitrage", request.requestId, action));
    await bus.publish("control-audit-proto", "guard", event);
    await commander.send(request);
  }, log);
  const second = () => {
    const action = watch.second();
    const atMs = Number(clock.wallNs() / 1_000_000n);
    if (action !== undefined) {
      const { kind, throttlePct } = action;
      const because = wordsOf(action);
      commands.order(action);
      const objective = action.because?.objective.name;
      record.did({ atMs, agent: watch.agent, kind, throttlePct, because, objective });
      log.warn(`guard: ${kind} ${watch.agent}`, { throttlePct, because });
    }
    void commands.tryNow();
    const { agent, publishLagMs } = watch;
    const agents = [{ agent, ...watch.order(), publishLagMs, objectives: watch.verdicts.map(objectiveReport) }];
    try {
      record.write({ atMs, acts, clock: watch.clockQuality, agents });
    } catch (thrown) {
      log.warn("guard report not written", { why: errorText(thrown) });
    }
  };
  second();
  const ticking = setInterval(second, SECOND_MS);
  ready();
  return () => clearInterval(ticking);
});
