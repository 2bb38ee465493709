/** `judge dex` on files of its own making: what it passes, what it names, and that bad files do not stop it. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { base58Decode } from "#core/base58.ts";
import { RAYDIUM_AMM_V4_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { AMM_INFO, AMM_INFO_BYTES } from "#dex/raydium-amm-v4/layout.ts";
import { GOLDEN_VECTORS } from "#dex/test-data.ts";
import { runJudge } from "./judge.ts";

const folder = mkdtempSync(join(tmpdir(), "sandpiper-judge-dex-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

const POOL = "58oQChx4yWmvKdwLLZzBi4ChoCc2fqCUWBkwMihLYQo2";
const VAULTS = ["DQyrAcCrDXQ7NeoqGgDCZwBvWDcYmFCjSb9JtteuvPpz", "HLmqeL62xR1QoZ1HKKbXRrdN1p3phKpxRMb2VVopvBBz"];
const [COIN, PC] = ["So11111111111111111111111111111111111111112", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"];

function poolBytes(): Uint8Array {
  const data = new Uint8Array(AMM_INFO_BYTES);
  const view = new DataView(data.buffer);
  view.setBigUint64(AMM_INFO.status, 6n, true);
  view.setBigUint64(AMM_INFO.swapFeeNumerator, 25n, true);
  view.setBigUint64(AMM_INFO.swapFeeDenominator, 10_000n, true);
  const places = [AMM_INFO.coinVault, AMM_INFO.pcVault, AMM_INFO.coinVaultMint, AMM_INFO.pcVaultMint];
  [...VAULTS, COIN, PC].forEach((address, i) => {
    data.set(base58Decode(address as string), places[i]);
  });
  return data;
}

function vaultBytes(amount: bigint): Uint8Array {
  const data = new Uint8Array(165);
  new DataView(data.buffer).setBigUint64(64, amount, true);
  data[108] = 1;
  return data;
}

const account = (pubkey: string, owner: string, data: Uint8Array) => ({
  pubkey,
  owner,
  data: Buffer.from(data).toString("base64"),
});

/** A pool of 1,000,000 coin and 2,000,000 pc, with one fill, one refusal and one sequence that are right. */
function golden() {
  const post = (coin: number, pc: number) => ({ vault_coin: `${coin}`, vault_pc: `${pc}` });
  // 10,000 coin: 25 of fee, ⌊9,975 · 2,000,000 / 1,009,975⌋ = 19,752 out.
  const fill = { dir: "AtoB", mode: "exactIn", amount: "10000", ok: true, in: "10000", out: "19752" };
  const leg = { dir: "BtoA", mode: "exactIn", amount: "1", ok: false, err: "Custom(29)", log: "InvalidInput" };
  return {
    pool: POOL,
    token_A: COIN,
    token_B: PC,
    clock: { slot: 1, epoch: 1, ts: 1 },
    initial_state: post(1_000_000, 2_000_000),
    accounts: [
      account(POOL, RAYDIUM_AMM_V4_PROGRAM, poolBytes()),
      account(VAULTS[0] as string, TOKEN_PROGRAM, vaultBytes(1_000_000n)),
      account(VAULTS[1] as string, TOKEN_PROGRAM, vaultBytes(2_000_000n)),
    ],
    vectors: [{ ...fill, post: post(1_010_000, 1_980_248) }, { ...leg }],
    sandwich_sequences: [
      {
        front: { ...leg },
        victim: { ...fill },
        back: { ...leg },
        victim_solo_out: "19752",
        post: post(1_010_000, 1_980_248),
      },
    ],
  };
}

function routes() {
  const { pool, accounts, clock } = golden();
  const hop = { from: "SOL", to: "USDC" };
  return {
    clock,
    accounts,
    mints: { SOL: COIN, USDC: PC },
    pools: { raydium_v4: pool },
    routes: [
      { ok: true, amount_in: "10000", amount_out: "19752", hops: [{ ...hop, ok: true, in: "10000", out: "19752" }] },
      { ok: false, amount_in: "0", amount_out: null, hops: [{ ...hop, ok: false, log: ["InvalidInput"] }] },
    ],
  };
}

async function judge(files: Readonly<Record<string, unknown>>) {
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  let said = "";
  const code = await runJudge(["dex", folder], (text) => {
    said += text;
  });
  return { code, said };
}

test("judge dex passes what is right and prints a row per file", async () => {
  const { code, said } = await judge({ "pool.json": golden(), "route.json": routes(), "notes.txt": "not a vector" });
  const cells = said.split("\n").map((line) => line.split(/ +/));
  expect(cells[1]).toEqual(["pool.json", "raydium-amm-v4", "1/1", "1/1", "1/1", "1/1", "-", "2/2"]);
  expect(cells[2]).toEqual(["route.json", "route", "-", "-", "-", "-", "2/2", "1/1"]);
  expect(said).toEndWith("8 passed, 0 failed\n");
  expect(code).toBe(0);
});

test("judge dex reads integers beyond a double's reach as they are written", async () => {
  const file = JSON.stringify({ ...golden(), initial_state: { vault_coin: "BIG" } }).replace(
    '"BIG"',
    "18446744073709551615",
  );
  const { said } = await judge({ "pool.json": file });
  expect(said).toContain("vault_coin 1000000, the program 18446744073709551615");
});

describe("judge dex names", () => {
  const changed = (change: (file: ReturnType<typeof golden>) => unknown) => {
    const file = golden();
    change(file);
    return file;
  };

  test.each([
    ["an amount", (file) => Object.assign(file.vectors[0] ?? {}, { out: "19753" }), "in 10000 out 19752, the program"],
    ["a figure of the state", (file) => Object.assign(file.vectors[0] ?? {}, { post: { vault_pc: "1" } }), "vault_pc"],
    ["a figure nobody knows", (file) => Object.assign(file.initial_state, { odd: 1 }), "odd not among the venue's"],
    ["a fill that was a refusal", (file) => Object.assign(file.vectors[0] ?? {}, { ok: false, err: "X" }), "with X"],
    [
      "a refusal that was a fill",
      (file) => Object.assign(file.vectors[1] ?? {}, { ok: true, in: 1, out: 1 }),
      "refused with",
    ],
    [
      "a sequence's end",
      (file) => Object.assign(file.sandwich_sequences[0] ?? {}, { post: { vault_pc: 3 } }),
      "sequence 0",
    ],
    [
      "a victim alone",
      (file) => Object.assign(file.sandwich_sequences[0] ?? {}, { victim_solo_out: 3 }),
      "victim alone",
    ],
  ] as [string, (file: ReturnType<typeof golden>) => unknown, string][])("%s that differs", async (_, change, text) => {
    const { code, said } = await judge({ "pool.json": changed(change) });
    expect(said).toContain(text);
    expect(said).toEndWith("4 passed, 1 failed\n");
    expect(code).toBe(1);
  });

  test("a route that differs", async () => {
    const file = routes();
    Object.assign(file.routes[0]?.hops[0] ?? {}, { out: "1" });
    const { said } = await judge({ "route.json": file });
    expect(said).toContain("route 0 of 10000: hop 0: raydium-amm-v4 in 10000 out 19752, the program 1");
  });

  test.each([
    ["no JSON", "{"],
    ["another JSON", { hello: 1 }],
    ["an amount that is no number", changed((file) => Object.assign(file.vectors[0] ?? {}, { amount: "1.5" }))],
    ["accounts that are no base64", changed((file) => Object.assign(file.accounts[0] ?? {}, { data: "A" }))],
  ])("a file of %s, and goes on", async (_, content) => {
    const { code, said } = await judge({ "bad.json": content, "pool.json": golden() });
    expect(said).toContain("bad.json: the file: ");
    expect(said).toEndWith("5 passed, 1 failed\n");
    expect(code).toBe(1);
  });

  test("a program that it has no venue for, all of whose vectors fail", async () => {
    const file = changed(({ accounts }) => Object.assign(accounts[0] ?? {}, { owner: TOKEN_PROGRAM }));
    const { said } = await judge({ "pool.json": file });
    expect(said).toContain("unsupported: no venue for program");
    expect(said).toEndWith("0 passed, 3 failed\n");
  });
});

test("judge dex finds all six venues equal to the deployed programs", async () => {
  let said = "";
  const code = await runJudge(["dex", GOLDEN_VECTORS], (text) => {
    said += text;
  });
  console.log(said);
  expect(said).toEndWith("\n3623 passed, 0 failed\n");
  expect(code).toBe(0);
});

test("judge dex fails on a folder without vectors, and refuses one that is not there", async () => {
  const { code, said } = await judge({});
  expect([code, said.endsWith("nothing was judged\n0 passed, 0 failed\n")]).toEqual([1, true]);
  expect(runJudge(["dex", join(folder, "nowhere")], () => {})).rejects.toThrow("a folder that can be listed");
});
