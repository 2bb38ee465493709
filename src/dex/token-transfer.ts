/**
 * Transfers of the two SPL token programs, as a swap makes them: Transfer (3), TransferChecked (12) and Token-2022's
 * TransferCheckedWithFee (26, 1), which alone says what the mint keeps.
 */
import type { Address } from "#core/units.ts";
import { readU64 } from "./bytes.ts";
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "./program-addresses.ts";

const TRANSFER = 3;
const TRANSFER_BYTES = 9;
const TRANSFER_CHECKED = 12;
const TRANSFER_CHECKED_BYTES = 10;
const TRANSFER_FEE_EXTENSION = 26;
const TRANSFER_CHECKED_WITH_FEE = 1;
const TRANSFER_CHECKED_WITH_FEE_BYTES = 19;

/** What left `from`; a mint with a transfer fee keeps a part of it, and `fee` is that part where the instruction says it. */
export type TokenTransfer = {
  readonly from: Address;
  readonly to: Address;
  readonly amount: bigint;
  readonly fee: bigint;
};

/** The transfer that an instruction makes; undefined when it makes none. */
export function decodeTokenTransfer(
  program: Address,
  data: Uint8Array,
  accounts: readonly Address[],
): TokenTransfer | undefined {
  if (program !== TOKEN_PROGRAM && program !== TOKEN_2022_PROGRAM) return undefined;
  const from = accounts[0];
  if (data[0] === TRANSFER && data.length === TRANSFER_BYTES) return transfer(from, accounts[1], readU64(data, 1), 0n);
  if (data[0] === TRANSFER_CHECKED && data.length === TRANSFER_CHECKED_BYTES)
    return transfer(from, accounts[2], readU64(data, 1), 0n);
  if (
    data[0] === TRANSFER_FEE_EXTENSION &&
    data[1] === TRANSFER_CHECKED_WITH_FEE &&
    data.length === TRANSFER_CHECKED_WITH_FEE_BYTES
  )
    return transfer(from, accounts[2], readU64(data, 2), readU64(data, 11));
  return undefined;
}

function transfer(
  from: Address | undefined,
  to: Address | undefined,
  amount: bigint,
  fee: bigint,
): TokenTransfer | undefined {
  return from === undefined || to === undefined ? undefined : { from, to, amount, fee };
}
