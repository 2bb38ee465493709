/**
 * A recorded transaction as detection sees it. Only signers can act: where a program signs for a swap (a pool's or a
 * router's authority), the order is the fee payer's.
 */
import type { Address, Signature } from "#core/units.ts";
import { readU64 } from "#dex/bytes.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import {
  type DecodedSwap,
  decodeExecutedSwaps,
  type ExecutedInstruction,
  type TokenAccountFacts,
} from "#dex/swap-decoder.ts";
import { decodeTokenTransfer } from "#dex/token-transfer.ts";
import { endsWhereItBegan, inHops } from "./circle.ts";
import { AGGREGATORS, TIP_ACCOUNTS } from "./known-accounts.ts";
import type { MevTransaction, PoolReading, Trade, TransactionFacts, WalletLink } from "./trade.ts";

/** A transaction as recordings give it; market's recorded transactions are one. */
export type ExecutedTransaction = {
  readonly slot: bigint;
  readonly indexInSlot: number;
  readonly signature: Signature;
  readonly feePayer: Address;
  readonly failed: boolean;
  /** Top-level and inner, in the order of their execution. */
  readonly instructions: readonly ExecutedInstruction[];
  readonly tokenAccounts: ReadonlyMap<Address, TokenAccountFacts>;
  readonly signers: ReadonlySet<Address>;
  readonly feeLamports: bigint;
  readonly lamportChanges: ReadonlyMap<Address, bigint>;
  readonly tokenOwners: ReadonlyMap<Address, Address>;
};

/** System program: Transfer, a u32 tag and a u64 of lamports. */
const SYSTEM_TRANSFER = 2;
const SYSTEM_TRANSFER_BYTES = 12;

type Payment = { readonly from: Address; readonly to: Address; readonly lamports: bigint };

/** `readings` are the pools' reserves by the swap's place among the instructions. */
export function readMevTransaction(
  executed: ExecutedTransaction,
  readings: ReadonlyMap<number, PoolReading>,
): { readonly transaction: MevTransaction; readonly unreadable: number } {
  const payments = executed.failed ? [] : executed.instructions.flatMap(paymentOf);
  const tips = payments.filter(({ to }) => TIP_ACCOUNTS.has(to));
  const facts: TransactionFacts = {
    slot: Number(executed.slot),
    index: executed.indexInSlot,
    signature: executed.signature,
    feeLamports: executed.feeLamports,
    tipLamports: tips.reduce((sum, { lamports }) => sum + lamports, 0n),
  };
  if (executed.failed) return { transaction: { ...facts, failed: true, trades: [], links: [] }, unreadable: 0 };
  const { swaps, unreadable } = decodeExecutedSwaps(executed.instructions, executed.tokenAccounts);
  const cyclic = closesCycle(swaps, executed);
  const trades = swaps.flatMap((swap) => tradeOf(swap, executed, facts, readings, cyclic));
  const links = [...paymentLinks(executed, payments, trades), ...tokenLinks(executed, swaps, trades)];
  const transaction = { ...facts, failed: false, trades, links: links.filter(({ from, to }) => from !== to) };
  // A swap of which the recording names no mints cannot be followed.
  return { transaction, unreadable: unreadable.length + swaps.length - trades.length };
}

function tradeOf(
  swap: DecodedSwap,
  executed: ExecutedTransaction,
  transaction: TransactionFacts,
  readings: ReadonlyMap<number, PoolReading>,
  cyclic: boolean,
): Trade[] {
  const { mintIn, mintOut, instructionIndex, venue, pool, amountIn, amountOut } = swap;
  if (mintIn === undefined || mintOut === undefined) return [];
  const program = topLevelProgram(executed.instructions, instructionIndex);
  const actor = executed.signers.has(swap.trader) ? swap.trader : executed.feePayer;
  const reading = readings.get(instructionIndex);
  const aggregated = AGGREGATORS.has(program);
  return [
    {
      transaction,
      instructionIndex,
      venue,
      pool,
      actor,
      mintIn,
      mintOut,
      amountIn,
      amountOut,
      reading,
      program,
      aggregated,
      cyclic,
    },
  ];
}

/**
 * Whether the swaps run through several pools and end in the mint they began with: hop by hop, or with hops between on
 * programs that we cannot read, where the balances must then show that nothing else was spent.
 */
function closesCycle(swaps: readonly DecodedSwap[], executed: ExecutedTransaction): boolean {
  const first = swaps[0];
  if (first === undefined || !endsWhereItBegan(swaps)) return false;
  if (inHops(swaps)) return true;
  return [...executed.tokenAccounts].every(([account, { mint, change }]) => {
    const owner = executed.tokenOwners.get(account);
    return mint === first.mintIn || change >= 0n || owner === undefined || !executed.signers.has(owner);
  });
}

function topLevelProgram(instructions: readonly ExecutedInstruction[], index: number): Address {
  let at = index;
  while (at > 0 && instructions[at]?.depth !== 1) at--;
  return (instructions[at] as ExecutedInstruction).program;
}

function paymentOf({ program, accounts, data }: ExecutedInstruction): Payment[] {
  const [from, to] = accounts;
  if (program !== SYSTEM_PROGRAM || from === undefined || to === undefined) return [];
  const bytes = data();
  if (bytes?.length !== SYSTEM_TRANSFER_BYTES || bytes[0] !== SYSTEM_TRANSFER) return [];
  return [{ from, to, lamports: readU64(bytes, 4) }];
}

function paymentLinks(
  { feePayer, tokenAccounts }: ExecutedTransaction,
  payments: readonly Payment[],
  trades: readonly Trade[],
): WalletLink[] {
  const actors = [...new Set(trades.map(({ actor }) => actor))];
  return [
    ...actors.map((actor) => ({ from: feePayer, to: actor, kind: "fee payer" as const })),
    ...payments.flatMap(({ from, to }): WalletLink[] => {
      if (TIP_ACCOUNTS.has(to)) return actors.map((actor) => ({ from, to: actor, kind: "tip payer" as const }));
      // Wrapping SOL is no payment to another wallet.
      return tokenAccounts.has(to) ? [] : [{ from, to, kind: "funding" as const }];
    }),
  ];
}

function tokenLinks(
  { instructions, signers, tokenOwners }: ExecutedTransaction,
  swaps: readonly DecodedSwap[],
  trades: readonly Trade[],
): WalletLink[] {
  const vaults = new Set(swaps.flatMap(({ vaultIn, vaultOut }) => [vaultIn, vaultOut]));
  const sent = instructions.flatMap(({ program, accounts, data }): WalletLink[] => {
    const bytes = data();
    const transfer = bytes && decodeTokenTransfer(program, bytes, accounts);
    if (transfer === undefined || vaults.has(transfer.from) || vaults.has(transfer.to)) return [];
    const [from, to] = [tokenOwners.get(transfer.from), tokenOwners.get(transfer.to)];
    return from && to && signers.has(from) ? [{ from, to, kind: "token transfer" }] : [];
  });
  const owned = trades.flatMap((trade): WalletLink[] => {
    const swap = swaps.find(({ instructionIndex }) => instructionIndex === trade.instructionIndex);
    const owner = swap && tokenOwners.get(swap.traderAccountOut);
    return owner === undefined || trade.aggregated
      ? []
      : [{ from: trade.actor, to: owner, kind: "token account owner" }];
  });
  return [...sent, ...owned];
}
