/**
 * A Whirlpool with everything that a swap on it may touch, made from a set of accounts. Tick arrays and the oracle are
 * found by what they say of themselves, not by their derived addresses; arrays that are not in the set count as never made.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { ORCA_WHIRLPOOL_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { decodeTokenAmount } from "#dex/raydium-cpmm/decode.ts";
import { mintExtension, type TransferFeeConfig, transferFeeOf } from "#dex/transfer-fee.ts";
import type { AccountSet } from "#dex/venue.ts";
import { decodeOracle, decodeWhirlpool } from "./decode.ts";
import { decodeTickArray, isTickArray } from "./decode-tick-array.ts";
import { DYNAMIC_TICK_ARRAY, ORACLE, TICK_ARRAY, WHIRLPOOL_DISCRIMINATOR } from "./layout.ts";
import { TICK_INDEX_MAX, TICK_INDEX_MIN } from "./limits.ts";
import type { Oracle, TickArray, Whirlpool } from "./state.ts";
import { isStartTick } from "./tick-arrays.ts";

export type WhirlpoolState = {
  readonly whirlpool: Whirlpool;
  readonly vaultAmounts: readonly [bigint, bigint];
  readonly transferFees: readonly [TransferFeeConfig | undefined, TransferFeeConfig | undefined];
  /** By their first tick. */
  readonly tickArrays: ReadonlyMap<number, TickArray>;
  /** Only of a pool whose fee adapts. */
  readonly oracle: Oracle | undefined;
};

/** The Token-2022 extension that calls a program of the mint's on every transfer: authority, then program. */
const TRANSFER_HOOK = 14;
const TRANSFER_HOOK_PROGRAM_AT = 32;
const TRANSFER_HOOK_BYTES = 64;

type Vault = { readonly amount: bigint; readonly transferFee: TransferFeeConfig | undefined };
type Parts = { readonly tickArrays: ReadonlyMap<number, TickArray>; readonly oracle: Oracle | undefined };

export function loadWhirlpool(pool: Address, accounts: AccountSet): Result<WhirlpoolState, SandpiperError> {
  const account = accounts.get(pool);
  if (account?.owner !== ORCA_WHIRLPOOL_PROGRAM)
    return refuse(pool, "an account of the Whirlpool program", account === undefined ? "none" : `of ${account.owner}`);
  const whirlpool = decodeWhirlpool(account.data);
  if (!whirlpool.ok) return whirlpool;
  const { tokenVaultA, tokenMintA, tokenVaultB, tokenMintB, feeTierIndex, tickSpacing } = whirlpool.value;
  const vaultA = loadVault(pool, tokenVaultA, tokenMintA, accounts);
  if (!vaultA.ok) return vaultA;
  const vaultB = loadVault(pool, tokenVaultB, tokenMintB, accounts);
  if (!vaultB.ok) return vaultB;
  const parts = loadParts(pool, whirlpool.value, accounts);
  if (!parts.ok) return parts;
  if (feeTierIndex !== tickSpacing && parts.value.oracle === undefined)
    return refuse(pool, "the oracle of a pool with an adaptive fee", "none");
  return ok({
    whirlpool: whirlpool.value,
    vaultAmounts: [vaultA.value.amount, vaultB.value.amount],
    transferFees: [vaultA.value.transferFee, vaultB.value.transferFee],
    ...parts.value,
  });
}

function loadVault(
  pool: Address,
  address: Address,
  mintAddress: Address,
  accounts: AccountSet,
): Result<Vault, SandpiperError> {
  const vault = accounts.get(address);
  if (vault?.owner !== TOKEN_PROGRAM && vault?.owner !== TOKEN_2022_PROGRAM)
    return refuse(pool, `its vault ${address}`, vault === undefined ? "none" : `one of ${vault.owner}`);
  const amount = decodeTokenAmount(vault.data);
  if (!amount.ok) return amount;
  if (vault.owner === TOKEN_PROGRAM) return ok({ amount: amount.value, transferFee: undefined });
  const mint = accounts.get(mintAddress);
  if (mint?.owner !== TOKEN_2022_PROGRAM)
    return refuse(pool, `its mint ${mintAddress}`, mint === undefined ? "none" : `one of ${mint.owner}`);
  if (hasTransferHook(mint.data))
    return err(
      new SandpiperError(
        DEX_ERROR.unsupported,
        `Cannot follow pool ${pool}: mints without a transfer hook, was one on ${mintAddress}`,
      ),
    );
  return ok({ amount: amount.value, transferFee: transferFeeOf(mint.data) });
}

/** A hook whose program is 32 zeros is switched off. */
function hasTransferHook(mint: Uint8Array): boolean {
  const hook = mintExtension(mint, TRANSFER_HOOK);
  return hook?.length === TRANSFER_HOOK_BYTES && hook.subarray(TRANSFER_HOOK_PROGRAM_AT).some((byte) => byte !== 0);
}

function loadParts(pool: Address, { tickSpacing }: Whirlpool, accounts: AccountSet): Result<Parts, SandpiperError> {
  const tickArrays = new Map<number, TickArray>();
  let oracle: Oracle | undefined;
  for (const { owner, data } of accounts.values()) {
    if (owner !== ORCA_WHIRLPOOL_PROGRAM) continue;
    if (isTickArray(data) && whirlpoolOfTickArray(data) === pool) {
      const array = decodeTickArray(data);
      if (!array.ok) return array;
      if (!ticksAreInside(array.value, tickSpacing))
        return refuse(pool, `ticks from ${TICK_INDEX_MIN} to ${TICK_INDEX_MAX} only`, "one outside");
      // The program never looks at an array that starts elsewhere.
      if (isStartTick(array.value.startTickIndex, tickSpacing)) tickArrays.set(array.value.startTickIndex, array.value);
    } else if (startsWith(data, WHIRLPOOL_DISCRIMINATOR.oracle) && whirlpoolAt(data, ORACLE.whirlpool) === pool) {
      const decoded = decodeOracle(data);
      if (!decoded.ok) return decoded;
      oracle = decoded.value;
    }
  }
  return ok({ tickArrays, oracle });
}

const whirlpoolOfTickArray = (data: Uint8Array): Address | undefined =>
  whirlpoolAt(
    data,
    startsWith(data, WHIRLPOOL_DISCRIMINATOR.tickArray) ? TICK_ARRAY.whirlpool : DYNAMIC_TICK_ARRAY.whirlpool,
  );

const whirlpoolAt = (data: Uint8Array, offset: number): Address | undefined =>
  data.length < offset + 32 ? undefined : readAddress(data, offset);

function ticksAreInside({ startTickIndex, ticks }: TickArray, tickSpacing: number): boolean {
  return ticks.every((tick, i) => {
    const index = startTickIndex + i * tickSpacing;
    return tick === undefined || (index >= TICK_INDEX_MIN && index <= TICK_INDEX_MAX);
  });
}

function refuse(pool: Address, want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(DEX_ERROR.account, `Cannot load Whirlpool ${pool}: ${want}, was ${was}`));
}
