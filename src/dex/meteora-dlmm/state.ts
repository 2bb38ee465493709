/** A DLMM pair with everything a swap on it may touch, made from account bytes; swaps make new states from it. */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { mintTransferFee, ownedBytes, vaultAmount } from "#dex/account-set.ts";
import { readAddress } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { METEORA_DLMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import type { TransferFeeConfig } from "#dex/transfer-fee.ts";
import type { AccountSet } from "#dex/venue.ts";
import {
  type BinArray,
  decodeBinArray,
  decodeBitmapExtension,
  decodeLbPair,
  isBinArray,
  isBitmapExtension,
  type LbPair,
} from "./decode.ts";
import { baseFeeRate } from "./fees.ts";
import { BIN_ARRAY, BITMAP_EXTENSION, BITMAP_HALF } from "./layout.ts";
import { transferHookOf } from "./transfer-hook.ts";

/** A bin array and where it lies. */
export type LocatedBinArray = BinArray & { readonly address: Address };

/** What no swap changes. */
export type DlmmPair = LbPair & {
  readonly address: Address;
  readonly tokenPrograms: readonly [Address, Address];
  readonly transferFees: readonly [TransferFeeConfig | undefined, TransferFeeConfig | undefined];
  readonly baseFeeRate: bigint;
  readonly limitOrders: boolean;
  /** Absent where the pair has none, or the set did not hold it: then no swap leaves the pair's own bitmap. */
  readonly bitmapExtension: Address | undefined;
};

export type DlmmState = {
  /** As loaded: where a field stands below too, the one below holds. */
  readonly pair: DlmmPair;
  readonly activeId: number;
  readonly volatilityAccumulator: number;
  readonly volatilityReference: number;
  readonly indexReference: number;
  readonly lastUpdateTimestamp: bigint;
  readonly protocolFees: readonly [bigint, bigint];
  /** Balances of the two reserves. */
  readonly reserves: readonly [bigint, bigint];
  /** The bin arrays at hand, ascending by index, each once. */
  readonly arrays: readonly LocatedBinArray[];
};

const FUNCTION_UNDETERMINED = 0;
const FUNCTION_LIMIT_ORDER = 2;

export function loadDlmm(pool: Address, accounts: AccountSet): Result<DlmmState, SandpiperError> {
  const bytes = ownedBytes(accounts, pool, METEORA_DLMM_PROGRAM, "LbPair");
  if (!bytes.ok) return bytes;
  const decoded = decodeLbPair(bytes.value);
  if (!decoded.ok) return decoded;
  const lbPair = decoded.value;
  const tokens = loadTokens(lbPair, accounts);
  if (!tokens.ok) return tokens;
  const bins = loadBins(pool, accounts);
  if (!bins.ok) return bins;
  const { functionType } = lbPair.parameters;
  const pair: DlmmPair = {
    ...lbPair,
    address: pool,
    tokenPrograms: tokens.value.programs,
    transferFees: tokens.value.fees,
    liveArrays: mergeLive(lbPair.liveArrays, bins.value.extension?.liveArrays ?? []),
    baseFeeRate: baseFeeRate(lbPair.parameters, lbPair.binStep),
    limitOrders:
      functionType === FUNCTION_LIMIT_ORDER || (functionType === FUNCTION_UNDETERMINED && !lbPair.hasRewards),
    bitmapExtension: bins.value.extension?.address,
  };
  return ok({
    pair,
    activeId: lbPair.activeId,
    ...lbPair.variable,
    protocolFees: lbPair.protocolFees,
    reserves: tokens.value.reserves,
    arrays: bins.value.arrays,
  });
}

type Tokens = {
  readonly programs: readonly [Address, Address];
  readonly fees: readonly [TransferFeeConfig | undefined, TransferFeeConfig | undefined];
  readonly reserves: readonly [bigint, bigint];
};

function loadTokens(pair: LbPair, accounts: AccountSet): Result<Tokens, SandpiperError> {
  const x = loadToken(pair, 0, accounts);
  if (!x.ok) return x;
  const y = loadToken(pair, 1, accounts);
  if (!y.ok) return y;
  return ok({
    programs: [x.value.program, y.value.program],
    fees: [x.value.fee, y.value.fee],
    reserves: [x.value.reserve, y.value.reserve],
  });
}

/** The token program is whichever owns the reserve: pairs of older builds do not say it themselves. */
function loadToken(pair: LbPair, side: 0 | 1, accounts: AccountSet) {
  const [mint, vault] = [pair.mints[side], pair.reserves[side]];
  const reserve = vaultAmount(accounts, vault);
  if (!reserve.ok) return reserve;
  const program = accounts.get(vault)?.owner === TOKEN_2022_PROGRAM ? TOKEN_2022_PROGRAM : TOKEN_PROGRAM;
  const fee = mintTransferFee(accounts, mint, program);
  if (!fee.ok) return fee;
  const hook = program === TOKEN_2022_PROGRAM ? transferHookOf(accounts.get(mint)?.data) : undefined;
  if (hook !== undefined)
    return err(
      new SandpiperError(
        DEX_ERROR.unsupported,
        `Cannot load a DLMM pair: mints without a transfer hook, was ${mint} with the hook ${hook}`,
      ),
    );
  return ok({ program, fee: fee.value, reserve: reserve.value });
}

type Extension = { readonly address: Address; readonly liveArrays: readonly number[] };
type Bins = { readonly arrays: readonly LocatedBinArray[]; readonly extension: Extension | undefined };

/** Bin arrays lie at derived addresses, which cost a hash each: the set is looked through instead. */
function loadBins(pool: Address, accounts: AccountSet): Result<Bins, SandpiperError> {
  const arrays = new Map<number, LocatedBinArray>();
  let extension: Extension | undefined;
  for (const [address, { owner, data }] of accounts) {
    if (owner !== METEORA_DLMM_PROGRAM) continue;
    if (isBinArray(data) && readAddress(data, BIN_ARRAY.lbPair) === pool) {
      const array = decodeBinArray(data);
      if (!array.ok) return array;
      arrays.set(array.value.index, { ...array.value, address });
    } else if (isBitmapExtension(data) && readAddress(data, BITMAP_EXTENSION.lbPair) === pool) {
      const bitmap = decodeBitmapExtension(data);
      if (!bitmap.ok) return bitmap;
      extension = { address, liveArrays: bitmap.value.liveArrays };
    }
  }
  return ok({ arrays: [...arrays.values()].sort((a, b) => a.index - b.index), extension });
}

/** The extension's indexes lie on both sides of the pair's own. */
function mergeLive(own: readonly number[], extended: readonly number[]): readonly number[] {
  const negative = extended.filter((index) => index < -BITMAP_HALF);
  const positive = extended.filter((index) => index >= BITMAP_HALF);
  return [...negative, ...own, ...positive];
}
