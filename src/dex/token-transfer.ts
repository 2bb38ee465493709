/** Transfers of the two SPL token programs, as a swap makes them: Transfer (3) and TransferChecked (12). */
import type { Address } from "#core/units.ts";
import { readU64 } from "./bytes.ts";
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "./program-addresses.ts";

const TRANSFER = 3;
const TRANSFER_BYTES = 9;
const TRANSFER_CHECKED = 12;
const TRANSFER_CHECKED_BYTES = 10;

export type TokenTransfer = { readonly from: Address; readonly to: Address; readonly amount: bigint };

/** The transfer that an instruction makes; undefined when it makes none. */
export function decodeTokenTransfer(
  program: Address,
  data: Uint8Array,
  accounts: readonly Address[],
): TokenTransfer | undefined {
  if (program !== TOKEN_PROGRAM && program !== TOKEN_2022_PROGRAM) return undefined;
  const plain = data[0] === TRANSFER && data.length === TRANSFER_BYTES;
  const checked = data[0] === TRANSFER_CHECKED && data.length === TRANSFER_CHECKED_BYTES;
  if (!plain && !checked) return undefined;
  const [from, to] = [accounts[0], accounts[plain ? 1 : 2]];
  return from === undefined || to === undefined ? undefined : { from, to, amount: readU64(data, 1) };
}
