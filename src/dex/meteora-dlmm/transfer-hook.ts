/**
 * The program that a Token-2022 mint calls on each transfer (extension TransferHook, type 14: authority, program). What it
 * does to a swap nobody can say in advance, so pairs with one are refused.
 */
import type { Address } from "#core/units.ts";
import { readAddress } from "#dex/bytes.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import { mintExtension } from "#dex/transfer-fee.ts";

const TRANSFER_HOOK = 14;
const TRANSFER_HOOK_BYTES = 64;
const PROGRAM_AT = 32;

/** The hook's program; undefined when the mint has none, or none is set. */
export function transferHookOf(mint: Uint8Array | undefined): Address | undefined {
  const hook = mint && mintExtension(mint, TRANSFER_HOOK);
  if (hook?.length !== TRANSFER_HOOK_BYTES) return undefined;
  const program = readAddress(hook, PROGRAM_AT);
  return program === SYSTEM_PROGRAM ? undefined : program;
}
