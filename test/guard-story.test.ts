/**
 * The guard over a whole run: a service level that cannot be met ends in a kill, nothing is sent from then on, and the
 * guard that follows, like the run that follows, keeps the kill.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { Commander } from "#control/commander.ts";
import { readSecretKeyFile } from "#control/sign.ts";
import { createLog } from "#core/log.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { GuardLineReader } from "#memory/guard-line.ts";
import { openRegion } from "#memory/region.ts";
import type { GuardReport } from "#slo/report.ts";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";

const LIMIT_MS = 240_000;
/** No decision is as quick as a microsecond, so this is broken, severely, from the first samples on. */
const IMPOSSIBLE = ["--guard.hotPathMsMax", "0.001"];

/** A turn of the agent's loop on a machine that is far too busy. */
const TURN_MS_MAX = 2_000;

const { monotonicNs } = createSystemClock();

let run: SupervisedRun;
beforeAll(async () => {
  run = await SupervisedRun.start(IMPOSSIBLE);
  await run.allReady();
}, LIMIT_MS);
afterAll(async () => await run.discard(), LIMIT_MS);

const report = async (of = run) => (await (await fetch(`${of.gateway}/api/guard`)).json()) as GuardReport;
const killed = async (of = run) => ((await report(of)).agents[0]?.killed ? true : undefined);

/** As an operator does, with the key of the data folder. */
async function startArbitrage(of: SupervisedRun): Promise<void> {
  const log = createLog({ process: "test", level: "error", format: "text" });
  const bus = openEmbeddedBus({ path: of.paths.bus, lingerMs: 1, retainMiB: 64, log });
  const key = readSecretKeyFile(of.paths.controlSecret);
  const noncesPath = join(of.dataDir, "operator.nonces");
  const operator = new Commander({
    bus,
    key,
    keyId: "operator",
    issuer: "operator",
    noncesPath,
    clock: createSystemClock(),
  });
  await operator.send({ module: "arbitrage", action: "start" });
  operator.close();
  await bus.close();
}

/** What was decided from a moment on, once so many opportunities were passed over because of the kill. */
const decidedSince = async (atMs: number, passedMin: number) =>
  await eventually(`${passedMin} opportunities passed over`, async () => {
    const sql = `SELECT countIf(action = 'send') AS sent, countIf(reason = 'killed') AS passed
      FROM sandpiper.arb_opportunities WHERE at > fromUnixTimestamp64Milli({atMs:Int64})`;
    const [row] = await run.store.query<{ sent: string; passed: string }>(sql, { atMs });
    return Number(row?.passed) >= passedMin ? { sent: Number(row?.sent) } : undefined;
  });

test(
  "a level that stays severely broken is answered with a kill, and nothing is sent any more",
  async () => {
    await run.landed(1);
    await eventually("the kill", () => killed(), 120_000);
    const { actions } = await report();
    expect(actions[0]).toMatchObject({ agent: "arbitrage", kind: "kill" });
    expect(actions[0]?.because).toContain("hot-path-p99 was");
    const text = await (await fetch(`${run.gateway}/metrics`)).text();
    expect(text).toContain('sandpiper_guard_killed{agent="arbitrage"} 1');
    expect(text).toContain('sandpiper_slo_limit{agent="arbitrage",objective="hot-path-p99"} 0.001');
    // The market goes on, and every opportunity is passed over; the agent looks at its line in every turn.
    expect(await decidedSince((actions[0]?.atMs ?? 0) + TURN_MS_MAX, 40)).toEqual({ sent: 0 });
    // The order is on record as well, signed by the guard's own key.
    await eventually("the guard's command in the tables", async () => {
      const sql = "SELECT pubkey_id FROM sandpiper.control_ledger WHERE issuer = 'guard' AND action = 'KILL'";
      return (await run.store.query<{ pubkey_id: string }>(sql))[0]?.pubkey_id === "guard" ? true : undefined;
    });
  },
  LIMIT_MS,
);

test(
  "a guard that is killed comes back with its own kill in force",
  async () => {
    const pid = run.report().processes.find(({ name }) => name === "guard")?.pid as number;
    const line = new GuardLineReader(openRegion(run.paths.guardLine("arbitrage")), 0);
    process.kill(pid, "SIGKILL");
    await eventually("a new guard", () => {
      const guard = run.report().processes.find(({ name }) => name === "guard");
      return guard !== undefined && guard.pid !== pid && guard.state === "ready" ? true : undefined;
    });
    expect(await killed()).toBe(true);
    expect(line.limits(monotonicNs()).killed).toBe(true);
  },
  LIMIT_MS,
);

test(
  "the next run begins with the kill in force, and an operator's start lifts it",
  async () => {
    await run.stop();
    const next = await SupervisedRun.start(["--guard.acts", "yes"], undefined, run.dataDir);
    try {
      await next.allReady();
      expect(await killed(next)).toBe(true);
      const line = new GuardLineReader(openRegion(next.paths.guardLine("arbitrage")), 0);
      expect(line.limits(monotonicNs()).killed).toBe(true);
      await startArbitrage(next);
      await eventually("the kill to be lifted", async () => ((await killed(next)) ? undefined : true));
      expect((await report(next)).actions[0]).toMatchObject({ kind: "lift", because: "an operator started it" });
      await next.landed(1);
    } finally {
      await next.stop();
    }
  },
  LIMIT_MS,
);
