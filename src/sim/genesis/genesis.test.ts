/** Genesis is what dex/ reads as Raydium, and all of it follows from the seed. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ManualClock } from "#core/clock.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { decodeAmmConfig, decodePoolState, decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import { cpmmPoolFacts, cpmmReserve } from "#dex/raydium-cpmm/facts.ts";
import { metaplexAddress, metaplexName } from "#dex/token-metadata.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { rentExemptLamports } from "./accounts.ts";
import { type GenesisOptions, writeGenesis } from "./genesis.ts";
import { planMarket } from "./market-plan.ts";

const program = readFileSync(`${import.meta.dir}/../../../programs/cp-swap.so`);
const WALLET = "7YttLkHDoNj9wyDur5pM1ejNaAvT9X4eqaYcHQqtj2G5";

async function genesis(options: Partial<GenesisOptions> = {}) {
  const cluster = createCluster({ seed: "g", slotMs: 400, clock: new ManualClock(1_700_000_000_000_000_000n) });
  const market = await writeGenesis(cluster, { seed: "1", program, wallet: WALLET, traders: 1, rivals: 1, ...options });
  const account = (address: Address) => {
    const found = cluster.account(address);
    if (found === undefined) throw new Error(`no account at ${address}`);
    return found;
  };
  return { cluster, market, account };
}

describe("planMarket()", () => {
  test("plans at least 12 tokens and 30 pools, several per popular pair, of uneven depth", () => {
    const { tokens, pools } = planMarket("1");
    expect(tokens.length).toBeGreaterThanOrEqual(13);
    expect(pools.length).toBeGreaterThanOrEqual(30);
    const pairs = Map.groupBy(pools, (pool) => pool.tokens.join());
    expect(Math.max(...[...pairs.values()].map((list) => list.length))).toBeGreaterThanOrEqual(3);
    const depths = pools.map(({ depthSol }) => depthSol).sort((a, b) => a - b);
    expect((depths.at(-1) as number) / (depths[0] as number)).toBeGreaterThan(50);
    expect(pools.some((pool) => pool.tokens[0] !== 0)).toBe(true);
    expect(new Set(pools.map((pool) => `${pool.tokens} ${pool.feeTier}`)).size).toBe(pools.length);
  });

  test("gives the same plan for the same seed and another for another", () => {
    expect(planMarket("1")).toEqual(planMarket("1"));
    expect(planMarket("1")).not.toEqual(planMarket("2"));
  });
});

describe("writeGenesis()", () => {
  test("writes pools that dex/ decodes into exactly the facts it gives the traders", async () => {
    const { market, account } = await genesis();
    for (const { facts, reserves } of market.pools) {
      const state = decodePoolState(account(facts.address).data);
      const config = decodeAmmConfig(account(facts.accounts["ammConfig"] as Address).data);
      if (!state.ok || !config.ok) throw new Error("undecodable");
      const decoded = cpmmPoolFacts(facts.address, state.value, config.value, facts.accounts["authority"] as Address);
      if (!decoded.ok) throw decoded.error;
      expect({ ...decoded.value, index: facts.index }).toEqual(facts);
      for (const side of [0, 1] as const) {
        const amount = decodeTokenAmount(account(facts.vaults[side]).data);
        expect(amount.ok && cpmmReserve(state.value, side, amount.value)).toBe(reserves[side]);
        expect(reserves[side]).toBeGreaterThan(0n);
      }
    }
  });

  test("lets every token say its symbol, as Metaplex keeps it", async () => {
    const { market, account } = await genesis();
    for (const { mint, symbol } of market.tokens.filter((token) => token.mint !== WSOL_MINT)) {
      const { data, lamports } = account(metaplexAddress(mint));
      expect(metaplexName(mint, data)).toEqual({ name: symbol, symbol });
      expect(lamports).toBeGreaterThanOrEqual(rentExemptLamports(data.length));
    }
  });

  test("leaves every account rent-exempt, and holds wrapped SOL as lamports", async () => {
    const { market, account } = await genesis();
    for (const { facts, tokens, reserves } of market.pools) {
      for (const address of [facts.address, ...facts.vaults, ...facts.mints, ...Object.values(facts.accounts)]) {
        if (address === facts.accounts["authority"]) continue;
        const { lamports, data } = account(address);
        expect(lamports).toBeGreaterThanOrEqual(rentExemptLamports(data.length));
      }
      for (const side of [0, 1] as const)
        if (tokens[side] === 0)
          expect(account(facts.vaults[side]).lamports).toBe(reserves[side] + rentExemptLamports(165));
    }
  });

  test("keeps every mint's supply inside a u64 and equal to what its holders have", async () => {
    const { cluster, market } = await genesis();
    const held = new Map<string, bigint>();
    for (const { state } of cluster.programAccounts(TOKEN_PROGRAM)) {
      if (state.data.length !== 165) continue;
      const mint = Buffer.from(state.data.subarray(0, 32)).toString("hex");
      const view = new DataView(state.data.buffer, state.data.byteOffset);
      held.set(mint, (held.get(mint) ?? 0n) + view.getBigUint64(64, true));
    }
    for (const { mint } of market.tokens.slice(1)) {
      const { data } = cluster.account(mint) as { data: Uint8Array };
      const holders = held.get(Buffer.from(cluster.book.bytes(mint)).toString("hex"));
      expect(new DataView(data.buffer, data.byteOffset).getBigUint64(36, true)).toBe(holders as bigint);
    }
  });

  test("funds the agent's wallet and refuses one that is no address", async () => {
    const { account } = await genesis();
    expect(account(WALLET as Address).lamports).toBe(1_000_000_000_000n);
    expect(genesis({ wallet: "not an address" })).rejects.toThrow("Cannot write genesis: sim.wallet as an address");
  });
});
