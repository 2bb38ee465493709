/**
 * The swaps of an executed transaction on any of the six programs, top-level and inner: which pool, which way, and what
 * moved. Amounts come from the token transfers that the swap itself made, so that they equal the balance changes whatever
 * the instruction asked for.
 */
import type { Address } from "#core/units.ts";
import { TOKEN_2022_PROGRAM } from "./program-addresses.ts";
import { isVenueProgram, type SwapShape, swapShapes } from "./swap-shape.ts";
import { decodeTokenTransfer, type TokenTransfer } from "./token-transfer.ts";
import type { VenueName } from "./venue.ts";

export type ExecutedInstruction = {
  readonly program: Address;
  readonly accounts: readonly Address[];
  /** Its data, or undefined when they were no valid text. */
  readonly data: () => Uint8Array | undefined;
  /** 1 for top-level instructions, more for inner ones; undefined where the recording does not say. */
  readonly depth: number | undefined;
};

export type DecodedSwap = {
  readonly venue: VenueName;
  readonly pool: Address;
  readonly trader: Address;
  readonly vaultIn: Address;
  readonly vaultOut: Address;
  /** What the vaults took and paid in the swap, fees that left them again taken off. */
  readonly vaultReceived: bigint;
  readonly vaultPaid: bigint;
  readonly traderAccountIn: Address;
  readonly traderAccountOut: Address;
  /** What left the trader's account, and what was sent to it: fees of the pool and of others are settled. */
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** Undefined where the recording names no mint for a vault. */
  readonly mintIn: Address | undefined;
  readonly mintOut: Address | undefined;
  /** Its place among the transaction's instructions, inner ones counted. */
  readonly instructionIndex: number;
};

export type DecodedSwaps = {
  readonly swaps: readonly DecodedSwap[];
  /** Swap instructions that executed and were not understood, and why. */
  readonly unreadable: readonly { readonly instructionIndex: number; readonly reason: string }[];
};

/** What the recording says of a token account: its mint, and how much its balance changed in the transaction. */
export type TokenAccountFacts = { readonly mint: Address; readonly change: bigint };

/** Instructions in the order of their execution, of a transaction that succeeded. */
export function decodeExecutedSwaps(
  instructions: readonly ExecutedInstruction[],
  tokenAccounts: ReadonlyMap<Address, TokenAccountFacts>,
): DecodedSwaps {
  const arrived = arrivals(instructions, tokenAccounts);
  const swaps: DecodedSwap[] = [];
  const unreadable: { instructionIndex: number; reason: string }[] = [];
  instructions.forEach((instruction, instructionIndex) => {
    if (!isVenueProgram(instruction.program)) return;
    const data = instruction.data();
    const shapes = data && swapShapes(instruction.program, data, instruction.accounts);
    if (shapes === undefined || !shapes.ok) {
      unreadable.push({ instructionIndex, reason: shapes?.error.message ?? "its data are no base58" });
      return;
    }
    if (shapes.value.length === 0) return;
    const transfers = transfersWithin(instructions, instructionIndex).map(arrived);
    for (const shape of shapes.value) {
      const moved = movements(shape, transfers);
      if (typeof moved === "string") unreadable.push({ instructionIndex, reason: `${shape.venue}: ${moved}` });
      else {
        const [mintIn, mintOut] = [tokenAccounts.get(moved.vaultIn)?.mint, tokenAccounts.get(moved.vaultOut)?.mint];
        const { venue, pool, trader } = shape;
        swaps.push({ venue, pool, trader, ...moved, mintIn, mintOut, instructionIndex });
      }
    }
  });
  return { swaps, unreadable };
}

/** The token transfers that the instruction at `index` made. */
function transfersWithin(instructions: readonly ExecutedInstruction[], index: number): readonly TokenTransfer[] {
  const transfers: TokenTransfer[] = [];
  const depth = instructions[index]?.depth;
  for (const inner of instructions.slice(index + 1)) {
    const data = inner.data();
    const transfer = data && decodeTokenTransfer(inner.program, data, inner.accounts);
    // Where depths are unknown, the transfers of a swap are the ones that follow it without another venue between.
    const over =
      depth === undefined || inner.depth === undefined ? isVenueProgram(inner.program) : inner.depth <= depth;
    if (over) break;
    if (transfer !== undefined) transfers.push(transfer);
  }
  return transfers;
}

/**
 * Token-2022 mostly keeps a mint's fee without a word in the instruction. Where a transfer is the only one that touches
 * the account it goes to, the balance says how much arrived, and the rest is the fee.
 */
function arrivals(
  instructions: readonly ExecutedInstruction[],
  tokenAccounts: ReadonlyMap<Address, TokenAccountFacts>,
): (transfer: TokenTransfer) => TokenTransfer {
  const touches = new Map<Address, number>();
  for (const { program, data, accounts } of instructions) {
    if (program !== TOKEN_2022_PROGRAM) continue;
    const bytes = data();
    const transfer = bytes && decodeTokenTransfer(program, bytes, accounts);
    for (const account of transfer ? [transfer.from, transfer.to] : [])
      touches.set(account, (touches.get(account) ?? 0) + 1);
  }
  return (transfer) => {
    const change = touches.get(transfer.to) === 1 ? tokenAccounts.get(transfer.to)?.change : undefined;
    const kept = change === undefined || change <= 0n ? 0n : transfer.amount - change;
    return kept > transfer.fee ? { ...transfer, fee: kept } : transfer;
  };
}

type Movements = Pick<
  DecodedSwap,
  | "vaultIn"
  | "vaultOut"
  | "vaultReceived"
  | "vaultPaid"
  | "traderAccountIn"
  | "traderAccountOut"
  | "amountIn"
  | "amountOut"
>;

/** What the swap moved, or why that cannot be told. */
function movements(shape: SwapShape, transfers: readonly TokenTransfer[]): Movements | string {
  const net = shape.vaults.map((vault) => netOf(vault, transfers)) as [bigint, bigint];
  const input = net[0] > 0n ? 0 : 1;
  const output = input === 0 ? 1 : 0;
  if (net[input] <= 0n || net[output] > 0n) return `its vaults moved by ${net[0]} and ${net[1]}`;
  const [vaultIn, vaultOut] = [shape.vaults[input], shape.vaults[output]];
  const traderAccountIn = shape.traderAccounts?.[input] ?? transfers.find(({ to }) => to === vaultIn)?.from;
  const traderAccountOut = shape.traderAccounts?.[output] ?? transfers.find(({ from }) => from === vaultOut)?.to;
  if (traderAccountIn === undefined || traderAccountOut === undefined) return "nobody was paid";
  return {
    vaultIn,
    vaultOut,
    vaultReceived: net[input],
    vaultPaid: -net[output],
    traderAccountIn,
    traderAccountOut,
    amountIn: sum(transfers.filter(({ from }) => from === traderAccountIn).map(({ amount }) => amount)),
    amountOut: sum(
      transfers
        .filter(({ from, to }) => from === vaultOut && to === traderAccountOut)
        .map(({ amount, fee }) => amount - fee),
    ),
  };
}

/** What an account has more after the transfers, as far as they say what mints keep. */
function netOf(account: Address, transfers: readonly TokenTransfer[]): bigint {
  return transfers.reduce(
    (net, { from, to, amount, fee }) => net + (to === account ? amount - fee : 0n) - (from === account ? amount : 0n),
    0n,
  );
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
