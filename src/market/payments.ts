/** SOL that a transaction sent by the system program's Transfer: tips, funding, wrapping. */
import type { Address } from "#core/units.ts";
import { readU64 } from "#dex/bytes.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import type { MarketInstruction, MarketTransaction } from "./transaction.ts";

export type Payment = { readonly from: Address; readonly to: Address; readonly lamports: bigint };

/** A u32 tag and a u64 of lamports. */
const TRANSFER_TAG = 2;
const TRANSFER_BYTES = 12;

/** In the order of their execution; those into token accounts that the source names are left out. */
export function paymentsOf({ instructions, tokenAccounts }: MarketTransaction): Payment[] {
  return instructions.flatMap((instruction) => {
    const payment = paymentOf(instruction);
    return payment === undefined || tokenAccounts.has(payment.to) ? [] : [payment];
  });
}

function paymentOf({ program, accounts, data }: MarketInstruction): Payment | undefined {
  const [from, to] = accounts;
  if (program !== SYSTEM_PROGRAM || from === undefined || to === undefined) return undefined;
  const bytes = data();
  if (bytes?.length !== TRANSFER_BYTES || bytes[0] !== TRANSFER_TAG) return undefined;
  return { from, to, lamports: readU64(bytes, 4) };
}
