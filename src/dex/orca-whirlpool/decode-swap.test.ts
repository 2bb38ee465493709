/**
 * Whirlpool's swap instructions and events, against fixtures of mainnet (sevenlabs-hq/carbon) and every Whirlpool swap of a
 * recorded block, which lie outside the repository: SANDPIPER_SHARED_DATA, else ../shared/data beside it.
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { ORCA_WHIRLPOOL_PROGRAM } from "#dex/program-addresses.ts";
import { SHARED_DATA } from "#dex/test-data.ts";
import { decodeTokenTransfer } from "#dex/token-transfer.ts";
import { decodeWhirlpoolSwap, decodeWhirlpoolTraded, type WhirlpoolSwap } from "./decode-swap.ts";
import { SWAP_DATA, SWAP_DATA_BYTES, WHIRLPOOL_DISCRIMINATOR } from "./layout.ts";
import { SQRT_PRICE_MAX, SQRT_PRICE_MIN } from "./limits.ts";

const FIXTURES = join(SHARED_DATA, "carbon-decoder-fixtures/orca-whirlpool");
const BLOCK = join(SHARED_DATA, "block-285000037/slot_285000037.json.gz");
const there = existsSync(FIXTURES) && existsSync(BLOCK);
if (!there) console.warn(`SKIPPED: instructions of Orca Whirlpool: not found at ${FIXTURES} and ${BLOCK}`);

const TRADED_LINE =
  "Program data: 4cpJr5MroJaMK/dKrwPM6Kt235Hc2YdR1Fc1ECNNi6LWK86sTNvkIwC15Tsk1w8+RAEAAAAAAAAAqKbm87cTPkQBAAAAAAAAANeviwAAAAAAKwhXAAAAAAAAAAAAAAAAAAAAAAAAAAAAjw8AAAAAAABTAgAAAAAAAA==";
const ACCOUNTS = Array.from({ length: 24 }, (_, i) => `account ${i}` as Address);

async function fixtureSwap(name: string): Promise<{ swap: WhirlpoolSwap; at: (label: string) => Address }> {
  const { accounts, data } = await Bun.file(join(FIXTURES, `${name}.json`)).json();
  const metas = accounts as { readonly pubkey: Address; readonly label: string }[];
  const decoded = decodeWhirlpoolSwap(
    new Uint8Array(Buffer.from(data, "hex")),
    metas.map(({ pubkey }) => pubkey),
  );
  if (!decoded.ok || decoded.value === undefined) throw new Error("was refused");
  const at = (label: string) => metas.find((meta) => meta.label === label)?.pubkey ?? ("none" as Address);
  return { swap: decoded.value, at };
}

describe.skipIf(!there)("decodeWhirlpoolSwap()", () => {
  test("reads swap", async () => {
    const { swap, at } = await fixtureSwap("swap_ix");
    expect(swap).toEqual({
      instruction: "swap",
      authority: at("tokenAuthority"),
      exactIn: true,
      amount: 85_373_619n,
      otherAmountThreshold: 0n,
      inputAccount: at("tokenOwnerAccountB"),
      outputAccount: at("tokenOwnerAccountA"),
      hops: [
        {
          whirlpool: at("whirlpool"),
          aToB: false,
          sqrtPriceLimit: SQRT_PRICE_MAX,
          inputVault: at("tokenVaultB"),
          outputVault: at("tokenVaultA"),
          tickArrays: [at("tickArray0"), at("tickArray1"), at("tickArray2")],
          oracle: at("oracle"),
        },
      ],
    });
  });

  test("reads swap_v2", async () => {
    const { swap, at } = await fixtureSwap("swap_v2_ix");
    expect(swap).toMatchObject({
      instruction: "swapV2",
      authority: at("tokenAuthority"),
      exactIn: true,
      amount: 367_897_999n,
      otherAmountThreshold: 1n,
      inputAccount: at("tokenOwnerAccountA"),
      outputAccount: at("tokenOwnerAccountB"),
    });
    expect(swap.hops).toMatchObject([
      {
        whirlpool: at("whirlpool"),
        aToB: true,
        sqrtPriceLimit: SQRT_PRICE_MIN,
        inputVault: at("tokenVaultA"),
        outputVault: at("tokenVaultB"),
        tickArrays: [at("tickArray0"), at("tickArray1"), at("tickArray2")],
        oracle: at("oracle"),
      },
    ]);
  });

  test("reads two_hop_swap", async () => {
    const { swap, at } = await fixtureSwap("two_hop_swap_ix");
    expect(swap).toMatchObject({
      instruction: "twoHopSwap",
      authority: at("tokenAuthority"),
      exactIn: true,
      amount: 110_000n,
      otherAmountThreshold: 194_634_640n,
      inputAccount: at("tokenOwnerAccountOneA"),
      outputAccount: at("tokenOwnerAccountTwoA"),
    });
    expect(swap.hops).toMatchObject([
      {
        whirlpool: at("whirlpoolOne"),
        aToB: true,
        sqrtPriceLimit: SQRT_PRICE_MIN,
        inputVault: at("tokenVaultOneA"),
        outputVault: at("tokenVaultOneB"),
        oracle: at("oracleOne"),
      },
      {
        whirlpool: at("whirlpoolTwo"),
        aToB: false,
        sqrtPriceLimit: SQRT_PRICE_MAX,
        inputVault: at("tokenVaultTwoB"),
        outputVault: at("tokenVaultTwoA"),
        tickArrays: [at("tickArrayTwo0"), at("tickArrayTwo1"), at("tickArrayTwo2")],
      },
    ]);
  });

  test("reads two_hop_swap_v2", async () => {
    const { swap, at } = await fixtureSwap("two_hop_swap_v2_ix");
    expect(swap).toMatchObject({
      instruction: "twoHopSwapV2",
      authority: at("tokenAuthority"),
      amount: 40_139_172n,
      inputAccount: at("tokenOwnerAccountInput"),
      outputAccount: at("tokenOwnerAccountOutput"),
    });
    expect(swap.hops).toMatchObject([
      { aToB: false, inputVault: at("tokenVaultOneInput"), outputVault: at("tokenVaultOneIntermediate") },
      { aToB: true, inputVault: at("tokenVaultTwoIntermediate"), outputVault: at("tokenVaultTwoOutput") },
    ]);
  });

  test("finds every Whirlpool swap of a block, and the transfers that it made", () => {
    const { transactions } = JSON.parse(gunzipSync(readFileSync(BLOCK)).toString());
    const moved = transactions.flatMap(swapsOf);
    expect(moved).toHaveLength(11);
    const landed = moved.filter(({ failed }: Moved) => !failed);
    expect(landed).toHaveLength(4);
    for (const { swap, amountIn, amountOut } of landed as Moved[]) {
      expect(swap.exactIn ? amountIn : amountOut).toBe(swap.amount);
      expect(swap.exactIn ? (amountOut ?? -1n) >= swap.otherAmountThreshold : true).toBe(true);
    }
  });
});

type Moved = {
  readonly swap: WhirlpoolSwap;
  readonly failed: boolean;
  readonly amountIn: bigint | undefined;
  readonly amountOut: bigint | undefined;
};
type Called = { readonly programIdIndex: number; readonly accounts: readonly number[]; readonly data: string };

/** The Whirlpool swaps of one transaction in getBlock's JSON, with what the transfers after them moved. */
function swapsOf({
  transaction,
  meta,
}: {
  readonly transaction: {
    readonly message: { readonly accountKeys: readonly Address[]; readonly instructions: readonly Called[] };
  };
  readonly meta: {
    readonly err: unknown;
    readonly loadedAddresses?: { readonly writable: readonly Address[]; readonly readonly: readonly Address[] };
    readonly innerInstructions?: readonly { readonly index: number; readonly instructions: readonly Called[] }[];
  };
}): Moved[] {
  const { writable = [], readonly = [] } = meta.loadedAddresses ?? {};
  const keys = [...transaction.message.accountKeys, ...writable, ...readonly];
  const calls = transaction.message.instructions.flatMap((top, index) => [
    top,
    ...(meta.innerInstructions ?? []).filter((inner) => inner.index === index).flatMap((inner) => inner.instructions),
  ]);
  const programOf = (call: Called) => keys[call.programIdIndex] as Address;
  const accountsOf = (call: Called) => call.accounts.map((place) => keys[place] as Address);
  return calls.flatMap((call, at) => {
    if (programOf(call) !== ORCA_WHIRLPOOL_PROGRAM) return [];
    const decoded = decodeWhirlpoolSwap(base58Decode(call.data), accountsOf(call));
    if (!decoded.ok) throw decoded.error;
    const swap = decoded.value;
    if (swap === undefined) return [];
    const transfers = calls
      .slice(at + 1, at + 3)
      .flatMap((next) => decodeTokenTransfer(programOf(next), base58Decode(next.data), accountsOf(next)) ?? []);
    const amountIn = transfers.find(({ to }) => to === swap.hops[0]?.inputVault)?.amount;
    const amountOut = transfers.find(({ from }) => from === swap.hops.at(-1)?.outputVault)?.amount;
    return [{ swap, failed: meta.err !== null, amountIn, amountOut }];
  });
}

describe("decodeWhirlpoolSwap() on made bytes", () => {
  const data = new Uint8Array(SWAP_DATA_BYTES);
  data.set(WHIRLPOOL_DISCRIMINATOR.swap);

  test("passes over other instructions", () => {
    expect(decodeWhirlpoolSwap(new Uint8Array(50), ACCOUNTS)).toEqual({ ok: true, value: undefined });
  });

  test("refuses too few bytes, too few accounts and odd flags", () => {
    expect(decodeWhirlpoolSwap(data, ACCOUNTS).ok).toBe(true);
    expect(decodeWhirlpoolSwap(data.subarray(0, -1), ACCOUNTS).ok).toBe(false);
    expect(decodeWhirlpoolSwap(data, ACCOUNTS.slice(0, 10)).ok).toBe(false);
    expect(decodeWhirlpoolSwap(data.with(SWAP_DATA.aToB, 2), ACCOUNTS).ok).toBe(false);
  });
});

describe("decodeWhirlpoolTraded()", () => {
  test("reads an event of mainnet", () => {
    const traded = decodeWhirlpoolTraded(TRADED_LINE);
    expect(traded.ok && (traded.value as object)).toEqual({
      whirlpool: "ASAxmEaTT1HFe3mVC3zbKDE4tuB28W7732XQrEMBM5W2",
      aToB: false,
      preSqrtPrice: 23_364_129_333_545_002_421n,
      postSqrtPrice: 23_364_133_597_636_634_280n,
      inputAmount: 9_154_519n,
      outputAmount: 5_703_723n,
      inputTransferFee: 0n,
      outputTransferFee: 0n,
      lpFee: 3_983n,
      protocolFee: 595n,
    });
  });

  test.each([
    ["another line", "Program log: Instruction: SwapV2"],
    ["another event", `Program data: ${Buffer.alloc(121).toString("base64")}`],
    ["no base64", "Program data: 4cpJr5*"],
  ])("passes over %s", (_, line) => {
    expect(decodeWhirlpoolTraded(line)).toEqual({ ok: true, value: undefined });
  });

  test("refuses an event cut short and an odd direction", () => {
    const bytes = Buffer.from(TRADED_LINE.slice(14), "base64");
    const line = (part: Uint8Array) => `Program data: ${Buffer.from(part).toString("base64")}`;
    expect(decodeWhirlpoolTraded(line(bytes.subarray(0, 120))).ok).toBe(false);
    bytes[40] = 2;
    expect(decodeWhirlpoolTraded(line(bytes)).ok).toBe(false);
  });
});
