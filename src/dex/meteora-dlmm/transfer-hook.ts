/**
 * The program that a Token-2022 mint calls on each transfer (extension TransferHook, type 14: authority, program). What it
 * does to a swap nobody can say in advance, so pairs with one are refused. Entries are laid out as in transfer-fee.ts.
 */
import type { Address } from "#core/units.ts";
import { readAddress } from "#dex/bytes.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";

const ACCOUNT_TYPE_AT = 165;
const ACCOUNT_TYPE_MINT = 1;
const ENTRIES_AT = 166;
const ENTRY_HEAD_BYTES = 4;
const TRANSFER_HOOK = 14;
const TRANSFER_HOOK_BYTES = 64;
const PROGRAM_AT = 32;

/** The hook's program; undefined when the mint has none, or none is set. */
export function transferHookOf(mint: Uint8Array | undefined): Address | undefined {
  if (mint?.[ACCOUNT_TYPE_AT] !== ACCOUNT_TYPE_MINT) return undefined;
  const view = new DataView(mint.buffer, mint.byteOffset, mint.byteLength);
  for (let at = ENTRIES_AT; at + ENTRY_HEAD_BYTES <= mint.length; ) {
    const value = at + ENTRY_HEAD_BYTES;
    const length = view.getUint16(at + 2, true);
    if (value + length > mint.length) return undefined;
    if (view.getUint16(at, true) === TRANSFER_HOOK && length === TRANSFER_HOOK_BYTES) {
      const program = readAddress(mint, value + PROGRAM_AT);
      return program === SYSTEM_PROGRAM ? undefined : program;
    }
    at = value + length;
  }
  return undefined;
}
