import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { loadConfig } from "#core/config.ts";
import { runPaths } from "#core/paths.ts";
import { ensureWallet, makeRegions, removeRegions } from "./first-start.ts";
import { partsOff, preflight } from "./preflight.ts";

const scratch = () => mkdtempSync(join(tmpdir(), "sandpiper-preflight-"));

/** Ports that were free a moment ago, so that the test does not depend on what else runs here. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1" }, () => resolve()));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function check(flags: readonly string[], dataDir = scratch()): Promise<void> {
  const keys = ["gateway.port", "clickhouse.port", "sim.rpcPort", "sim.wsPort", "sim.blockEnginePort"];
  const ports = await freePorts(keys.length);
  const own = keys.flatMap((key, i) => [`--${key}`, String(ports[i])]);
  const { config } = loadConfig({ environment: {}, flags: ["--dataDir", dataDir, ...own, ...flags] });
  await preflight(config, runPaths(config.dataDir));
}

describe("preflight()", () => {
  test("accepts a start that can work", async () => {
    await check([]);
  });

  test("names a taken port and its option", async () => {
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    await expect(check(["--clickhouse.port", String(taken.port)])).rejects.toThrow(
      `Cannot start: clickhouse.port must be a free TCP port, was ${taken.port} (EADDRINUSE)`,
    );
    taken.stop(true);
  });

  test("refuses a data folder without enough room", async () => {
    await expect(check(["--data.freeMiBMin", "1000000"])).rejects.toThrow(/at least 1000000 MiB must be free/);
  });

  test("refuses a data folder that is a file", async () => {
    const file = join(scratch(), "file");
    writeFileSync(file, "");
    await expect(check([], file)).rejects.toThrow(/Cannot use the data folder .*: a folder that can be written/);
  });

  test.each([
    [["--mode", "fork"], "Cannot start mode fork: market.rpcUrl must be an address like https://…, was empty"],
    [["--mode", "live"], "Cannot start mode live: market.rpcUrl must be an address like https://…, was empty"],
    [
      ["--mode", "fork", "--market.rpcUrl", "ftp://key@here"],
      "Cannot start mode fork: market.rpcUrl must be an address like https://…, was another text",
    ],
    [
      ["--mode", "live", "--market.rpcUrl", "http://a"],
      "Cannot start mode live: execute.blockEngineUrl must be an address like https://…, was empty",
    ],
    [
      [
        ...["--mode", "live", "--market.rpcUrl", "http://a", "--execute.blockEngineUrl", "http://b"],
        ...["--execute.blockEngineRegions", "https://c, nowhere"],
      ],
      "Cannot start mode live: execute.blockEngineRegions must be an address like https://…, was another text",
    ],
    [
      ["--mode", "live", "--market.rpcUrl", "http://a", "--execute.blockEngineUrl", "http://b"],
      "Cannot start mode live: market.grpcUrl or market.wsUrl must be set, was neither",
    ],
    [
      ["--mode", "fork", "--market.rpcUrl", "http://a", "--market.wsUrl", "http://b"],
      "Cannot start mode fork: market.wsUrl must be an address like wss://…, was another text",
    ],
  ])("refuses %p without what it needs", async (flags, why) => {
    await expect(check(flags)).rejects.toThrow(why);
  });

  test("refuses a replay of nothing", async () => {
    await expect(check(["--mode", "replay"])).rejects.toThrow(/replay\.path must be a file or folder.*, was ""/);
  });

  test("refuses a second supervisor on the same data folder, and forgives a dead one", async () => {
    const dataDir = scratch();
    const report = { processes: [{ name: "supervisor", pid: process.ppid }], updatedAtMs: Date.now() };
    writeFileAtomic(runPaths(dataDir).runReport, JSON.stringify(report));
    await expect(check([], dataDir)).rejects.toThrow(`already running as pid ${process.ppid}`);
    writeFileAtomic(runPaths(dataDir).runReport, JSON.stringify({ ...report, updatedAtMs: Date.now() - 6_000 }));
    await check([], dataDir);
  });
});

test("partsOff() names Kafka only where the embedded bus carries everything", () => {
  const named = (engine: "embedded" | "kafka") =>
    partsOff({ "bus.engine": engine }).some(({ part }) => part === "Kafka");
  expect([named("embedded"), named("kafka")]).toEqual([true, false]);
});

describe("ensureWallet()", () => {
  test("makes a key that only its owner can read, once", () => {
    const paths = runPaths(scratch());
    const address = ensureWallet(paths);
    expect(ensureWallet(paths)).toBe(address);
    expect(statSync(paths.walletKey).mode & 0o777).toBe(0o600);
    expect(readJsonFile(paths.walletKey)).toHaveLength(64);
  });

  test("refuses a file that is no key", () => {
    const paths = runPaths(scratch());
    writeFileAtomic(paths.walletKey, "[1,2,3]");
    expect(() => ensureWallet(paths)).toThrow(/64 numbers as the Solana CLI writes them/);
  });
});

test("makeRegions() starts every run with empty rings, removeRegions() leaves nothing", () => {
  const paths = runPaths(scratch());
  new Uint8Array(makeRegions(paths)).fill(7);
  expect(new Uint8Array(makeRegions(paths)).every((byte) => byte === 0)).toBe(true);
  removeRegions(paths);
  expect(existsSync(paths.shm)).toBe(false);
});
