/**
 * Money for the fork's wallet: SOL and wrapped SOL where the origin gives it less, and an empty token account for every
 * mint that the fork hears of, so that any pool can be traded. On the origin nothing of it exists.
 */
import type { Address } from "#core/units.ts";
import { LAMPORTS_PER_SOL, WSOL_MINT } from "#core/units.ts";
import { associatedTokenAddress } from "#dex/addresses.ts";
import type { AccountState } from "#sim/cluster/cluster.ts";
import { isTokenProgram, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#sim/cluster/token-balances.ts";
import { rentExemptLamports, tokenAccount, walletAccount } from "#sim/genesis/accounts.ts";
import type { RemoteFork } from "./remote-fork.ts";

const MINT_BYTES = 82;
const TOKEN_ACCOUNT_BYTES = 165;
/** Token-2022 keeps the kind of an account with extensions behind its 165 bytes. */
const ACCOUNT_TYPE = { mint: 1, account: 2 } as const;
/** Extensions as type, length (u16 each), bytes: ImmutableOwner (7) of none, TransferFeeAmount (2) of one u64. */
const EXTENSIONS = [7, 0, 0, 0, 2, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/** Gives the wallet its money. */
export async function fundWallet(fork: RemoteFork, wallet: Address, sol: number): Promise<void> {
  const lamports = BigInt(sol) * LAMPORTS_PER_SOL;
  await fork.giveAtLeast(wallet, walletAccount(lamports));
  const base = await associatedTokenAddress(wallet, WSOL_MINT, TOKEN_PROGRAM);
  await fork.giveAtLeast(base, tokenAccount(WSOL_MINT, wallet, lamports));
}

/** The wallet's token account for what was taken over, where that is a mint. */
export async function giveTokenAccount(
  fork: RemoteFork,
  wallet: Address,
  address: Address,
  state: AccountState,
): Promise<void> {
  if (!isMint(state) || address === WSOL_MINT) return;
  const account = await associatedTokenAddress(wallet, address, state.owner);
  await fork.giveAtLeast(account, emptyTokenAccount(address, wallet, state.owner));
}

function isMint({ owner, data }: AccountState): boolean {
  if (!isTokenProgram(owner)) return false;
  return (
    data.length === MINT_BYTES || (data.length > TOKEN_ACCOUNT_BYTES && data[TOKEN_ACCOUNT_BYTES] === ACCOUNT_TYPE.mint)
  );
}

function emptyTokenAccount(mint: Address, wallet: Address, program: Address): AccountState {
  const plain = tokenAccount(mint, wallet, 0n);
  if (program !== TOKEN_2022_PROGRAM) return plain;
  const data = new Uint8Array([...plain.data, ACCOUNT_TYPE.account, ...EXTENSIONS]);
  return { ...plain, owner: program, data, lamports: rentExemptLamports(data.length) };
}
