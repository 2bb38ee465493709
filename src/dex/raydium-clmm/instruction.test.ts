import { expect, test } from "bun:test";
import type { Address } from "#core/units.ts";
import { decodeSwap } from "./decode-swap.ts";
import { clmmSwapInstruction } from "./instruction.ts";
import type { ClmmState } from "./state.ts";
import { SYNTHETIC, syntheticPool } from "./synthetic-pool.ts";
import { raydiumClmmVenue } from "./venue.ts";

const OWNER = "owner" as Address;
const INPUT = "input" as Address;
const OUTPUT = "output" as Address;

function pool(): ClmmState {
  const position = (lower: number, upper: number) => ({ lower, upper, liquidity: 10n ** 9n });
  const positions = [position(-50, 50), position(-500, 500), position(-1_000, 1_000), position(-40_000, 40_000)];
  const plan = { build: "2026", tickSpacing: 1, tick: 3, positions } as const;
  const state = raydiumClmmVenue.load(SYNTHETIC.pool, syntheticPool(plan));
  if (!state.ok) throw state.error;
  return state.value;
}

const request = { owner: OWNER, inputAccount: INPUT, outputAccount: OUTPUT, amount: 77n, otherAmountThreshold: 5n };

test("clmmSwapInstruction() is read back as it was meant", () => {
  const { accounts, data } = clmmSwapInstruction(pool(), { ...request, inputSide: 1, mode: "exact-out" });
  const swap = decodeSwap(
    data,
    accounts.map(({ address }) => address),
  );
  expect(swap.ok && swap.value).toMatchObject({
    kind: "swap-v2",
    mode: "exact-out",
    amount: 77n,
    otherAmountThreshold: 5n,
    sqrtPriceLimitX64: 0n,
    payer: OWNER,
    ammConfig: SYNTHETIC.config,
    pool: SYNTHETIC.pool,
    inputVault: SYNTHETIC.vaults[1],
    outputVault: SYNTHETIC.vaults[0],
    mints: { input: SYNTHETIC.mints[1], output: SYNTHETIC.mints[0] },
  });
});

test.each<[0 | 1, readonly number[]]>([
  [0, [0, -1, -9]],
  [1, [0, 8, 16]],
])("clmmSwapInstruction() of side %i names the extension and the arrays ahead in walking order", (inputSide, want) => {
  const state = pool();
  const { accounts } = clmmSwapInstruction(state, { ...request, inputSide, mode: "exact-in" });
  const numbers = new Map([...state.facts.tickArrays].map(([number, address]) => [address, number]));
  const [extension, ...arrays] = accounts.slice(13);
  expect(extension?.address).toBe(SYNTHETIC.extension);
  expect(arrays.map(({ address }) => numbers.get(address))).toEqual([...want]);
  expect(accounts.filter(({ signer }) => signer).map(({ address }) => address)).toEqual([OWNER]);
  expect(arrays.every(({ writable }) => writable)).toBe(true);
});
