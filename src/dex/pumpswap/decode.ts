/** PumpSwap's accounts, trades and events as values. Foreign bytes are checked whole here; nothing throws. */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress, readU64, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { SYSTEM_PROGRAM } from "#dex/program-addresses.ts";
import {
  EVENT_INSTRUCTION_PREFIX,
  GLOBAL_CONFIG,
  GLOBAL_CONFIG_BYTES_MIN,
  POOL,
  POOL_BYTES_MIN,
  PUMPSWAP_DISCRIMINATOR,
  PUMPSWAP_TRADE,
  TRADE_ACCOUNT,
  TRADE_ACCOUNTS_MIN,
  TRADE_DATA,
  TRADE_DATA_BYTES_MIN,
  TRADE_EVENT,
  TRADE_EVENT_BYTES_MIN,
} from "./layout.ts";

/** Side 0 is base, side 1 is quote. */
export type PumpSwapPool = {
  readonly creator: Address;
  readonly mints: readonly [Address, Address];
  readonly vaults: readonly [Address, Address];
  /** Undefined in pools that pay no creator. */
  readonly coinCreator: Address | undefined;
  readonly isMayhemMode: boolean;
  readonly isCashbackCoin: boolean;
  /** Signed. With the vault's balance it is the reserve that prices the trades. */
  readonly virtualQuoteReserves: bigint;
  /** Of this pool alone, where the global config lets a pool have its own; 0n for the schedule's. */
  readonly creatorFeeBps: bigint;
};

export type PumpSwapGlobalConfig = {
  readonly disableFlags: number;
  /** Of the protocol fee. */
  readonly buybackBasisPoints: bigint;
  readonly creatorFeeConfigurable: boolean;
  /** Any one of a list will do in a trade; empty where the config is older than the list. */
  readonly protocolFeeRecipients: readonly Address[];
  readonly mayhemFeeRecipients: readonly Address[];
  readonly buybackFeeRecipients: readonly Address[];
};

export type PumpSwapTrade = {
  readonly kind: keyof typeof PUMPSWAP_TRADE;
  /** What is exact (base out of `buy`, quote in of `buyExactQuoteIn`, base in of `sell`), and the bound of the other. */
  readonly exactAmount: bigint;
  readonly boundAmount: bigint;
  readonly accounts: Readonly<Record<keyof typeof TRADE_ACCOUNT, Address>>;
};

export type PumpSwapTradeEvent = {
  readonly kind: "buy" | "sell";
  readonly pool: Address;
  readonly user: Address;
  readonly baseAmount: bigint;
  /** What the user paid or got, fees included. */
  readonly userQuoteAmount: bigint;
  /** What the vaults held before it. */
  readonly poolBaseReserves: bigint;
  readonly poolQuoteReserves: bigint;
};

export function decodePumpSwapPool(data: Uint8Array): Result<PumpSwapPool, SandpiperError> {
  if (data.length < POOL_BYTES_MIN || !startsWith(data, PUMPSWAP_DISCRIMINATOR.pool))
    return refuse(DEX_ERROR.account, "a PumpSwap pool", POOL_BYTES_MIN, data);
  const address = (offset: number) => readAddress(data, offset);
  const coinCreator = data.length >= POOL.coinCreator + 32 ? address(POOL.coinCreator) : SYSTEM_PROGRAM;
  return ok({
    creator: address(POOL.creator),
    mints: [address(POOL.baseMint), address(POOL.quoteMint)],
    vaults: [address(POOL.poolBaseTokenAccount), address(POOL.poolQuoteTokenAccount)],
    // The zero key, which the system program has as its address, stands for nobody.
    coinCreator: coinCreator === SYSTEM_PROGRAM ? undefined : coinCreator,
    isMayhemMode: (data[POOL.isMayhemMode] ?? 0) !== 0,
    isCashbackCoin: (data[POOL.isCashbackCoin] ?? 0) !== 0,
    virtualQuoteReserves:
      data.length >= POOL.virtualQuoteReserves + 16
        ? BigInt.asIntN(
            128,
            (readU64(data, POOL.virtualQuoteReserves + 8) << 64n) | readU64(data, POOL.virtualQuoteReserves),
          )
        : 0n,
    creatorFeeBps: laterU64(data, POOL.creatorFeeBps),
  });
}

export function decodePumpSwapGlobalConfig(data: Uint8Array): Result<PumpSwapGlobalConfig, SandpiperError> {
  if (data.length < GLOBAL_CONFIG_BYTES_MIN || !startsWith(data, PUMPSWAP_DISCRIMINATOR.globalConfig))
    return refuse(DEX_ERROR.account, "PumpSwap's GlobalConfig", GLOBAL_CONFIG_BYTES_MIN, data);
  return ok({
    disableFlags: data[GLOBAL_CONFIG.disableFlags] ?? 0,
    buybackBasisPoints: laterU64(data, GLOBAL_CONFIG.buybackBasisPoints),
    creatorFeeConfigurable: (data[GLOBAL_CONFIG.creatorFeeConfigurable] ?? 0) !== 0,
    protocolFeeRecipients: addresses(data, GLOBAL_CONFIG.protocolFeeRecipients, 8),
    mayhemFeeRecipients: [
      ...addresses(data, GLOBAL_CONFIG.reservedFeeRecipient, 1),
      ...addresses(data, GLOBAL_CONFIG.reservedFeeRecipients, 7),
    ],
    buybackFeeRecipients: addresses(data, GLOBAL_CONFIG.buybackFeeRecipients, 8),
  });
}

const TRADES = Object.entries(PUMPSWAP_TRADE) as readonly [PumpSwapTrade["kind"], readonly number[]][];

/** The trade of an instruction; undefined when it is something else of the program's. */
export function decodePumpSwapTrade(
  data: Uint8Array,
  accounts: readonly Address[],
): Result<PumpSwapTrade | undefined, SandpiperError> {
  const kind = TRADES.find(([, discriminator]) => startsWith(data, discriminator))?.[0];
  if (kind === undefined) return ok(undefined);
  if (data.length < TRADE_DATA_BYTES_MIN || accounts.length < TRADE_ACCOUNTS_MIN)
    return refuse(DEX_ERROR.instruction, `${kind} on ${accounts.length} accounts`, TRADE_DATA_BYTES_MIN, data);
  const places = Object.entries(TRADE_ACCOUNT).map(([name, place]) => [name, accounts[place] as Address] as const);
  return ok({
    kind,
    exactAmount: readU64(data, TRADE_DATA.first),
    boundAmount: readU64(data, TRADE_DATA.second),
    // The loop above names every key of the table, which the type of fromEntries cannot say.
    accounts: Object.fromEntries(places) as PumpSwapTrade["accounts"],
  });
}

/** The event of a trade, out of its log's base64 or out of the program's call to itself; undefined for other events. */
export function decodePumpSwapEvent(data: Uint8Array): Result<PumpSwapTradeEvent | undefined, SandpiperError> {
  const event = startsWith(data, EVENT_INSTRUCTION_PREFIX) ? data.subarray(EVENT_INSTRUCTION_PREFIX.length) : data;
  const buy = startsWith(event, PUMPSWAP_DISCRIMINATOR.buyEvent);
  if (!buy && !startsWith(event, PUMPSWAP_DISCRIMINATOR.sellEvent)) return ok(undefined);
  if (event.length < TRADE_EVENT_BYTES_MIN)
    return refuse(DEX_ERROR.logLine, "a PumpSwap trade's event", TRADE_EVENT_BYTES_MIN, event);
  return ok({
    kind: buy ? "buy" : "sell",
    pool: readAddress(event, TRADE_EVENT.pool),
    user: readAddress(event, TRADE_EVENT.user),
    baseAmount: readU64(event, TRADE_EVENT.baseAmount),
    userQuoteAmount: buy
      ? // In the event of an exact quote in, the two amounts have changed places: what was paid is the greater one.
        max(readU64(event, TRADE_EVENT.quoteAmount), readU64(event, TRADE_EVENT.userQuoteAmount))
      : readU64(event, TRADE_EVENT.userQuoteAmount),
    poolBaseReserves: readU64(event, TRADE_EVENT.poolBaseReserves),
    poolQuoteReserves: readU64(event, TRADE_EVENT.poolQuoteReserves),
  });
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** A list that older accounts end before. */
const addresses = (data: Uint8Array, offset: number, count: number): readonly Address[] =>
  data.length < offset + count * 32 ? [] : Array.from({ length: count }, (_, i) => readAddress(data, offset + i * 32));

/** A field that older accounts end before. */
const laterU64 = (data: Uint8Array, offset: number): bigint => (data.length >= offset + 8 ? readU64(data, offset) : 0n);

function refuse(code: number, what: string, bytes: number, data: Uint8Array): Result<never, SandpiperError> {
  const start = Buffer.from(data.subarray(0, 8)).toString("hex");
  return err(
    new SandpiperError(
      code,
      `Cannot decode ${what}: ${bytes} bytes or more with its marks, was ${data.length} bytes starting ${start}`,
    ),
  );
}
