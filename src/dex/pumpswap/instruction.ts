/**
 * The trade of a PumpSwap pool in its first form, which every kind of pool takes: `buy`, `buy_exact_quote_in`, `sell`. The
 * second form is shorter and refuses cashback coins. Plain data; the addresses are derived on the way.
 */
import { base58Decode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { derivedAddress } from "#dex/derived-address.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import type { AccountUse, Instruction } from "#dex/instruction.ts";
import {
  ASSOCIATED_TOKEN_PROGRAM,
  PUMP_FEE_PROGRAM,
  PUMPSWAP_PROGRAM,
  SYSTEM_PROGRAM,
} from "#dex/program-addresses.ts";
import type { SwapOrder } from "#dex/venue.ts";
import {
  FEE_CONFIG_ADDRESS,
  GLOBAL_CONFIG_ADDRESS,
  PUMPSWAP_SEED,
  PUMPSWAP_TRADE,
  TRADE_DATA,
  TRADE_DATA_BYTES_MIN,
} from "./layout.ts";
import type { PumpSwapState } from "./state.ts";

export type PumpSwapRequest = SwapOrder & {
  /** Signs, and owns both token accounts. */
  readonly owner: Address;
  /** The owner's accounts of base and quote. */
  readonly ownerAccounts: readonly [Address, Address];
  /** exact-in: the least that must arrive; exact-out: the most that may leave. */
  readonly otherAmountThreshold: bigint;
  /** Which of the fees' recipients are paid, 0 to 7: trades that take different ones do not wait for each other. */
  readonly recipientIndex: number;
};

export function pumpSwapInstruction(state: PumpSwapState, request: PumpSwapRequest): Instruction {
  const sells = request.inputSide === 0;
  return {
    programAddress: PUMPSWAP_PROGRAM,
    accounts: [
      ...commonAccounts(state, request),
      ...(sells ? [] : volumeAccounts(request.owner)),
      ...feeAccounts(state, request),
    ],
    data: tradeData(sells ? "sell" : request.mode === "exact-in" ? "buyExactQuoteIn" : "buy", request),
  };
}

function tradeData(kind: keyof typeof PUMPSWAP_TRADE, { amount, otherAmountThreshold }: PumpSwapRequest): Uint8Array {
  // Buys say at the end whether the user's volume is counted: yes, as the published client does.
  const data = new Uint8Array(TRADE_DATA_BYTES_MIN + (kind === "sell" ? 0 : 1)).fill(1);
  data.set(PUMPSWAP_TRADE[kind]);
  const view = new DataView(data.buffer);
  view.setBigUint64(TRADE_DATA.first, amount, true);
  view.setBigUint64(TRADE_DATA.second, otherAmountThreshold, true);
  return data;
}

/** The first 19 accounts, which buys and sells share. */
function commonAccounts(
  { address, pool, global, tokenPrograms }: PumpSwapState,
  request: PumpSwapRequest,
): AccountUse[] {
  const quoteMint = pool.mints[1];
  const recipients = pool.isMayhemMode ? global.mayhemFeeRecipients : global.protocolFeeRecipients;
  const recipient = recipientAt(recipients, request.recipientIndex, "protocol fee");
  const creatorVault = derivedAddress(
    [PUMPSWAP_SEED.creatorVault, base58Decode(pool.coinCreator ?? SYSTEM_PROGRAM)],
    PUMPSWAP_PROGRAM,
  );
  return [
    writable(address),
    { address: request.owner, signer: true, writable: true },
    readonly(GLOBAL_CONFIG_ADDRESS),
    readonly(pool.mints[0]),
    readonly(quoteMint),
    writable(request.ownerAccounts[0]),
    writable(request.ownerAccounts[1]),
    writable(pool.vaults[0]),
    writable(pool.vaults[1]),
    readonly(recipient),
    writable(tokenAccount(recipient, quoteMint, tokenPrograms[1])),
    readonly(tokenPrograms[0]),
    readonly(tokenPrograms[1]),
    readonly(SYSTEM_PROGRAM),
    readonly(ASSOCIATED_TOKEN_PROGRAM),
    readonly(derivedAddress([PUMPSWAP_SEED.eventAuthority], PUMPSWAP_PROGRAM)),
    readonly(PUMPSWAP_PROGRAM),
    writable(tokenAccount(creatorVault, quoteMint, tokenPrograms[1])),
    readonly(creatorVault),
  ];
}

const volumeAccounts = (owner: Address): AccountUse[] => [
  readonly(derivedAddress([PUMPSWAP_SEED.globalVolumeAccumulator], PUMPSWAP_PROGRAM)),
  writable(userVolume(owner)),
];

/** The fee program, the trader's cashback, the mark of pools with a creator, and the buyback's recipient. */
function feeAccounts({ pool, global, tokenPrograms }: PumpSwapState, request: PumpSwapRequest): AccountUse[] {
  const quoteMint = pool.mints[1];
  const buyback = recipientAt(global.buybackFeeRecipients, request.recipientIndex, "buyback");
  const volume = userVolume(request.owner);
  const cashback = [
    writable(tokenAccount(volume, quoteMint, tokenPrograms[1])),
    ...(request.inputSide === 0 ? [writable(volume)] : []),
  ];
  const poolV2 = readonly(derivedAddress([PUMPSWAP_SEED.poolV2, base58Decode(pool.mints[0])], PUMPSWAP_PROGRAM));
  return [
    readonly(FEE_CONFIG_ADDRESS),
    readonly(PUMP_FEE_PROGRAM),
    ...(pool.isCashbackCoin ? cashback : []),
    ...(pool.coinCreator === undefined ? [] : [poolV2]),
    readonly(buyback),
    writable(tokenAccount(buyback, quoteMint, tokenPrograms[1])),
  ];
}

const userVolume = (owner: Address): Address =>
  derivedAddress([PUMPSWAP_SEED.userVolumeAccumulator, base58Decode(owner)], PUMPSWAP_PROGRAM);

const tokenAccount = (owner: Address, mint: Address, tokenProgram: Address): Address =>
  derivedAddress([owner, tokenProgram, mint].map(base58Decode), ASSOCIATED_TOKEN_PROGRAM);

function recipientAt(recipients: readonly Address[], index: number, what: string): Address {
  const recipient = recipients[index];
  if (recipient === undefined)
    throw new SandpiperError(
      DEX_ERROR.facts,
      `Cannot build a PumpSwap trade: a ${what} recipient of number ${index}, was only ${recipients.length} of them`,
    );
  return recipient;
}

const readonly = (address: Address): AccountUse => ({ address, signer: false, writable: false });
const writable = (address: Address): AccountUse => ({ address, signer: false, writable: true });
