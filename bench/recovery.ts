/**
 * kill -9 of every process of a running sim in turn, each three times: how long until it serves again, and whether
 * anything acknowledged is missing from ClickHouse afterwards. Nothing to compare it with; the limit is 2 s.
 *
 *   bun bench/recovery.ts
 */
import { eventually, SupervisedRun } from "../test/support/supervised-run.ts";

const ROUNDS = 3;
const LANDED_FIRST = 20;

const run = await SupervisedRun.start();
const first = await run.allReady();
await run.landed(LANDED_FIRST);
const names = first.processes.map(({ name }) => name).filter((name) => name !== "supervisor");
process.stdout.write("process      back after kill -9, ms\n");
for (const name of names) {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await run.allReady();
    // Not from the API: its answer may be a second old and name the process that was killed before.
    const pid = run.report().processes.find((one) => one.name === name)?.pid ?? 0;
    const killedAt = performance.now();
    process.kill(pid, "SIGKILL");
    await eventually(`${name} back`, () => {
      const now = run.report().processes.find((one) => one.name === name);
      return now !== undefined && now.pid !== pid && now.pid !== 0 && run.isReady(name) ? true : undefined;
    });
    times.push(performance.now() - killedAt);
  }
  process.stdout.write(`${name.padEnd(12)} ${times.map((ms) => ms.toFixed(0).padStart(6)).join(" ")}\n`);
}

const ids = {
  arb_opportunities: new Set<string>(),
  bundle_outcomes_typed: new Set<string>(),
};
for (const { payload } of await run.onBus("arbitrage-decisions-proto"))
  if (payload.case === "arb") ids.arb_opportunities.add(payload.value.decisionId);
for (const { payload } of await run.onBus("bundle-outcomes-proto"))
  if (payload.case === "outcome") ids.bundle_outcomes_typed.add(payload.value.decisionId);
for (const [table, acknowledged] of Object.entries(ids)) {
  const recorded = await eventually(`${table} complete`, async () => {
    const rows = await run.store.query<{ id: string }>(`SELECT decision_id AS id FROM sandpiper.${table}`);
    const there = new Set(rows.map(({ id }) => id));
    return [...acknowledged].every((id) => there.has(id)) ? { rows: rows.length, ids: there.size } : undefined;
  });
  process.stdout.write(
    `${table}: ${acknowledged.size} acknowledged, 0 missing, ${recorded.rows - recorded.ids} twice in ClickHouse\n`,
  );
}
await run.stop("SIGINT");
await run.discard();
