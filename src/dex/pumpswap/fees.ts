/**
 * PumpSwap's fees: the fee program's config and its choice for one pool (`pump_fees`, fees_for_quote_mint). Canonical
 * pools pay by the market cap of their coin where the quote is SOL or a stable coin; every other pool pays flat.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import { type Address, WSOL_MINT } from "#core/units.ts";
import { readU64, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import {
  FEE_CONFIG,
  FEE_CONFIG_BYTES_MIN,
  FEE_TIER,
  FEE_TIER_BYTES,
  FEES,
  FEES_BYTES,
  PUMPSWAP_DISCRIMINATOR,
} from "./layout.ts";

/** Ten-thousandths of the quote amount, each rounded up by itself. */
export type PumpSwapFees = {
  readonly lpBps: bigint;
  readonly protocolBps: bigint;
  readonly creatorBps: bigint;
};

type FeeTier = { readonly marketCapThreshold: bigint; readonly fees: PumpSwapFees };

export type PumpSwapFeeConfig = {
  readonly flat: PumpSwapFees;
  readonly tiers: readonly FeeTier[];
  /** Empty in configs older than stable quotes. */
  readonly stableTiers: readonly FeeTier[];
  /** Undefined in configs older than quotes of any coin. */
  readonly exotic: PumpSwapFees | undefined;
};

const SOL_LIKE_MINTS: ReadonlySet<Address> = new Set([
  WSOL_MINT,
  // The native mint of Token-2022, and the zero key that stands for lamports.
  "9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXej9" as Address,
  SYSTEM_PROGRAM,
]);
const USDC_MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v" as Address;

export function decodePumpSwapFeeConfig(data: Uint8Array): Result<PumpSwapFeeConfig, SandpiperError> {
  if (data.length < FEE_CONFIG_BYTES_MIN || !startsWith(data, PUMPSWAP_DISCRIMINATOR.feeConfig))
    return refuse(`${FEE_CONFIG_BYTES_MIN} bytes or more with its marks`, `${data.length}`);
  const tiers = tiersAt(data, FEE_CONFIG.feeTiers);
  if (tiers === undefined) return refuse("its fee tiers to the last", `${data.length} bytes`);
  const stable = tiersAt(data, tiers.end);
  const exotic = stable && stable.end + FEES_BYTES <= data.length ? feesAt(data, stable.end) : undefined;
  return ok({
    flat: feesAt(data, FEE_CONFIG.flatFees),
    tiers: tiers.tiers,
    stableTiers: stable?.tiers ?? [],
    exotic: exotic && exotic.lpBps + exotic.protocolBps + exotic.creatorBps > 0n ? exotic : undefined,
  });
}

/** What a pool of `quoteMint` pays at a market cap in units of its quote. */
export function feesOf(
  config: PumpSwapFeeConfig,
  canonical: boolean,
  quoteMint: Address,
  marketCap: bigint,
): PumpSwapFees {
  if (!canonical) return config.flat;
  if (SOL_LIKE_MINTS.has(quoteMint)) return feesOfTier(config, config.tiers, marketCap);
  if (quoteMint === USDC_MINT)
    return feesOfTier(config, config.stableTiers.length > 0 ? config.stableTiers : config.tiers, marketCap);
  return config.exotic ?? config.flat;
}

/** The last tier whose threshold is reached; the first one below all. */
function feesOfTier(config: PumpSwapFeeConfig, tiers: readonly FeeTier[], marketCap: bigint): PumpSwapFees {
  const reached = tiers.findLast((tier) => marketCap >= tier.marketCapThreshold) ?? tiers[0];
  return reached?.fees ?? config.flat;
}

function tiersAt(data: Uint8Array, at: number): { tiers: readonly FeeTier[]; end: number } | undefined {
  if (at + 4 > data.length) return undefined;
  const count = new DataView(data.buffer, data.byteOffset).getUint32(at, true);
  const end = at + 4 + count * FEE_TIER_BYTES;
  if (end > data.length) return undefined;
  const tiers = Array.from({ length: count }, (_, i) => {
    const tier = at + 4 + i * FEE_TIER_BYTES + FEE_TIER.marketCapThreshold;
    return {
      marketCapThreshold: (readU64(data, tier + 8) << 64n) | readU64(data, tier),
      fees: feesAt(data, tier + FEE_TIER.fees),
    };
  });
  return { tiers, end };
}

const feesAt = (data: Uint8Array, at: number): PumpSwapFees => ({
  lpBps: readU64(data, at + FEES.lp),
  protocolBps: readU64(data, at + FEES.protocol),
  creatorBps: readU64(data, at + FEES.creator),
});

function refuse(want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(DEX_ERROR.account, `Cannot decode PumpSwap's FeeConfig: ${want}, was ${was}`));
}
