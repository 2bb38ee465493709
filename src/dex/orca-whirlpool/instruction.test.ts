import { expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { decodeWhirlpoolSwap } from "./decode-swap.ts";
import { whirlpoolSwapAddresses, whirlpoolSwapInstruction } from "./instruction.ts";
import { SQRT_PRICE_MIN } from "./limits.ts";
import { SYNTHETIC, syntheticPool } from "./synthetic-pool.ts";
import { orcaWhirlpoolVenue } from "./venue.ts";

const SOL_USDC = "HJPjoWUrhoZzkNfRpHuieeFk9WcZWjwy6PBjZ81ngndJ" as Address;

test("whirlpoolSwapAddresses() derives the arrays of a pool of mainnet, in the order of the swap", async () => {
  const pool = { tickCurrentIndex: -32_101, tickSpacing: 64 };
  expect((await whirlpoolSwapAddresses(SOL_USDC, pool, 0))?.tickArrays as readonly string[]).toEqual([
    "2Eh8HEeu45tCWxY6ruLLRN6VcTSD7bfshGj7bZA87Kne",
    "EVqGhR2ukNuqZNfvFFAitrX6UqrRm2r8ayKX9LH9xHzK",
    "C8o6QPGfuJD9XmNQY9ZTMXJE5qSDv4LHXaRA3D26GQ4M",
  ]);
  expect((await whirlpoolSwapAddresses(SOL_USDC, pool, 1))?.tickArrays as readonly string[]).toEqual([
    "2Eh8HEeu45tCWxY6ruLLRN6VcTSD7bfshGj7bZA87Kne",
    "A2W6hiA2nf16iqtbZt9vX8FJbiXjv3DBUG3DgTja61HT",
    "CEstjhG1v4nUgvGDyFruYEbJ18X8XeN4sX1WFCLt4D5c",
  ]);
});

test("whirlpoolSwapAddresses() names one array again where there are fewer than three", async () => {
  const addresses = await whirlpoolSwapAddresses(SOL_USDC, { tickCurrentIndex: 5, tickSpacing: 32_896 }, 1);
  expect(new Set(addresses?.tickArrays).size).toBe(1);
  expect(await whirlpoolSwapAddresses(SOL_USDC, { tickCurrentIndex: 443_599, tickSpacing: 64 }, 1)).toBeDefined();
});

test("whirlpoolSwapInstruction() is read back as the swap that was asked for", async () => {
  const spec = { tickSpacing: 64, tick: 64, positions: [] };
  const state = orcaWhirlpoolVenue.load(SYNTHETIC.pool, syntheticPool(spec));
  if (!state.ok) throw state.error;
  const { whirlpool } = state.value;
  const addresses = await whirlpoolSwapAddresses(SYNTHETIC.pool, whirlpool, 0);
  if (addresses === undefined) throw new Error("no arrays");
  const request = {
    inputSide: 0,
    mode: "exact-out",
    amount: 77n,
    otherAmountThreshold: 99n,
    owner: "owner" as Address,
    ownerAccounts: ["account a" as Address, "account b" as Address],
    tokenPrograms: [TOKEN_PROGRAM, TOKEN_2022_PROGRAM],
  } as const;
  const instruction = whirlpoolSwapInstruction(SYNTHETIC.pool, whirlpool, request, addresses);
  expect(instruction.accounts.filter(({ signer }) => signer).map(({ address }) => address as string)).toEqual([
    "owner",
  ]);
  expect(instruction.accounts.map(({ writable }) => (writable ? "w" : "-")).join("")).toBe("----w--wwwwwwww");
  const read = decodeWhirlpoolSwap(
    instruction.data,
    instruction.accounts.map(({ address }) => address),
  );
  expect(read.ok && read.value).toEqual({
    instruction: "swapV2",
    authority: request.owner,
    exactIn: false,
    amount: 77n,
    otherAmountThreshold: 99n,
    inputAccount: request.ownerAccounts[0],
    outputAccount: request.ownerAccounts[1],
    hops: [
      {
        whirlpool: SYNTHETIC.pool,
        aToB: true,
        sqrtPriceLimit: SQRT_PRICE_MIN,
        inputVault: SYNTHETIC.vaults[0],
        outputVault: SYNTHETIC.vaults[1],
        tickArrays: addresses.tickArrays,
        oracle: addresses.oracle,
      },
    ],
  });
});
