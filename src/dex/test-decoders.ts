/**
 * Every decoder of this room that takes foreign bytes, with good bytes to start from, for the tests that damage them. The
 * accounts are those of the golden vectors, as far as a decoder takes them; what no recording in the repository shows is
 * made from the layouts.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import * as dlmm from "./meteora-dlmm/decode.ts";
import { decodeDlmmInstruction, decodeDlmmRecord } from "./meteora-dlmm/decode-any.ts";
import { decodeDlmmSwap, decodeDlmmSwapEvent } from "./meteora-dlmm/decode-swap.ts";
import { DLMM_INSTRUCTIONS, DLMM_RECORDS } from "./meteora-dlmm/instruction-table.ts";
import { DLMM_DISCRIMINATOR, SWAP_EVENT_BYTES, SWAP_INSTRUCTIONS, SWAP2_EVENT_BYTES } from "./meteora-dlmm/layout.ts";
import { transferHookOf } from "./meteora-dlmm/transfer-hook.ts";
import * as whirlpool from "./orca-whirlpool/decode.ts";
import { decodeWhirlpoolInstruction, decodeWhirlpoolRecord } from "./orca-whirlpool/decode-any.ts";
import { decodeWhirlpoolSwap, decodeWhirlpoolTraded } from "./orca-whirlpool/decode-swap.ts";
import { decodeTickArray as decodeWhirlpoolTickArray } from "./orca-whirlpool/decode-tick-array.ts";
import { WHIRLPOOL_INSTRUCTIONS, WHIRLPOOL_RECORDS } from "./orca-whirlpool/instruction-table.ts";
import {
  ADAPTIVE_FEE_TIER_BYTES,
  FEE_TIER_BYTES,
  TRADED_BYTES,
  WHIRLPOOL_DISCRIMINATOR,
} from "./orca-whirlpool/layout.ts";
import { SYNTHETIC, syntheticPool } from "./orca-whirlpool/synthetic-pool.ts";
import { PUMPSWAP_PROGRAM, RAYDIUM_CPMM_PROGRAM, TOKEN_PROGRAM } from "./program-addresses.ts";
import * as pumpSwap from "./pumpswap/decode.ts";
import { decodePumpSwapFeeConfig } from "./pumpswap/fees.ts";
import { PUMPSWAP_DISCRIMINATOR, PUMPSWAP_TRADE } from "./pumpswap/layout.ts";
import * as ammV4 from "./raydium-amm-v4/decode.ts";
import * as clmm from "./raydium-clmm/decode.ts";
import { decodeClmmInstruction, decodeClmmRecord } from "./raydium-clmm/decode-any.ts";
import { decodeSwap as decodeClmmSwap, decodeSwapEvent, decodeSwapEventLine } from "./raydium-clmm/decode-swap.ts";
import { decodeBitmapExtension, decodeTickArray } from "./raydium-clmm/decode-ticks.ts";
import { CLMM_INSTRUCTIONS, CLMM_RECORDS } from "./raydium-clmm/instruction-table.ts";
import { CLMM_DISCRIMINATOR, SWAP_EVENT_WITH_FEES_BYTES } from "./raydium-clmm/layout.ts";
import { syntheticPool as syntheticClmmPool } from "./raydium-clmm/synthetic-pool.ts";
import * as cpmm from "./raydium-cpmm/decode.ts";
import { CPMM_DISCRIMINATOR, SWAP_EVENT_BYTES_MIN } from "./raydium-cpmm/layout.ts";
import { decodeExecutedSwaps } from "./swap-decoder.ts";
import { GOLDEN_VECTORS } from "./test-data.ts";
import { metaplexName, mintName } from "./token-metadata.ts";
import { decodeTokenTransfer } from "./token-transfer.ts";
import { transferFeeOf } from "./transfer-fee.ts";

/** What a decoder made of the bytes: a value, nothing that it knows, or a typed refusal. */
export type Answer = "read" | "passed over" | "refused";

export type HostileDecoder = {
  readonly name: string;
  /** Good bytes, each of which the decoder reads. */
  readonly seeds: readonly Uint8Array[];
  /** Throws where the decoder throws, or refuses without a typed error. `accountCount` is for instructions. */
  readonly answer: (bytes: Uint8Array, accountCount: number) => Answer;
};

/** More than any instruction of the six names. */
export const ACCOUNTS_MAX = 40;
/** So many recorded accounts at most are seeds of one decoder. */
const ACCOUNT_SEEDS_MAX = 6;

export const MARKS_BYTES = 8;
const RECORD_BYTES_MAX = 16_384;

/** 32 zero bytes, as the made accounts have them. */
const NO_MINT = "11111111111111111111111111111111" as Address;
const KEYS = Array.from({ length: ACCOUNTS_MAX }, (_, i) => `account ${i}` as Address);
const KEYS_BY_COUNT = Array.from({ length: ACCOUNTS_MAX + 1 }, (_, count) => KEYS.slice(0, count));

export function everyDecoder(): readonly HostileDecoder[] {
  const accounts = knownAccounts();
  const ofAccount = (name: string, decode: (bytes: Uint8Array) => unknown): HostileDecoder => {
    const answer = (bytes: Uint8Array) => answerOf(decode(bytes));
    const seeds = accounts.filter((bytes) => answer(bytes) === "read").slice(0, ACCOUNT_SEEDS_MAX);
    return { name, seeds, answer };
  };
  return [
    ofAccount("CP-Swap decodePoolState", cpmm.decodePoolState),
    ofAccount("CP-Swap decodeAmmConfig", cpmm.decodeAmmConfig),
    ofAccount("CP-Swap decodeTokenAmount", cpmm.decodeTokenAmount),
    ofAccount("AMM v4 decodeAmmInfo", ammV4.decodeAmmInfo),
    ofAccount("CLMM decodePoolState", clmm.decodePoolState),
    ofAccount("CLMM decodeAmmConfig", clmm.decodeAmmConfig),
    ofAccount("CLMM decodeObservation", clmm.decodeObservation),
    ofAccount("CLMM decodeTickArray", decodeTickArray),
    ofAccount("CLMM decodeBitmapExtension", decodeBitmapExtension),
    ofAccount("Whirlpool decodeWhirlpool", whirlpool.decodeWhirlpool),
    ofAccount("Whirlpool decodeTickArray", decodeWhirlpoolTickArray),
    ofAccount("Whirlpool decodeOracle", whirlpool.decodeOracle),
    ofAccount("Whirlpool decodeFeeTier", whirlpool.decodeFeeTier),
    ofAccount("Whirlpool decodeAdaptiveFeeTier", whirlpool.decodeAdaptiveFeeTier),
    ofAccount("DLMM decodeLbPair", dlmm.decodeLbPair),
    ofAccount("DLMM decodeBinArray", dlmm.decodeBinArray),
    ofAccount("DLMM decodeBitmapExtension", dlmm.decodeBitmapExtension),
    ofAccount("DLMM decodeOracle", dlmm.decodeOracle),
    ofAccount("PumpSwap decodePumpSwapPool", pumpSwap.decodePumpSwapPool),
    ofAccount("PumpSwap decodePumpSwapGlobalConfig", pumpSwap.decodePumpSwapGlobalConfig),
    ofAccount("PumpSwap decodePumpSwapFeeConfig", decodePumpSwapFeeConfig),
    ofAccount("Token-2022 transferFeeOf", transferFeeOf),
    ofAccount("Token-2022 transferHookOf", transferHookOf),
    { name: "Token-2022 mintName", seeds: [namedMint()], answer: bare((bytes) => mintName(NO_MINT, bytes)) },
    {
      name: "Metaplex metaplexName",
      seeds: [metaplexAccount()],
      answer: bare((bytes) => metaplexName(NO_MINT, bytes)),
    },
    { name: "DLMM decodeDlmmRecord", seeds: records(decodeDlmmRecord, DLMM_RECORDS), answer: bare(decodeDlmmRecord) },
    { name: "CLMM decodeClmmRecord", seeds: records(decodeClmmRecord, CLMM_RECORDS), answer: bare(decodeClmmRecord) },
    {
      name: "Whirlpool decodeWhirlpoolRecord",
      seeds: records(decodeWhirlpoolRecord, WHIRLPOOL_RECORDS),
      answer: bare(decodeWhirlpoolRecord),
    },
    {
      name: "DLMM decodeDlmmInstruction",
      seeds: instructions(DLMM_INSTRUCTIONS),
      answer: keyed(decodeDlmmInstruction),
    },
    {
      name: "CLMM decodeClmmInstruction",
      seeds: instructions(CLMM_INSTRUCTIONS),
      answer: keyed(decodeClmmInstruction),
    },
    {
      name: "Whirlpool decodeWhirlpoolInstruction",
      seeds: instructions(WHIRLPOOL_INSTRUCTIONS),
      answer: keyed(decodeWhirlpoolInstruction),
    },
    {
      name: "CP-Swap decodeCpmmSwap",
      seeds: [made(24, CPMM_DISCRIMINATOR.swapBaseInput), made(24, CPMM_DISCRIMINATOR.swapBaseOutput)],
      answer: keyed(cpmm.decodeCpmmSwap),
    },
    { name: "AMM v4 decodeAmmV4Swap", seeds: [made(17, [9]), made(17, [11])], answer: keyed(ammV4.decodeAmmV4Swap) },
    {
      name: "AMM v4 decodeAmmV4SwapV2",
      seeds: [made(17, [16]), made(17, [17])],
      answer: keyed(ammV4.decodeAmmV4SwapV2),
    },
    {
      name: "CLMM decodeSwap",
      seeds: [made(41, CLMM_DISCRIMINATOR.swap), made(41, CLMM_DISCRIMINATOR.swapV2)],
      answer: keyed(decodeClmmSwap),
    },
    {
      name: "Whirlpool decodeWhirlpoolSwap",
      seeds: [
        made(43, WHIRLPOOL_DISCRIMINATOR.swap),
        made(43, WHIRLPOOL_DISCRIMINATOR.swapV2),
        made(60, WHIRLPOOL_DISCRIMINATOR.twoHopSwap),
        made(60, WHIRLPOOL_DISCRIMINATOR.twoHopSwapV2),
      ],
      answer: keyed(decodeWhirlpoolSwap),
    },
    {
      name: "DLMM decodeDlmmSwap",
      seeds: Object.values(SWAP_INSTRUCTIONS).map((marks) => made(40, marks)),
      answer: keyed(decodeDlmmSwap),
    },
    {
      name: "PumpSwap decodePumpSwapTrade",
      seeds: Object.values(PUMPSWAP_TRADE).map((marks) => made(25, marks)),
      answer: keyed(pumpSwap.decodePumpSwapTrade),
    },
    {
      name: "decodeTokenTransfer",
      seeds: [made(9, [3]), made(10, [12]), made(19, [26, 1])],
      answer: keyed((bytes, keys) => decodeTokenTransfer(TOKEN_PROGRAM, bytes, keys)),
    },
    {
      name: "decodeExecutedSwaps",
      seeds: [made(24, CPMM_DISCRIMINATOR.swapBaseInput), made(25, PUMPSWAP_TRADE.sell)],
      answer: keyed(swapsOf),
    },
    {
      name: "CP-Swap decodeSwapEvent",
      seeds: [made(SWAP_EVENT_BYTES_MIN + 80, CPMM_DISCRIMINATOR.swapEvent)],
      answer: bare(cpmm.decodeSwapEvent),
    },
    {
      name: "CLMM decodeSwapEvent",
      seeds: [made(SWAP_EVENT_WITH_FEES_BYTES, CLMM_DISCRIMINATOR.swapEvent)],
      answer: bare(decodeSwapEvent),
    },
    {
      name: "DLMM decodeDlmmSwapEvent",
      seeds: [
        made(16 + SWAP_EVENT_BYTES, DLMM_DISCRIMINATOR.eventInstruction, DLMM_DISCRIMINATOR.swapEvent),
        made(16 + SWAP2_EVENT_BYTES, DLMM_DISCRIMINATOR.eventInstruction, DLMM_DISCRIMINATOR.swap2Event),
        made(8 + SWAP_EVENT_BYTES, DLMM_DISCRIMINATOR.swapEvent),
      ],
      answer: bare(decodeDlmmSwapEvent),
    },
    {
      name: "PumpSwap decodePumpSwapEvent",
      seeds: [made(450, PUMPSWAP_DISCRIMINATOR.buyEvent), made(450, PUMPSWAP_DISCRIMINATOR.sellEvent)],
      answer: bare(pumpSwap.decodePumpSwapEvent),
    },
    {
      name: "AMM v4 decodeRayLog",
      seeds: [made(57, [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])],
      answer: line("Program log: ray_log: ", ammV4.decodeRayLog),
    },
    {
      name: "CLMM decodeSwapEventLine",
      seeds: [made(SWAP_EVENT_WITH_FEES_BYTES, CLMM_DISCRIMINATOR.swapEvent)],
      answer: line("Program data: ", decodeSwapEventLine),
    },
    {
      name: "Whirlpool decodeWhirlpoolTraded",
      seeds: [made(TRADED_BYTES, WHIRLPOOL_DISCRIMINATOR.traded)],
      answer: line("Program data: ", decodeWhirlpoolTraded),
    },
  ];
}

/** Throws for a refusal without a typed error: a decoder answers with a result, with a value, or with undefined. */
function answerOf(answer: unknown): Answer {
  if (answer === undefined) return "passed over";
  if (typeof answer !== "object" || answer === null || !("ok" in answer)) return "read";
  // The shape of a Result, which is what every decoder with an `ok` returns.
  const result = answer as { ok: boolean; value?: unknown; error?: unknown };
  if (result.ok) return result.value === undefined ? "passed over" : "read";
  if (result.error instanceof SandpiperError) return "refused";
  throw new Error("refused without a typed error");
}

const bare =
  (decode: (bytes: Uint8Array) => unknown): HostileDecoder["answer"] =>
  (bytes) =>
    answerOf(decode(bytes));

const keyed =
  (decode: (bytes: Uint8Array, accounts: readonly Address[]) => unknown): HostileDecoder["answer"] =>
  (bytes, accountCount) =>
    answerOf(decode(bytes, KEYS_BY_COUNT[accountCount] as readonly Address[]));

/** A log line: the bytes in base64, and for some lengths of the accounts with a character of the text changed. */
const line =
  (prefix: string, decode: (text: string) => unknown): HostileDecoder["answer"] =>
  (bytes, accountCount) => {
    const text = prefix + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
    if (accountCount === ACCOUNTS_MAX) return answerOf(decode(text));
    const at = (accountCount * 7 + (bytes[bytes.length - 1] ?? 0)) % text.length;
    return answerOf(decode(text.slice(0, at) + String.fromCharCode(accountCount * 97) + text.slice(at + 1)));
  };

/** The bytes as the data of one swap that moves tokens as the data of a transfer say. */
function swapsOf(bytes: Uint8Array, accounts: readonly Address[]): unknown {
  const swap = { data: () => bytes, accounts, depth: 0 };
  const transfer = { program: TOKEN_PROGRAM, data: () => made(9, [3]), accounts, depth: 1 };
  const instructions = [{ ...swap, program: RAYDIUM_CPMM_PROGRAM }, transfer, { ...swap, program: PUMPSWAP_PROGRAM }];
  const { swaps, unreadable } = decodeExecutedSwaps(instructions, new Map());
  return swaps.length + unreadable.length === 0 ? undefined : unreadable;
}

function made(size: number, ...marks: (readonly number[])[]): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(marks.flat());
  return bytes;
}

/** Anchor's mark of a name: the first bytes of sha256("account:Position"). */
const marksOf = (space: "account" | "global", name: string): readonly number[] => [
  ...createHash("sha256").update(`${space}:${name}`).digest().subarray(0, 8),
];

/** Zeroes behind the mark of each name: options not given, lists empty, and more than the longest of them needs. */
const instructions = (table: Readonly<Record<string, unknown>>): readonly Uint8Array[] =>
  Object.keys(table).map((name) => made(512, marksOf("global", name)));

/** The same of accounts, each as long as its record, since some may not be longer. */
function records(
  decode: (bytes: Uint8Array) => { readonly ok: boolean },
  table: Readonly<Record<string, unknown>>,
): readonly Uint8Array[] {
  return Object.keys(table).map((name) => {
    const longest = made(RECORD_BYTES_MAX, marksOf("account", name));
    let size = MARKS_BYTES;
    while (size < RECORD_BYTES_MAX && !decode(longest.subarray(0, size)).ok) size++;
    return longest.slice(0, size);
  });
}

/** The accounts of the golden vectors, of pools made for tests, and those that neither has. */
function knownAccounts(): readonly Uint8Array[] {
  const recorded = readdirSync(GOLDEN_VECTORS)
    .filter((file) => file.endsWith(".json") && !file.startsWith("route"))
    .sort()
    .flatMap((file) => {
      const golden = JSON.parse(readFileSync(join(GOLDEN_VECTORS, file), "utf8")) as { accounts: { data: string }[] };
      return golden.accounts.map(({ data }) => new Uint8Array(Buffer.from(data, "base64")));
    });
  return [...recorded, ...syntheticAccounts(), ...madeAccounts()];
}

function syntheticAccounts(): readonly Uint8Array[] {
  const positions = [{ lower: -640, upper: 1_280, liquidity: 10n ** 13n }];
  const adaptive = {
    filterPeriod: 30,
    decayPeriod: 600,
    reductionFactor: 500,
    adaptiveFeeControlFactor: 4_000,
    maxVolatilityAccumulator: 350_000,
    tickGroupSize: 64,
    majorSwapThresholdTicks: 64,
  };
  const pools = [
    syntheticPool({ tickSpacing: 64, tick: 64, positions, dynamicArrays: true, adaptive }),
    syntheticPool({ tickSpacing: 64, tick: 64, positions, transferFees: [{ basisPoints: 1, maximum: 9n }, undefined] }),
    syntheticClmmPool({ build: "2024", tickSpacing: 1, tick: 17, positions }),
    syntheticClmmPool({ build: "2026", tickSpacing: 1, tick: 17, positions }),
  ];
  if (!pools[0]?.has(SYNTHETIC.pool)) throw new Error("a synthetic pool without its pool");
  return pools.flatMap((accounts) => [...accounts.values()].map(({ data }) => data));
}

/** Name and symbol, each behind its length. */
const NAME_AND_SYMBOL = [4, 0, 0, 0, 0x55, 0x53, 0x44, 0x43, 3, 0, 0, 0, 0xe2, 0x82, 0xac];

/** A Token-2022 mint whose one extension, 19, says its name. */
function namedMint(): Uint8Array {
  const size = 64 + NAME_AND_SYMBOL.length;
  const mint = made(166 + 4 + size);
  mint.set([1, 19, 0, size, 0], 165);
  mint.set(NAME_AND_SYMBOL, 170 + 64);
  return mint;
}

function metaplexAccount(): Uint8Array {
  const account = made(65 + NAME_AND_SYMBOL.length + 100, [4]);
  account.set(NAME_AND_SYMBOL, 65);
  return account;
}

function madeAccounts(): readonly Uint8Array[] {
  // A Token-2022 mint with one extension: 14 is a transfer hook of 64 bytes, whose program is not the system's.
  const hooked = made(166 + 4 + 64);
  hooked.set([1, 14, 0, 64, 0], 165);
  hooked.fill(7, 170);
  return [
    made(FEE_TIER_BYTES, WHIRLPOOL_DISCRIMINATOR.feeTier),
    made(ADAPTIVE_FEE_TIER_BYTES, WHIRLPOOL_DISCRIMINATOR.adaptiveFeeTier),
    made(32 + 100 * 32, DLMM_DISCRIMINATOR.oracle),
    made(1_576, DLMM_DISCRIMINATOR.bitmapExtension),
    made(1_832, CLMM_DISCRIMINATOR.tickArrayBitmapExtension),
    hooked,
  ];
}
