/**
 * The token balances that a transaction's record carries before and after it, as the RPC's preTokenBalances and
 * postTokenBalances have them.
 *
 *   token account:  0 mint   32 owner   64 u64 amount   108 state (0: not initialised)   165 Token-2022: account type
 *   mint:           44 decimals
 */
import type { Address } from "#core/units.ts";
import type { AddressBook } from "#execute/svm/address-book.ts";
import type { AccountState } from "./cluster.ts";

export const TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA" as Address;
export const TOKEN_2022_PROGRAM = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb" as Address;
const TOKEN_ACCOUNT_BYTES = 165;
const OWNER_AT = 32;
const AMOUNT_AT = 64;
const STATE_AT = 108;
const ACCOUNT_TYPE_AT = 165;
const ACCOUNT_TYPE_TOKEN = 2;
const MINT_DECIMALS_AT = 44;
const MINT_BYTES_MIN = 82;

export type TokenBalance = {
  readonly accountIndex: number;
  readonly mint: Address;
  readonly owner: Address;
  readonly program: Address;
  readonly amount: bigint;
  readonly decimals: number;
};

export const isTokenProgram = (owner: Address): boolean => owner === TOKEN_PROGRAM || owner === TOKEN_2022_PROGRAM;

/** Whether this is an initialised token account of either token program. */
export function isTokenAccount(state: AccountState): boolean {
  const { owner, data } = state;
  if (!isTokenProgram(owner) || data.length < TOKEN_ACCOUNT_BYTES || data[STATE_AT] === 0) return false;
  return data.length === TOKEN_ACCOUNT_BYTES || data[ACCOUNT_TYPE_AT] === ACCOUNT_TYPE_TOKEN;
}

export type TokenAccount = { readonly mint: Address; readonly owner: Address; readonly amount: bigint };

export function readTokenAccount(data: Uint8Array, book: AddressBook): TokenAccount {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return { mint: book.text(data, 0), owner: book.text(data, OWNER_AT), amount: view.getBigUint64(AMOUNT_AT, true) };
}

/** The balance in one account, or undefined when it is no token account or its mint is gone. */
export function tokenBalance(
  accountIndex: number,
  state: AccountState | undefined,
  book: AddressBook,
  read: (address: Address) => AccountState | undefined,
): TokenBalance | undefined {
  if (state === undefined || !isTokenAccount(state)) return undefined;
  const { mint, owner, amount } = readTokenAccount(state.data, book);
  const decimals = mintDecimals(read(mint));
  return decimals === undefined ? undefined : { accountIndex, mint, owner, program: state.owner, amount, decimals };
}

export function mintDecimals(mint: AccountState | undefined): number | undefined {
  if (mint === undefined || !isTokenProgram(mint.owner) || mint.data.length < MINT_BYTES_MIN) return undefined;
  return mint.data[MINT_DECIMALS_AT];
}

/** The RPC's form of an amount: exact text, and a number for people. */
export function uiTokenAmount(amount: bigint, decimals: number) {
  const digits = amount.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  const uiAmountString = fraction === "" ? whole : `${whole}.${fraction}`;
  return { amount: amount.toString(), decimals, uiAmount: Number(uiAmountString), uiAmountString };
}
