/**
 * What Token-2022 keeps of a transfer: the TransferFeeConfig extension of a mint, read and applied as the SPL crate does
 * (`spl-token-2022`, extension/transfer_fee). Integers only, rounded against the trader; nothing here throws.
 *
 *   mint with extensions     0 mint (82)   82 zeros   165 account type (1 = mint)   166 entries
 *   entry                    0 type u16    2 length u16    4 value
 *   TransferFeeConfig, 108   0 authority   32 withdraw authority   64 withheld u64   72 older fee   90 newer fee
 *   fee, 18                  0 epoch u64   8 maximum u64   16 basis points u16
 */
import { readU64 } from "./bytes.ts";

const ACCOUNT_TYPE_AT = 165;
const ACCOUNT_TYPE_MINT = 1;
const ENTRIES_AT = 166;
const ENTRY_HEAD_BYTES = 4;
const TRANSFER_FEE_CONFIG = 1;
const TRANSFER_FEE_CONFIG_BYTES = 108;
const OLDER_FEE_AT = 72;
const NEWER_FEE_AT = 90;

const ALL_BASIS_POINTS = 10_000n;
const U64_MAX = 0xffff_ffff_ffff_ffffn;

export type TransferFee = {
  /** Ten-thousandths of the amount, 0 to 10,000. */
  readonly basisPoints: bigint;
  readonly maximum: bigint;
};

export type TransferFeeConfig = {
  readonly older: TransferFee;
  readonly newer: TransferFee;
  /** From this epoch on the newer fee holds. */
  readonly newerFromEpoch: bigint;
};

/** The fees of a mint's bytes; undefined when it takes none, as every mint of the first token program. */
export function transferFeeOf(mint: Uint8Array): TransferFeeConfig | undefined {
  const config = mintExtension(mint, TRANSFER_FEE_CONFIG);
  return config?.length === TRANSFER_FEE_CONFIG_BYTES ? configOf(config) : undefined;
}

/** The value of the first extension of `type` in the bytes of a mint. */
export function mintExtension(mint: Uint8Array, type: number): Uint8Array | undefined {
  if (mint[ACCOUNT_TYPE_AT] !== ACCOUNT_TYPE_MINT) return undefined;
  for (let at = ENTRIES_AT; at + ENTRY_HEAD_BYTES <= mint.length; ) {
    const value = at + ENTRY_HEAD_BYTES;
    const end = value + readU16(mint, at + 2);
    if (end > mint.length) return undefined;
    if (readU16(mint, at) === type) return mint.subarray(value, end);
    at = end;
  }
  return undefined;
}

/** The fee that holds in `epoch`. */
export function feeForEpoch(config: TransferFeeConfig, epoch: bigint): TransferFee {
  return epoch >= config.newerFromEpoch ? config.newer : config.older;
}

/** What is kept of `amount` on its way; never more than `amount`. */
export function feeOn(amount: bigint, fee: TransferFee): bigint {
  if (fee.basisPoints === 0n || amount === 0n) return 0n;
  const raw = ceilDivide(amount * fee.basisPoints, ALL_BASIS_POINTS);
  if (raw > fee.maximum) return fee.maximum;
  return raw;
}

/**
 * What must be sent for `net` to arrive; undefined when that is more than a u64 holds. Sending the answer may deliver
 * one unit more than `net`, never less.
 */
export function amountBeforeFee(net: bigint, fee: TransferFee): bigint | undefined {
  if (fee.basisPoints === 0n || net === 0n) return net;
  const gross = grossOf(net, fee);
  return gross > U64_MAX ? undefined : gross;
}

function grossOf(net: bigint, fee: TransferFee): bigint {
  const capped = net + fee.maximum;
  if (fee.basisPoints === ALL_BASIS_POINTS) return capped;
  const raw = ceilDivide(net * ALL_BASIS_POINTS, ALL_BASIS_POINTS - fee.basisPoints);
  return raw - net >= fee.maximum ? capped : raw;
}

function configOf(config: Uint8Array): TransferFeeConfig {
  return {
    older: feeAt(config, OLDER_FEE_AT),
    newer: feeAt(config, NEWER_FEE_AT),
    newerFromEpoch: readU64(config, NEWER_FEE_AT),
  };
}

function feeAt(config: Uint8Array, at: number): TransferFee {
  const basisPoints = BigInt(readU16(config, at + 16));
  return {
    // The token program sets no fee above the whole; bytes that say so are read as the whole, so that no net is negative.
    basisPoints: basisPoints < ALL_BASIS_POINTS ? basisPoints : ALL_BASIS_POINTS,
    maximum: readU64(config, at + 8),
  };
}

const readU16 = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

const ceilDivide = (numerator: bigint, denominator: bigint): bigint => (numerator + denominator - 1n) / denominator;
