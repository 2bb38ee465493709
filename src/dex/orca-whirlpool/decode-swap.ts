/**
 * The four swap instructions of the Whirlpool program and their Traded event as values, top-level or inner alike: one hop
 * or two, each with its pool and the vaults that its tokens pass through. Foreign bytes are checked whole here; nothing
 * throws.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { decodeBase64, readAddress, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import {
  SWAP_ACCOUNTS,
  SWAP_DATA,
  SWAP_DATA_BYTES,
  SWAP_V2_ACCOUNTS,
  TRADED,
  TRADED_BYTES,
  TWO_HOP_SWAP_ACCOUNTS,
  TWO_HOP_SWAP_DATA,
  TWO_HOP_SWAP_DATA_BYTES,
  TWO_HOP_SWAP_V2_ACCOUNTS,
  WHIRLPOOL_DISCRIMINATOR,
} from "./layout.ts";
import { u128At, viewOf } from "./words.ts";

type WhirlpoolHop = {
  readonly whirlpool: Address;
  /** A comes in and B goes out. */
  readonly aToB: boolean;
  /** 0n is none. */
  readonly sqrtPriceLimit: bigint;
  readonly inputVault: Address;
  readonly outputVault: Address;
  readonly tickArrays: readonly Address[];
  readonly oracle: Address;
};

export type WhirlpoolSwap = {
  readonly instruction: "swap" | "swapV2" | "twoHopSwap" | "twoHopSwapV2";
  readonly authority: Address;
  /** Exactly what comes in or exactly what goes out; the other amount is bounded. */
  readonly exactIn: boolean;
  readonly amount: bigint;
  readonly otherAmountThreshold: bigint;
  readonly inputAccount: Address;
  readonly outputAccount: Address;
  /** In the order that the tokens pass them. */
  readonly hops: readonly WhirlpoolHop[];
};

/** What a swap did. Amounts are what the vaults saw moved, transfer fees included. */
export type WhirlpoolTraded = {
  readonly whirlpool: Address;
  readonly aToB: boolean;
  readonly preSqrtPrice: bigint;
  readonly postSqrtPrice: bigint;
  readonly inputAmount: bigint;
  readonly outputAmount: bigint;
  readonly inputTransferFee: bigint;
  readonly outputTransferFee: bigint;
  readonly lpFee: bigint;
  readonly protocolFee: bigint;
};

type Named<Names extends readonly string[]> = Readonly<Record<Names[number], Address>>;

const EVENT_PREFIX = "Program data: ";

/** Undefined for any other instruction of the program. */
export function decodeWhirlpoolSwap(
  data: Uint8Array,
  accounts: readonly Address[],
): Result<WhirlpoolSwap | undefined, SandpiperError> {
  if (startsWith(data, WHIRLPOOL_DISCRIMINATOR.swap))
    return decodeWith("swap", SWAP_DATA_BYTES, SWAP_ACCOUNTS, data, accounts, swapOf);
  if (startsWith(data, WHIRLPOOL_DISCRIMINATOR.swapV2))
    return decodeWith("swapV2", SWAP_DATA_BYTES + 1, SWAP_V2_ACCOUNTS, data, accounts, swapOf);
  if (startsWith(data, WHIRLPOOL_DISCRIMINATOR.twoHopSwap))
    return decodeWith("twoHopSwap", TWO_HOP_SWAP_DATA_BYTES, TWO_HOP_SWAP_ACCOUNTS, data, accounts, twoHopSwapOf);
  if (startsWith(data, WHIRLPOOL_DISCRIMINATOR.twoHopSwapV2))
    return decodeWith(
      "twoHopSwapV2",
      TWO_HOP_SWAP_DATA_BYTES + 1,
      TWO_HOP_SWAP_V2_ACCOUNTS,
      data,
      accounts,
      twoHopSwapV2Of,
    );
  return ok(undefined);
}

/** The event that a log line carries; undefined when it carries none of this kind. */
export function decodeWhirlpoolTraded(line: string): Result<WhirlpoolTraded | undefined, SandpiperError> {
  if (!line.startsWith(EVENT_PREFIX)) return ok(undefined);
  const data = decodeBase64(line.slice(EVENT_PREFIX.length));
  if (data === undefined || !startsWith(data, WHIRLPOOL_DISCRIMINATOR.traded)) return ok(undefined);
  if (data.length < TRADED_BYTES)
    return refuse(DEX_ERROR.logLine, "a Traded event", `${TRADED_BYTES} bytes`, `${data.length}`);
  const aToB = data[TRADED.aToB];
  if (aToB !== 0 && aToB !== 1) return refuse(DEX_ERROR.logLine, "a Traded event", "a_to_b of 0 or 1", `${aToB}`);
  const view = viewOf(data);
  const units = (offset: number): bigint => view.getBigUint64(offset, true);
  return ok({
    whirlpool: readAddress(data, TRADED.whirlpool),
    aToB: aToB === 1,
    preSqrtPrice: u128At(view, TRADED.preSqrtPrice),
    postSqrtPrice: u128At(view, TRADED.postSqrtPrice),
    inputAmount: units(TRADED.inputAmount),
    outputAmount: units(TRADED.outputAmount),
    inputTransferFee: units(TRADED.inputTransferFee),
    outputTransferFee: units(TRADED.outputTransferFee),
    lpFee: units(TRADED.lpFee),
    protocolFee: units(TRADED.protocolFee),
  });
}

/** Checks sizes and flags, names the accounts, and lets `read` put the swap together. */
function decodeWith<const Names extends readonly string[]>(
  instruction: WhirlpoolSwap["instruction"],
  bytes: number,
  names: Names,
  data: Uint8Array,
  accounts: readonly Address[],
  read: (instruction: WhirlpoolSwap["instruction"], named: Named<Names>, data: Uint8Array) => WhirlpoolSwap,
): Result<WhirlpoolSwap, SandpiperError> {
  const what = `a Whirlpool ${instruction}`;
  if (data.length < bytes) return refuse(DEX_ERROR.instruction, what, `${bytes} bytes or more`, `${data.length}`);
  if (accounts.length < names.length)
    return refuse(DEX_ERROR.instruction, what, `${names.length} accounts or more`, `${accounts.length}`);
  const twoHops = instruction === "twoHopSwap" || instruction === "twoHopSwapV2";
  const flags = twoHops
    ? [TWO_HOP_SWAP_DATA.amountSpecifiedIsInput, TWO_HOP_SWAP_DATA.aToBOne, TWO_HOP_SWAP_DATA.aToBTwo]
    : [SWAP_DATA.amountSpecifiedIsInput, SWAP_DATA.aToB];
  const odd = flags.find((offset) => (data[offset] as number) > 1);
  if (odd !== undefined) return refuse(DEX_ERROR.instruction, what, `0 or 1 at byte ${odd}`, `${data[odd]}`);
  // Every name has its account, which the type of fromEntries cannot say.
  const named = Object.fromEntries(names.map((name, i) => [name, accounts[i]])) as Named<Names>;
  return ok(read(instruction, named, data));
}

function swapOf(
  instruction: WhirlpoolSwap["instruction"],
  named: Omit<Named<typeof SWAP_ACCOUNTS>, "tokenProgram">,
  data: Uint8Array,
): WhirlpoolSwap {
  const view = viewOf(data);
  const aToB = data[SWAP_DATA.aToB] === 1;
  return {
    instruction,
    authority: named.tokenAuthority,
    exactIn: data[SWAP_DATA.amountSpecifiedIsInput] === 1,
    amount: view.getBigUint64(SWAP_DATA.amount, true),
    otherAmountThreshold: view.getBigUint64(SWAP_DATA.otherAmountThreshold, true),
    inputAccount: aToB ? named.tokenOwnerAccountA : named.tokenOwnerAccountB,
    outputAccount: aToB ? named.tokenOwnerAccountB : named.tokenOwnerAccountA,
    hops: [
      {
        whirlpool: named.whirlpool,
        aToB,
        sqrtPriceLimit: u128At(view, SWAP_DATA.sqrtPriceLimit),
        inputVault: aToB ? named.tokenVaultA : named.tokenVaultB,
        outputVault: aToB ? named.tokenVaultB : named.tokenVaultA,
        tickArrays: [named.tickArray0, named.tickArray1, named.tickArray2],
        oracle: named.oracle,
      },
    ],
  };
}

function twoHopSwapOf(
  instruction: WhirlpoolSwap["instruction"],
  named: Named<typeof TWO_HOP_SWAP_ACCOUNTS>,
  data: Uint8Array,
): WhirlpoolSwap {
  const oneAToB = data[TWO_HOP_SWAP_DATA.aToBOne] === 1;
  const twoAToB = data[TWO_HOP_SWAP_DATA.aToBTwo] === 1;
  const pair = (aToB: boolean, a: Address, b: Address): readonly [Address, Address] => (aToB ? [a, b] : [b, a]);
  const [inputAccount] = pair(oneAToB, named.tokenOwnerAccountOneA, named.tokenOwnerAccountOneB);
  const [, outputAccount] = pair(twoAToB, named.tokenOwnerAccountTwoA, named.tokenOwnerAccountTwoB);
  return {
    ...twoHopHead(instruction, named.tokenAuthority, data),
    inputAccount,
    outputAccount,
    hops: twoHops(
      named,
      data,
      pair(oneAToB, named.tokenVaultOneA, named.tokenVaultOneB),
      pair(twoAToB, named.tokenVaultTwoA, named.tokenVaultTwoB),
    ),
  };
}

/** The newer form names vaults by what they do, and moves the middle token from vault to vault. */
function twoHopSwapV2Of(
  instruction: WhirlpoolSwap["instruction"],
  named: Named<typeof TWO_HOP_SWAP_V2_ACCOUNTS>,
  data: Uint8Array,
): WhirlpoolSwap {
  return {
    ...twoHopHead(instruction, named.tokenAuthority, data),
    inputAccount: named.tokenOwnerAccountInput,
    outputAccount: named.tokenOwnerAccountOutput,
    hops: twoHops(
      named,
      data,
      [named.tokenVaultOneInput, named.tokenVaultOneIntermediate],
      [named.tokenVaultTwoIntermediate, named.tokenVaultTwoOutput],
    ),
  };
}

function twoHopHead(instruction: WhirlpoolSwap["instruction"], authority: Address, data: Uint8Array) {
  const view = viewOf(data);
  return {
    instruction,
    authority,
    exactIn: data[TWO_HOP_SWAP_DATA.amountSpecifiedIsInput] === 1,
    amount: view.getBigUint64(TWO_HOP_SWAP_DATA.amount, true),
    otherAmountThreshold: view.getBigUint64(TWO_HOP_SWAP_DATA.otherAmountThreshold, true),
  };
}

type TwoHopNames = Pick<
  Named<typeof TWO_HOP_SWAP_ACCOUNTS>,
  | "whirlpoolOne"
  | "whirlpoolTwo"
  | "tickArrayOne0"
  | "tickArrayOne1"
  | "tickArrayOne2"
  | "tickArrayTwo0"
  | "tickArrayTwo1"
  | "tickArrayTwo2"
  | "oracleOne"
  | "oracleTwo"
>;

function twoHops(
  named: TwoHopNames,
  data: Uint8Array,
  [inputVaultOne, outputVaultOne]: readonly [Address, Address],
  [inputVaultTwo, outputVaultTwo]: readonly [Address, Address],
): readonly WhirlpoolHop[] {
  const view = viewOf(data);
  return [
    {
      whirlpool: named.whirlpoolOne,
      aToB: data[TWO_HOP_SWAP_DATA.aToBOne] === 1,
      sqrtPriceLimit: u128At(view, TWO_HOP_SWAP_DATA.sqrtPriceLimitOne),
      inputVault: inputVaultOne,
      outputVault: outputVaultOne,
      tickArrays: [named.tickArrayOne0, named.tickArrayOne1, named.tickArrayOne2],
      oracle: named.oracleOne,
    },
    {
      whirlpool: named.whirlpoolTwo,
      aToB: data[TWO_HOP_SWAP_DATA.aToBTwo] === 1,
      sqrtPriceLimit: u128At(view, TWO_HOP_SWAP_DATA.sqrtPriceLimitTwo),
      inputVault: inputVaultTwo,
      outputVault: outputVaultTwo,
      tickArrays: [named.tickArrayTwo0, named.tickArrayTwo1, named.tickArrayTwo2],
      oracle: named.oracleTwo,
    },
  ];
}

function refuse(code: number, what: string, want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(code, `Cannot decode ${what}: ${want}, was ${was}`));
}
