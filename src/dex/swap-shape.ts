/**
 * What a swap instruction of any of the six programs touches: the pools and their vaults, in the order in which the
 * tokens pass them. The layouts are the venues' own; amounts are not here, since only what was executed tells them.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { startsWith } from "./bytes.ts";
import { DEX_ERROR } from "./errors.ts";
import { decodeDlmmSwap } from "./meteora-dlmm/decode-swap.ts";
import { decodeWhirlpoolSwap } from "./orca-whirlpool/decode-swap.ts";
import {
  METEORA_DLMM_PROGRAM,
  ORCA_WHIRLPOOL_PROGRAM,
  PUMPSWAP_PROGRAM,
  RAYDIUM_AMM_V4_PROGRAM,
  RAYDIUM_CLMM_PROGRAM,
  RAYDIUM_CPMM_PROGRAM,
} from "./program-addresses.ts";
import { decodePumpSwapTrade } from "./pumpswap/decode.ts";
import { decodeAmmV4Swap, decodeAmmV4SwapV2, isAmmV4Swap } from "./raydium-amm-v4/decode.ts";
import { decodeSwap as decodeClmmSwap } from "./raydium-clmm/decode-swap.ts";
import { decodeCpmmSwap } from "./raydium-cpmm/decode.ts";
import type { VenueName } from "./venue.ts";

export type SwapShape = {
  readonly venue: VenueName;
  readonly pool: Address;
  /** The pool's vaults; which one takes and which one pays shows when it is executed. */
  readonly vaults: readonly [Address, Address];
  /** Who signs for the input. */
  readonly trader: Address;
  /** The trader's own token accounts where fees go elsewhere out of the same vault; undefined where they do not. */
  readonly traderAccounts: readonly [Address, Address] | undefined;
};

type Shapes = Result<readonly SwapShape[], SandpiperError>;

/** None for instructions that are no swap, of these programs or of others. */
export function swapShapes(program: Address, data: Uint8Array, accounts: readonly Address[]): Shapes {
  const read = READERS.get(program);
  if (read === undefined) return NONE;
  const route = ROUTES.find((known) => known.program === program && startsWith(data, known.discriminator));
  if (route === undefined) return read(data, accounts);
  const text = `Cannot decode ${route.name}: a swap whose accounts name its pools, was a route of ${accounts.length} accounts`;
  return err(new SandpiperError(DEX_ERROR.unsupported, text));
}

/** Instructions that swap on several pools, with accounts that only the program's own state tells apart. */
const ROUTES = [
  {
    program: PUMPSWAP_PROGRAM,
    name: "PumpSwap's multi_hop_swap",
    discriminator: [43, 100, 73, 19, 233, 246, 111, 148],
  },
  {
    program: RAYDIUM_CLMM_PROGRAM,
    name: "CLMM's swap_router_base_in",
    discriminator: [69, 125, 115, 218, 245, 186, 242, 196],
  },
] as const;

export const isVenueProgram = (program: Address): boolean => READERS.has(program);

const NONE: Shapes = ok([]);

type Reader = (data: Uint8Array, accounts: readonly Address[]) => Shapes;

const ammV4: Reader = (data, accounts) => {
  const second = decodeAmmV4SwapV2(data, accounts);
  if (!second.ok) return second;
  if (second.value !== undefined) {
    const { amm, coinVault, pcVault, userOwner } = second.value.accounts;
    return one("raydium-amm-v4", amm, [coinVault, pcVault], userOwner);
  }
  if (!isAmmV4Swap(data)) return NONE;
  const swap = decodeAmmV4Swap(data, accounts);
  if (!swap.ok) return swap;
  const { amm, coinVault, pcVault, userOwner } = swap.value.accounts;
  return one("raydium-amm-v4", amm, [coinVault, pcVault], userOwner);
};

const cpmm: Reader = (data, accounts) => {
  const swap = decodeCpmmSwap(data, accounts);
  if (!swap.ok) return swap;
  if (swap.value === undefined) return NONE;
  const { poolState, inputVault, outputVault, payer } = swap.value.accounts;
  return one("raydium-cpmm", poolState, [inputVault, outputVault], payer);
};

const clmm: Reader = (data, accounts) => {
  const swap = decodeClmmSwap(data, accounts);
  if (!swap.ok) return swap;
  if (swap.value === undefined) return NONE;
  const { pool, inputVault, outputVault, payer } = swap.value;
  return one("raydium-clmm", pool, [inputVault, outputVault], payer);
};

const whirlpool: Reader = (data, accounts) => {
  const swap = decodeWhirlpoolSwap(data, accounts);
  if (!swap.ok) return swap;
  const { hops, authority } = swap.value ?? { hops: [], authority: "" as Address };
  return ok(
    hops.map((hop) => ({
      venue: "orca-whirlpool" as const,
      pool: hop.whirlpool,
      vaults: [hop.inputVault, hop.outputVault] as const,
      trader: authority,
      traderAccounts: undefined,
    })),
  );
};

const pumpSwap: Reader = (data, accounts) => {
  const trade = decodePumpSwapTrade(data, accounts);
  if (!trade.ok) return trade;
  if (trade.value === undefined) return NONE;
  const named = trade.value.accounts;
  return ok([
    {
      venue: "pumpswap",
      pool: named.pool,
      vaults: [named.poolBaseTokenAccount, named.poolQuoteTokenAccount],
      trader: named.user,
      traderAccounts: [named.userBaseTokenAccount, named.userQuoteTokenAccount],
    },
  ]);
};

const dlmm: Reader = (data, accounts) => {
  const swap = decodeDlmmSwap(data, accounts);
  if (!swap.ok) return swap;
  if (swap.value === undefined) return NONE;
  const { lbPair, reserves, user } = swap.value;
  return one("meteora-dlmm", lbPair, reserves, user);
};

const one = (venue: VenueName, pool: Address, vaults: readonly [Address, Address], trader: Address): Shapes =>
  ok([{ venue, pool, vaults, trader, traderAccounts: undefined }]);

const READERS: ReadonlyMap<Address, Reader> = new Map([
  [RAYDIUM_AMM_V4_PROGRAM, ammV4],
  [RAYDIUM_CPMM_PROGRAM, cpmm],
  [RAYDIUM_CLMM_PROGRAM, clmm],
  [ORCA_WHIRLPOOL_PROGRAM, whirlpool],
  [METEORA_DLMM_PROGRAM, dlmm],
  [PUMPSWAP_PROGRAM, pumpSwap],
]);
