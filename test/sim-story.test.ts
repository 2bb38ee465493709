/**
 * The whole loop as an operator lives it: one command, a market, decisions, landed bundles, records; then every process
 * killed in turn, and nothing acknowledged is missing.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";

const LONG_MS = 240_000;
const LANDED_MIN = 10;
const MAIN = join(import.meta.dir, "../src/cli/main.ts");

let run: SupervisedRun;
beforeAll(async () => {
  run = await SupervisedRun.start(["--sim.seed", "story", "--sim.slotMs", "200"]);
  await run.allReady();
}, LONG_MS);
afterAll(async () => {
  await run.discard();
});

describe("one command in sim mode", () => {
  test(
    "lands arbitrage bundles and says so",
    async () => {
      const status = await run.landed(LANDED_MIN);
      expect(status.mode).toBe("sim");
      expect(status.attempts).toBeGreaterThanOrEqual(status.landed);
      expect(BigInt(status.profit_lamports)).toBeGreaterThan(0n);
    },
    LONG_MS,
  );

  test(
    "records every landed bundle with what the wallet really gained, equal to the prediction or explained",
    async () => {
      const rows = await eventually("landed rows", async () => {
        const found = await run.store.query<{ predicted: string; realised: string; exact: boolean; reason: string }>(
          `SELECT toString(predicted_net_lamports) AS predicted, toString(realised_net_lamports) AS realised, exact, reason
           FROM sandpiper.bundle_outcomes_typed WHERE landed`,
        );
        return found.length >= LANDED_MIN ? found : undefined;
      });
      for (const row of rows) {
        expect(Boolean(row.exact)).toBe(row.predicted === row.realised);
        if (!row.exact) expect(row.reason).not.toBe("");
      }
    },
    LONG_MS,
  );

  test(
    "tells what its tokens call themselves",
    async () => {
      const tokens = await eventually("names of tokens", async () => {
        const answer = (await (await fetch(`${run.gateway}/api/tokens`)).json()) as {
          tokens: { mint: string; symbol: string }[];
        };
        return answer.tokens.length > 2 ? answer.tokens : undefined;
      });
      expect(tokens.map(({ symbol }) => symbol)).toContain("SOL");
      expect(tokens.map(({ symbol }) => symbol)).toContain("STINT");
    },
    LONG_MS,
  );

  test(
    "explains decisions: each comes out of its record and its model bit for bit",
    () => {
      const port = String(run.clickhousePort);
      const words = ["explain", "random", "20", "--dataDir", run.dataDir, "--clickhouse.port", port];
      const said = Bun.spawnSync([process.execPath, MAIN, ...words]).stdout.toString();
      expect(said).toBe("20 passed, 0 failed\n");
    },
    LONG_MS,
  );

  test(
    "brings every process back after kill -9, and loses nothing that was acknowledged",
    async () => {
      const before = await run.allReady();
      for (const { name, pid } of before.processes.filter((one) => one.name !== "supervisor")) {
        process.kill(pid, "SIGKILL");
        await eventually(`${name} back`, async () => {
          const now = (await run.status()).processes.find((one) => one.name === name);
          return now !== undefined && now.pid !== pid && now.state === "ready" ? true : undefined;
        });
      }
      const landed = (await run.status()).landed;
      await run.landed(landed + 3);

      const decisions = await run.onBus("arbitrage-decisions-proto");
      const outcomes = await run.onBus("bundle-outcomes-proto");
      const decisionIds = decisions.map(({ payload }) => (payload.case === "arb" ? payload.value.decisionId : ""));
      const bundleIds = outcomes.map(({ payload }) => (payload.case === "outcome" ? payload.value.bundleId : ""));
      expect(new Set(decisionIds).size).toBe(decisionIds.length);
      expect(new Set(bundleIds).size).toBe(bundleIds.length);
      expect(decisionIds.length).toBeGreaterThan(0);
      await eventually("all of them in ClickHouse", async () => {
        const count = async (table: string, id: string, ids: readonly string[]) => {
          const [row] = await run.store.query<{ n: string | number }>(
            `SELECT uniqExact(${id}) AS n FROM sandpiper.${table} WHERE has({ids: Array(String)}, ${id})`,
            { ids },
          );
          return Number(row?.n);
        };
        const complete =
          (await count("arb_opportunities", "decision_id", decisionIds)) === decisionIds.length &&
          (await count("bundle_outcomes_typed", "bundle_id", bundleIds)) === bundleIds.length;
        return complete ? true : undefined;
      });
      const [doubled] = await run.store.query<{ n: string | number }>(
        "SELECT count() - uniqExact(decision_id) AS n FROM sandpiper.arb_opportunities",
      );
      expect(Number(doubled?.n)).toBe(0);
    },
    LONG_MS,
  );

  test(
    "stops cleanly with exit code 0 and leaves no process and no shared memory",
    async () => {
      const { processes } = await run.status();
      expect(await run.stop("SIGINT")).toBe(0);
      // The kernel ends them with their supervisor; on a busy machine a moment after it.
      for (const { pid, name } of processes)
        await eventually(`${name} gone`, () => (existsSync(`/proc/${pid}`) ? undefined : true));
      expect(existsSync(run.paths.shm)).toBe(false);
      expect(run.output()).not.toMatch(/did not stop|Cannot stop/);
    },
    LONG_MS,
  );
});
