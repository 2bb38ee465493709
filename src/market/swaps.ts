/**
 * The swaps of one transaction: each swap instruction of a program we know, joined with the log lines of its own
 * invocation, which hold the exact amounts and the reserves it found. The k-th invocation of a program in the logs is
 * its k-th instruction in execution order.
 */
import type { DexName } from "#core/pool.ts";
import type { Address } from "#core/units.ts";
import { addressBytes, decodeBase64, startsWith } from "#dex/bytes.ts";
import { RAYDIUM_AMM_V4_PROGRAM, RAYDIUM_CLMM_PROGRAM, RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import {
  type AmmV4SwapAccounts,
  decodeAmmV4Swap,
  decodeAmmV4SwapV2,
  decodeRayLog,
  isAmmV4Swap,
  type RayLogSwap,
} from "#dex/raydium-amm-v4/decode.ts";
import { decodeSwap as decodeClmmSwap, decodeSwapEventLine } from "#dex/raydium-clmm/decode-swap.ts";
import { decodeCpmmSwap, decodeSwapEvent } from "#dex/raydium-cpmm/decode.ts";
import { CPMM_DISCRIMINATOR } from "#dex/raydium-cpmm/layout.ts";
import { decodeTokenTransfer } from "#dex/token-transfer.ts";
import { invocationLines } from "./invocations.ts";
import type { MarketInstruction, MarketTransaction } from "./transaction.ts";

export type MarketSwap = {
  readonly dex: DexName;
  readonly pool: Address;
  /** Who signed for the input. */
  readonly trader: Address;
  readonly kind: "base-in" | "base-out";
  readonly inputSide: 0 | 1;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** Effective reserves before it, side 0 and side 1; zeros where liquidity is concentrated. */
  readonly reservesBefore: readonly [bigint, bigint];
  /** Its place among the transaction's instructions, inner ones counted. */
  readonly instructionIndex: number;
  /** AMM v4 in its first form only: the accounts of the swap, from which the pool's facts are made. */
  readonly ammV4?: AmmV4SwapAccounts;
};

export type TransactionSwaps = {
  readonly swaps: readonly MarketSwap[];
  /** Swap instructions that executed and whose logs or accounts could not be read. */
  readonly unreadable: number;
};

const NONE: TransactionSwaps = { swaps: [], unreadable: 0 };
const PROGRAM_DATA_PREFIX = "Program data: ";

export function decodeSwaps(transaction: MarketTransaction): TransactionSwaps {
  const { instructions } = transaction;
  if (transaction.failed || !instructions.some((instruction) => DECODERS.has(instruction.program))) return NONE;
  const lines = invocationLines(transaction.logs);
  const seen = new Map<Address, number>();
  const swaps: MarketSwap[] = [];
  let unreadable = 0;
  instructions.forEach((instruction, index) => {
    const decode = DECODERS.get(instruction.program);
    if (decode === undefined) return;
    const invocation = seen.get(instruction.program) ?? 0;
    seen.set(instruction.program, invocation + 1);
    const own = lines.get(instruction.program)?.[invocation] ?? [];
    const swap = decode(instruction, own, instructions, index);
    if (swap === "unreadable") unreadable++;
    else if (swap !== "no swap") swaps.push(swap);
  });
  return { swaps, unreadable };
}

type Decoder = (
  instruction: MarketInstruction,
  ownLines: readonly string[],
  all: readonly MarketInstruction[],
  index: number,
) => MarketSwap | "no swap" | "unreadable";

const decodeAmmV4: Decoder = (instruction, ownLines, all, index) => {
  const data = instruction.data();
  if (data === undefined) return "unreadable";
  const second = decodeAmmV4SwapV2(data, instruction.accounts);
  if (second.ok && second.value === undefined && !isAmmV4Swap(data)) return "no swap";
  const first = isAmmV4Swap(data) ? decodeAmmV4Swap(data, instruction.accounts) : undefined;
  const swap = first?.ok ? first.value : second.ok ? second.value : undefined;
  const log = firstRayLog(ownLines);
  if (swap === undefined || log === undefined || log.kind !== swap.kind) return "unreadable";
  if (!transfersAgree(all, index, log, swap.accounts)) return "unreadable";
  const { amm: pool, userOwner: trader } = swap.accounts;
  const found: MarketSwap = { dex: "raydium-amm-v4", pool, trader, ...log, instructionIndex: index };
  // The second forms name no order book: they tell of a swap, and not all that a new pool's facts need.
  return first?.ok ? { ...found, ammV4: first.value.accounts } : found;
};

function firstRayLog(ownLines: readonly string[]): RayLogSwap | undefined {
  for (const line of ownLines) {
    const log = decodeRayLog(line);
    if (!log.ok || log.value !== undefined) return log.ok ? log.value : undefined;
  }
  return undefined;
}

/** The two transfers right behind the swap must move what the log says, by the vaults that its direction says. */
function transfersAgree(
  all: readonly MarketInstruction[],
  index: number,
  log: RayLogSwap,
  accounts: Pick<AmmV4SwapAccounts, "coinVault" | "pcVault">,
): boolean {
  const [taken, paid] = [all[index + 1], all[index + 2]].map((next) => {
    const data = next?.data();
    return next && data ? decodeTokenTransfer(next.program, data, next.accounts) : undefined;
  });
  const [vaultIn, vaultOut] =
    log.inputSide === 0 ? [accounts.coinVault, accounts.pcVault] : [accounts.pcVault, accounts.coinVault];
  return (
    taken !== undefined &&
    paid !== undefined &&
    taken.to === vaultIn &&
    taken.amount === log.amountIn &&
    paid.from === vaultOut &&
    paid.amount === log.amountOut
  );
}

const decodeCpmm: Decoder = (instruction, ownLines, _all, index) => {
  const data = instruction.data();
  if (data === undefined) return "unreadable";
  const swap = decodeCpmmSwap(data, instruction.accounts);
  if (!swap.ok) return "unreadable";
  if (swap.value === undefined) return "no swap";
  const { kind, accounts } = swap.value;
  const event = firstSwapEvent(ownLines);
  if (event === undefined || event.poolId !== accounts.poolState) return "unreadable";
  // The program orders a pool's mints by their bytes, so the mints say which side comes in.
  const inputSide = bytesBelow(accounts.inputTokenMint, accounts.outputTokenMint) ? 0 : 1;
  const { reserveInBefore, reserveOutBefore, amountIn, amountOut } = event;
  return {
    dex: "raydium-cpmm",
    pool: event.poolId,
    trader: accounts.payer,
    kind,
    inputSide,
    amountIn,
    amountOut,
    reservesBefore: inputSide === 0 ? [reserveInBefore, reserveOutBefore] : [reserveOutBefore, reserveInBefore],
    instructionIndex: index,
  };
};

function firstSwapEvent(ownLines: readonly string[]) {
  for (const line of ownLines) {
    if (!line.startsWith(PROGRAM_DATA_PREFIX)) continue;
    const bytes = decodeBase64(line.slice(PROGRAM_DATA_PREFIX.length));
    if (bytes === undefined || !startsWith(bytes, CPMM_DISCRIMINATOR.swapEvent)) continue;
    const event = decodeSwapEvent(bytes);
    return event.ok ? event.value : undefined;
  }
  return undefined;
}

const decodeClmm: Decoder = (instruction, ownLines, _all, index) => {
  const data = instruction.data();
  if (data === undefined) return "unreadable";
  const swap = decodeClmmSwap(data, instruction.accounts);
  if (!swap.ok) return "unreadable";
  if (swap.value === undefined) return "no swap";
  const event = firstClmmEvent(ownLines);
  if (event === undefined || event.pool !== swap.value.pool) return "unreadable";
  const inputSide = event.zeroForOne ? 0 : 1;
  return {
    dex: "raydium-clmm",
    pool: event.pool,
    trader: swap.value.payer,
    kind: swap.value.mode === "exact-in" ? "base-in" : "base-out",
    inputSide,
    amountIn: event.amounts[inputSide],
    amountOut: event.amounts[1 - inputSide] as bigint,
    // It has a price and ticks, and no reserves that a record could tell.
    reservesBefore: [0n, 0n],
    instructionIndex: index,
  };
};

function firstClmmEvent(ownLines: readonly string[]) {
  for (const line of ownLines) {
    const event = decodeSwapEventLine(line);
    if (!event.ok || event.value !== undefined) return event.ok ? event.value : undefined;
  }
  return undefined;
}

const bytesBelow = (a: Address, b: Address): boolean => Buffer.compare(addressBytes(a), addressBytes(b)) < 0;

const DECODERS: ReadonlyMap<Address, Decoder> = new Map([
  [RAYDIUM_AMM_V4_PROGRAM, decodeAmmV4],
  [RAYDIUM_CPMM_PROGRAM, decodeCpmm],
  [RAYDIUM_CLMM_PROGRAM, decodeClmm],
]);
