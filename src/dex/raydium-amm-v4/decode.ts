/**
 * Raydium AMM v4's swaps as values: the instruction, and the `ray_log` line that says what it did. Foreign bytes are
 * checked whole here. Nothing throws: a refusal is a typed result.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { decodeBase64, readAddress, readU64 } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import {
  AMM_INFO,
  AMM_INFO_BYTES,
  AMM_V4_HEAD,
  AMM_V4_SWAP_ACCOUNTS,
  AMM_V4_SWAP_ACCOUNTS_SHORT,
  AMM_V4_SWAP_BASE_IN,
  AMM_V4_SWAP_BASE_IN_V2,
  AMM_V4_SWAP_BASE_OUT,
  AMM_V4_SWAP_BASE_OUT_V2,
  AMM_V4_SWAP_DATA_BYTES,
  AMM_V4_SWAP_V2_ACCOUNT,
  AMM_V4_SWAP_V2_ACCOUNTS,
  AMM_V4_TAIL,
  RAY_LOG,
  RAY_LOG_DIRECTION,
  RAY_LOG_PREFIX,
  RAY_LOG_SWAP_BYTES,
  RAY_LOG_TYPE,
} from "./layout.ts";

export type AmmV4SwapAccounts = Readonly<
  Record<keyof typeof AMM_V4_HEAD, Address> & Record<keyof typeof AMM_V4_TAIL, Address>
>;

/** Either amount is exact and the other a bound: the input is exact in "base-in". */
export type AmmV4Swap = {
  readonly kind: "base-in" | "base-out";
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly accounts: AmmV4SwapAccounts;
};

export type AmmV4SwapV2 = Omit<AmmV4Swap, "accounts"> & {
  readonly accounts: Readonly<Record<keyof typeof AMM_V4_SWAP_V2_ACCOUNT, Address>>;
};

/** What a swap did: exact amounts, and the reserves that it found. Side 0 is coin, side 1 is pc. */
export type RayLogSwap = {
  readonly kind: "base-in" | "base-out";
  readonly inputSide: 0 | 1;
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  readonly reservesBefore: readonly [bigint, bigint];
};

/** The pool's own account, as far as a swap reads it. Side 0 is coin, side 1 is pc. */
export type AmmV4Info = {
  readonly status: bigint;
  readonly openTime: bigint;
  readonly decimals: readonly [number, number];
  readonly vaults: readonly [Address, Address];
  readonly mints: readonly [Address, Address];
  /** Of the input, rounded up. */
  readonly feeNumerator: bigint;
  readonly feeDenominator: bigint;
  /** What lies in each vault and is set aside as profit: no reserve. */
  readonly needTakePnl: readonly [bigint, bigint];
};

export function decodeAmmInfo(data: Uint8Array): Result<AmmV4Info, SandpiperError> {
  if (data.length !== AMM_INFO_BYTES)
    return refuse(DEX_ERROR.account, "an AMM v4 pool", `${AMM_INFO_BYTES} bytes`, `${data.length}`);
  const number = (offset: number) => readU64(data, offset);
  const address = (offset: number) => readAddress(data, offset);
  return ok({
    status: number(AMM_INFO.status),
    openTime: number(AMM_INFO.poolOpenTime),
    decimals: [Number(number(AMM_INFO.coinDecimals)), Number(number(AMM_INFO.pcDecimals))],
    vaults: [address(AMM_INFO.coinVault), address(AMM_INFO.pcVault)],
    mints: [address(AMM_INFO.coinVaultMint), address(AMM_INFO.pcVaultMint)],
    feeNumerator: number(AMM_INFO.swapFeeNumerator),
    feeDenominator: number(AMM_INFO.swapFeeDenominator),
    needTakePnl: [number(AMM_INFO.needTakePnlCoin), number(AMM_INFO.needTakePnlPc)],
  });
}

/** Whether instruction data of the AMM v4 program is a swap at all. */
export const isAmmV4Swap = (data: Uint8Array): boolean =>
  data[0] === AMM_V4_SWAP_BASE_IN || data[0] === AMM_V4_SWAP_BASE_OUT;

export function decodeAmmV4Swap(data: Uint8Array, accounts: readonly Address[]): Result<AmmV4Swap, SandpiperError> {
  if (!isAmmV4Swap(data) || data.length < AMM_V4_SWAP_DATA_BYTES)
    return refuse(
      DEX_ERROR.instruction,
      "an AMM v4 swap",
      "17 bytes of tag 9 or 11",
      `${data.length} of tag ${data[0]}`,
    );
  if (accounts.length < AMM_V4_SWAP_ACCOUNTS_SHORT)
    return refuse(
      DEX_ERROR.instruction,
      "an AMM v4 swap",
      `${AMM_V4_SWAP_ACCOUNTS_SHORT} accounts or more`,
      `${accounts.length}`,
    );
  const tail = accounts.length >= AMM_V4_SWAP_ACCOUNTS ? 5 : 4;
  const place = (from: number, places: Readonly<Record<string, number>>) =>
    Object.entries(places).map(([name, offset]) => [name, accounts[from + offset] as Address] as const);
  return ok({
    kind: data[0] === AMM_V4_SWAP_BASE_IN ? "base-in" : "base-out",
    amountIn: readU64(data, 1),
    amountOut: readU64(data, 9),
    // Both loops above name every key of their table, which the type of fromEntries cannot say.
    accounts: Object.fromEntries([...place(0, AMM_V4_HEAD), ...place(tail, AMM_V4_TAIL)]) as AmmV4SwapAccounts,
  });
}

/** The swap of the second forms; undefined for any other instruction. */
export function decodeAmmV4SwapV2(
  data: Uint8Array,
  accounts: readonly Address[],
): Result<AmmV4SwapV2 | undefined, SandpiperError> {
  const baseIn = data[0] === AMM_V4_SWAP_BASE_IN_V2;
  if (!baseIn && data[0] !== AMM_V4_SWAP_BASE_OUT_V2) return ok(undefined);
  if (data.length < AMM_V4_SWAP_DATA_BYTES || accounts.length < AMM_V4_SWAP_V2_ACCOUNTS)
    return refuse(
      DEX_ERROR.instruction,
      "an AMM v4 swap of the second form",
      `${AMM_V4_SWAP_DATA_BYTES} bytes and ${AMM_V4_SWAP_V2_ACCOUNTS} accounts`,
      `${data.length} and ${accounts.length}`,
    );
  const places = Object.entries(AMM_V4_SWAP_V2_ACCOUNT).map(
    ([name, place]) => [name, accounts[place] as Address] as const,
  );
  return ok({
    kind: baseIn ? "base-in" : "base-out",
    amountIn: readU64(data, 1),
    amountOut: readU64(data, 9),
    accounts: Object.fromEntries(places) as AmmV4SwapV2["accounts"],
  });
}

/** The swap that a log line tells of; undefined when it is no `ray_log` of a swap (other lines, deposits, …). */
export function decodeRayLog(line: string): Result<RayLogSwap | undefined, SandpiperError> {
  if (!line.startsWith(RAY_LOG_PREFIX)) return ok(undefined);
  const bytes = decodeBase64(line.slice(RAY_LOG_PREFIX.length));
  if (bytes === undefined) return refuse(DEX_ERROR.logLine, "a ray_log", "base64", line.slice(0, 120));
  const type = bytes[RAY_LOG.type];
  if (type !== RAY_LOG_TYPE.swapBaseIn && type !== RAY_LOG_TYPE.swapBaseOut) return ok(undefined);
  if (bytes.length !== RAY_LOG_SWAP_BYTES)
    return refuse(DEX_ERROR.logLine, "a ray_log", `${RAY_LOG_SWAP_BYTES} bytes`, `${bytes.length}`);
  const direction = readU64(bytes, RAY_LOG.direction);
  if (direction !== RAY_LOG_DIRECTION.pcIn && direction !== RAY_LOG_DIRECTION.coinIn)
    return refuse(DEX_ERROR.logLine, "a ray_log", "direction 1 or 2", `${direction}`);
  const baseIn = type === RAY_LOG_TYPE.swapBaseIn;
  return ok({
    kind: baseIn ? "base-in" : "base-out",
    inputSide: direction === RAY_LOG_DIRECTION.coinIn ? 0 : 1,
    amountIn: readU64(bytes, baseIn ? RAY_LOG.first : RAY_LOG.result),
    amountOut: readU64(bytes, baseIn ? RAY_LOG.result : RAY_LOG.second),
    reservesBefore: [readU64(bytes, RAY_LOG.poolCoin), readU64(bytes, RAY_LOG.poolPc)],
  });
}

function refuse(code: number, what: string, want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(code, `Cannot decode ${what}: ${want}, was ${was}`));
}
