/**
 * The whole program against somebody else's cluster: rehearsing on a fork of it, and trading on it. The cluster is a market
 * in the box with a Yellowstone server, in this process; Sandpiper knows of it what a desk would configure.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { associatedTokenAddress } from "#dex/addresses.ts";
import { TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { type ForkReport, readForkReport } from "#sim/fork/fork-report.ts";
import { ensureWallet } from "#supervise/first-start.ts";
import { startOrigin } from "./support/origin-cluster.ts";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";

const LONG_MS = 300_000;
const MAIN = join(import.meta.dir, "../src/cli/main.ts");
const folder = () => mkdtempSync(join(tmpdir(), "sandpiper-network-"));

const traderData = folder();
const trader = ensureWallet(runPaths(traderData)) as Address;
let origin: Awaited<ReturnType<typeof startOrigin>>;
beforeAll(async () => {
  origin = await startOrigin("network", trader);
}, LONG_MS);
afterAll(async () => await origin.stop());

const start = (flags: readonly string[], dataDir = folder()) =>
  SupervisedRun.start(["--market.rpcUrl", origin.rpcUrl, ...flags], [process.execPath, MAIN], dataDir);

/** Runs a command of the CLI as an operator on the box does; answers what it printed. */
async function sandpiper(...args: readonly string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return text;
}

/** Arb decisions on the bus, with why they were not sent. */
async function decisions(run: SupervisedRun) {
  const envelopes = await run.onBus("arbitrage-decisions-proto");
  return envelopes.flatMap(({ payload }) => (payload.case === "arb" ? [payload.value] : []));
}

describe("mode fork", () => {
  test(
    "trades on a private copy that follows the market, and the origin knows nothing of it",
    async () => {
      const run = await start([
        "--mode",
        "fork",
        "--market.grpcUrl",
        origin.grpcUrl,
        "--market.genesisHash",
        origin.genesisHash,
      ]);
      try {
        await run.allReady();
        expect((await run.landed(3)).mode).toBe("fork");
        const wallet = ensureWallet(run.paths) as Address;
        const base = await associatedTokenAddress(wallet, WSOL_MINT, TOKEN_PROGRAM);
        const report = await eventually<ForkReport>("a report that shows the gain", () => {
          const now = readForkReport(run.paths.forkReport);
          return now?.differences.some(({ address, tokens }) => address === base && BigInt(tokens ?? 0) > 0n)
            ? now
            : undefined;
        });
        expect(report.counters.programs).toBeGreaterThan(0);
        expect(report.counters.moved).toBeGreaterThan(0);
        const pools = new Set<string>(origin.box.market.pools.flatMap(({ facts }) => facts.vaults));
        expect(report.differences.some(({ address }) => pools.has(address))).toBe(true);
        expect(await sandpiper("fork", "show", "--dataDir", run.dataDir)).toContain(base);

        expect(origin.naming(wallet)).toEqual([]);
        expect(origin.cluster.account(wallet)).toBeUndefined();
        expect(origin.cluster.account(base)).toBeUndefined();
        expect(origin.box.engine.counters.received).toBe(0);
      } finally {
        await run.discard();
      }
    },
    LONG_MS,
  );
});

describe("mode live", () => {
  test(
    "decides on the network's market, sends nothing before it is armed, then lands",
    async () => {
      const run = await start(
        [
          ...["--mode", "live", "--market.grpcUrl", origin.grpcUrl, "--market.wsUrl", origin.wsUrl],
          ...["--market.genesisHash", origin.genesisHash, "--execute.blockEngineUrl", origin.blockEngineUrl],
        ],
        traderData,
      );
      try {
        await run.allReady();
        const held = await eventually("decisions that were held back", async () => {
          const found = (await decisions(run)).filter(({ reason }) => reason === "not_armed");
          return found.length >= 3 ? found : undefined;
        });
        expect(held.every(({ mode }) => mode === "live")).toBe(true);
        expect(origin.box.engine.counters.received).toBe(0);
        expect(origin.naming(trader)).toEqual([]);

        const metrics = await (await fetch(`${run.gateway}/metrics`)).text();
        for (const stream of ["grpc", "ws"]) {
          expect(metrics).toMatch(new RegExp(`sandpiper_market_stream_slots_behind{stream="${stream}"} \\d`));
          expect(metrics).toMatch(new RegExp(`sandpiper_market_stream_silent_seconds{stream="${stream}"} \\d`));
        }
        expect(metrics).toMatch(/sandpiper_slo_value{agent="arbitrage",objective="market-lag"} \d/);

        await sandpiper("arm", "--minutes", "10", "--dataDir", traderData);
        const status = await run.landed(1);
        expect(status.mode).toBe("live");
        expect(origin.naming(trader).length).toBeGreaterThan(0);
      } finally {
        await run.discard();
      }
    },
    LONG_MS,
  );

  test(
    "refuses a node of another cluster, in words, and ends",
    async () => {
      const other = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";
      const run = await start([
        ...["--mode", "live", "--market.wsUrl", origin.wsUrl, "--market.genesisHash", other],
        ...["--execute.blockEngineUrl", origin.blockEngineUrl],
      ]);
      expect(await run.exited()).toBe(EXIT_CODE.badInput);
      expect(run.output()).toMatch(
        /Cannot follow the network: a node of the cluster with genesis hash 5eykt4.*, was http/,
      );
      await run.discard();
    },
    LONG_MS,
  );
});
