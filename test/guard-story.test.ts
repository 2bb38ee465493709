/**
 * The guard over a whole run: a service level that cannot be met ends in a kill, nothing is sent from then on, and the
 * guard that follows, like the run that follows, keeps the kill.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createSystemClock } from "#ffi/system-clock.ts";
import { GuardLineReader } from "#memory/guard-line.ts";
import { openRegion } from "#memory/region.ts";
import type { GuardReport } from "#slo/report.ts";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";

const LIMIT_MS = 240_000;
/** No decision is as quick as a microsecond, so this is broken, severely, from the first samples on. */
const IMPOSSIBLE = ["--guard.hotPathMsMax", "0.001"];

const { monotonicNs } = createSystemClock();

let run: SupervisedRun;
beforeAll(async () => {
  run = await SupervisedRun.start(IMPOSSIBLE);
  await run.allReady();
}, LIMIT_MS);
afterAll(async () => await run.discard(), LIMIT_MS);

const report = async (of = run) => (await (await fetch(`${of.gateway}/api/guard`)).json()) as GuardReport;
const killed = async (of = run) => ((await report(of)).agents[0]?.killed ? true : undefined);

/** How many opportunities were passed over because of the kill, once there are so many. */
const passedOver = async (atLeast: number) =>
  await eventually(`${atLeast} opportunities passed over`, async () => {
    const sql = "SELECT count() AS passed FROM sandpiper.arb_opportunities WHERE reason = 'killed'";
    const [row] = await run.store.query<{ passed: string }>(sql);
    return Number(row?.passed) >= atLeast ? Number(row?.passed) : undefined;
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
    expect(text).toContain('sandpiper_slo_violated{agent="arbitrage",objective="hot-path-p99"} 2');
    // What was under way may still end, and a send is on record only once its simulation is; from then on the market goes
    // on and every opportunity is passed over.
    const settled = await passedOver(20);
    const before = await run.status();
    await passedOver(settled + 20);
    expect((await run.status()).attempts).toBe(before.attempts);
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
  "the next run begins with the kill in force",
  async () => {
    await run.stop();
    const next = await SupervisedRun.start(["--guard.acts", "yes"], undefined, run.dataDir);
    try {
      await next.allReady();
      expect(await killed(next)).toBe(true);
      const line = new GuardLineReader(openRegion(next.paths.guardLine("arbitrage")), 0);
      expect(line.limits(monotonicNs()).killed).toBe(true);
    } finally {
      await next.stop();
    }
  },
  LIMIT_MS,
);
