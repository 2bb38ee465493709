/** Taking what a venue needs out of a set of accounts: there, and owned by the program that may write it. */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { DEX_ERROR } from "./errors.ts";
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "./program-addresses.ts";
import { decodeTokenAmount } from "./raydium-cpmm/decode.ts";
import { type TransferFeeConfig, transferFeeOf } from "./transfer-fee.ts";
import type { AccountSet } from "./venue.ts";

/** The bytes of an account of `owner`; `what` names it to people. */
export function ownedBytes(
  accounts: AccountSet,
  address: Address,
  owner: Address,
  what: string,
): Result<Uint8Array, SandpiperError> {
  const account = accounts.get(address);
  if (account === undefined) return refuse(what, address, "among the accounts", "missing");
  if (account.owner !== owner) return refuse(what, address, `of ${owner}`, `of ${account.owner}`);
  return ok(account.data);
}

/** The balance of a vault, of either token program. */
export function vaultAmount(accounts: AccountSet, address: Address): Result<bigint, SandpiperError> {
  const account = accounts.get(address);
  if (account === undefined) return refuse("vault", address, "among the accounts", "missing");
  if (!isTokenProgram(account.owner)) return refuse("vault", address, "of a token program", `of ${account.owner}`);
  return decodeTokenAmount(account.data);
}

/** The bytes of a mint, of either token program. */
export function mintBytes(accounts: AccountSet, mint: Address): Result<Uint8Array, SandpiperError> {
  const owner = accounts.get(mint)?.owner;
  return ownedBytes(accounts, mint, owner === TOKEN_2022_PROGRAM ? TOKEN_2022_PROGRAM : TOKEN_PROGRAM, "mint");
}

/** What a mint keeps of its transfers; a mint of the first token program keeps nothing and need not be there. */
export function mintTransferFee(
  accounts: AccountSet,
  mint: Address,
  tokenProgram: Address,
): Result<TransferFeeConfig | undefined, SandpiperError> {
  if (tokenProgram === TOKEN_PROGRAM) return ok(undefined);
  const bytes = ownedBytes(accounts, mint, TOKEN_2022_PROGRAM, "mint");
  return bytes.ok ? ok(transferFeeOf(bytes.value)) : bytes;
}

const isTokenProgram = (owner: Address): boolean => owner === TOKEN_PROGRAM || owner === TOKEN_2022_PROGRAM;

function refuse(what: string, address: Address, want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(DEX_ERROR.account, `Cannot load the ${what} ${address}: one ${want}, was ${was}`));
}
