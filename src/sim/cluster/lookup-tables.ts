/**
 * Resolves the account keys that a version 0 message takes from address lookup tables. The machine does the same with
 * all of its checks and refuses what is wrong; here the keys are only needed to know what a transaction touches.
 *
 *   0  u32 1 (a table)   4  u64 deactivation slot   12  u64 last extended slot   …   56  n × 32 bytes addresses
 */
import type { Address } from "#core/units.ts";
import { ADDRESS_BYTES, type AddressBook } from "#execute/svm/address-book.ts";
import type { AccountState } from "./cluster.ts";
import type { ParsedTransaction } from "./message.ts";

const TABLE_ADDRESSES_AT = 56;

export type LoadedAddresses = { readonly writable: readonly Address[]; readonly readonly: readonly Address[] };

const NONE_LOADED: LoadedAddresses = { writable: [], readonly: [] };

/** Undefined when a table or an index in it is not there: the machine will say which. */
export function loadAddresses(
  parsed: ParsedTransaction,
  book: AddressBook,
  read: (address: Address) => AccountState | undefined,
): LoadedAddresses | undefined {
  if (parsed.lookups.length === 0) return NONE_LOADED;
  const writable: Address[] = [];
  const readonly: Address[] = [];
  for (const lookup of parsed.lookups) {
    const data = read(lookup.table)?.data;
    if (data === undefined) return undefined;
    const from = [
      [lookup.writable, writable],
      [lookup.readonly, readonly],
    ] as const;
    for (const [indices, into] of from)
      for (const index of indices) {
        const at = TABLE_ADDRESSES_AT + index * ADDRESS_BYTES;
        if (at + ADDRESS_BYTES > data.length) return undefined;
        into.push(book.text(data, at));
      }
  }
  return { writable, readonly };
}
