/** Pairs made for tests: account bytes of a DLMM pair as its program lays them out, with whatever bins a test asks for. */
import { base58Decode, base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { METEORA_DLMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import type { AccountBytes } from "#dex/venue.ts";
import {
  BIN,
  BIN_ARRAY,
  BIN_ARRAY_BYTES,
  BIN_BYTES,
  BINS_PER_ARRAY,
  BITMAP_EXTENSION,
  BITMAP_EXTENSION_BYTES,
  BITMAP_HALF,
  DLMM_DISCRIMINATOR,
  LB_PAIR,
  LB_PAIR_BYTES,
} from "./layout.ts";
import { priceOfBin } from "./price.ts";

const key = (byte: number): Address => base58Encode(new Uint8Array(32).fill(byte)) as Address;

export const SYNTHETIC = {
  pair: key(1),
  mints: [key(2), key(3)],
  reserves: [key(4), key(5)],
  oracle: key(6),
  extension: key(7),
} as const;
export const SYNTHETIC_TIME = { slot: 1_000n, epoch: 10n, unixSeconds: 2_000_000n } as const;

export type SyntheticBin = {
  readonly x?: bigint;
  readonly y?: bigint;
  readonly openOrders?: bigint;
  readonly processedOrders?: bigint;
  readonly ordersAsk?: boolean;
};

export type SyntheticPair = {
  readonly binStep?: number;
  readonly activeId?: number;
  /** By id. Arrays of bins named here exist and are in the bitmaps. */
  readonly bins: Readonly<Record<number, SyntheticBin>>;
  /** Fields of LB_PAIR to set, by name: one byte, or as many as the field has. */
  readonly fields?: Readonly<Partial<Record<keyof typeof LB_PAIR, number>>>;
  readonly withExtension?: boolean;
  /** Basis points that token X keeps of each transfer, without a maximum that matters. */
  readonly transferFeeX?: number;
};

const BYTE_FIELDS: ReadonlySet<string> = new Set([
  "baseFeePowerFactor",
  "functionType",
  "collectFeeMode",
  "pairType",
  "status",
  "activationType",
]);
const SHORT_FIELDS: ReadonlySet<string> = new Set([
  "baseFactor",
  "filterPeriod",
  "decayPeriod",
  "reductionFactor",
  "protocolShare",
  "binStep",
]);
const LONG_FIELDS: ReadonlySet<string> = new Set([
  "lastUpdateTimestamp",
  "protocolFeeX",
  "protocolFeeY",
  "activationPoint",
]);

/** A base fee of 0.1% at the default step, no variable fee, a tenth of it for the protocol. */
const DEFAULTS = { baseFactor: 10_000, protocolShare: 1_000, minBinId: -443_636, maxBinId: 443_636, functionType: 2 };

export function syntheticPair(spec: SyntheticPair): Map<Address, AccountBytes> {
  const { binStep = 10, activeId = 0 } = spec;
  const accounts = new Map<Address, AccountBytes>();
  const pair = Buffer.alloc(LB_PAIR_BYTES);
  pair.set(DLMM_DISCRIMINATOR.lbPair);
  for (const [name, value] of Object.entries({ ...DEFAULTS, binStep, activeId, ...spec.fields }))
    writeField(pair, name as keyof typeof LB_PAIR, value);
  const places = [LB_PAIR.tokenXMint, LB_PAIR.tokenYMint, LB_PAIR.reserveX, LB_PAIR.reserveY, LB_PAIR.oracle];
  const addresses = [...SYNTHETIC.mints, ...SYNTHETIC.reserves, SYNTHETIC.oracle];
  places.forEach((place, i) => {
    pair.set(base58Decode(addresses[i] as Address), place);
  });
  const extension = Buffer.alloc(BITMAP_EXTENSION_BYTES);
  extension.set(DLMM_DISCRIMINATOR.bitmapExtension);
  extension.set(base58Decode(SYNTHETIC.pair), BITMAP_EXTENSION.lbPair);
  for (const index of new Set(Object.keys(spec.bins).map((id) => Math.floor(Number(id) / BINS_PER_ARRAY)))) {
    accounts.set(key(100 + (index & 63)), owned(METEORA_DLMM_PROGRAM, binArray(index, spec.bins, binStep)));
    markLive(index, pair, extension);
  }
  accounts.set(SYNTHETIC.pair, owned(METEORA_DLMM_PROGRAM, pair));
  if (spec.withExtension === true) accounts.set(SYNTHETIC.extension, owned(METEORA_DLMM_PROGRAM, extension));
  const tokenX = spec.transferFeeX === undefined ? TOKEN_PROGRAM : TOKEN_2022_PROGRAM;
  accounts.set(SYNTHETIC.mints[0], owned(tokenX, mint(spec.transferFeeX)));
  accounts.set(SYNTHETIC.mints[1], owned(TOKEN_PROGRAM, mint(undefined)));
  accounts.set(SYNTHETIC.reserves[0], owned(tokenX, tokenAccount(10n ** 18n)));
  accounts.set(SYNTHETIC.reserves[1], owned(TOKEN_PROGRAM, tokenAccount(10n ** 18n)));
  return accounts;
}

const owned = (owner: Address, data: Uint8Array): AccountBytes => ({ owner, data: new Uint8Array(data) });

function writeField(pair: Buffer, name: keyof typeof LB_PAIR, value: number): void {
  const at = LB_PAIR[name];
  if (BYTE_FIELDS.has(name)) pair.writeUInt8(value, at);
  else if (SHORT_FIELDS.has(name)) pair.writeUInt16LE(value, at);
  else if (LONG_FIELDS.has(name)) pair.writeBigInt64LE(BigInt(value), at);
  else if (value < 0) pair.writeInt32LE(value, at);
  else pair.writeUInt32LE(value, at);
}

function binArray(index: number, bins: SyntheticPair["bins"], binStep: number): Buffer {
  const data = Buffer.alloc(BIN_ARRAY_BYTES);
  data.set(DLMM_DISCRIMINATOR.binArray);
  data.writeBigInt64LE(BigInt(index), BIN_ARRAY.index);
  data.set(base58Decode(SYNTHETIC.pair), BIN_ARRAY.lbPair);
  for (let i = 0; i < BINS_PER_ARRAY; i++) {
    const at = BIN_ARRAY.bins + i * BIN_BYTES;
    const id = index * BINS_PER_ARRAY + i;
    const bin = bins[id] ?? {};
    const price = priceOfBin(id, binStep) ?? 0n;
    data.writeBigUInt64LE(bin.x ?? 0n, at + BIN.amountX);
    data.writeBigUInt64LE(bin.y ?? 0n, at + BIN.amountY);
    data.writeBigUInt64LE(price & 0xffff_ffff_ffff_ffffn, at + BIN.price);
    data.writeBigUInt64LE(price >> 64n, at + BIN.price + 8);
    data.writeBigUInt64LE(1_000_000n, at + BIN.liquiditySupply + 8);
    data.writeBigUInt64LE(bin.openOrders ?? 0n, at + BIN.openOrderAmount);
    data.writeBigUInt64LE(bin.processedOrders ?? 0n, at + BIN.processedOrderRemainingAmount);
    data.writeUInt8(bin.ordersAsk === true ? 1 : 0, at + BIN.limitOrderAskSide);
  }
  return data;
}

function markLive(index: number, pair: Buffer, extension: Buffer): void {
  const set = (data: Buffer, start: number, bit: number) => {
    data[start + (bit >> 3)] = (data[start + (bit >> 3)] ?? 0) | (1 << (bit & 7));
  };
  if (index >= BITMAP_HALF) set(extension, BITMAP_EXTENSION.positive, index - BITMAP_HALF);
  else if (index < -BITMAP_HALF) set(extension, BITMAP_EXTENSION.negative, -index - 1 - BITMAP_HALF);
  else set(pair, LB_PAIR.binArrayBitmap, index + BITMAP_HALF);
}

/** With a fee: a Token-2022 mint whose only extension is TransferFeeConfig, the same in every epoch. */
function mint(basisPoints: number | undefined): Buffer {
  if (basisPoints === undefined) return Buffer.alloc(82);
  const data = Buffer.alloc(166 + 4 + 108);
  data[165] = 1;
  data.writeUInt16LE(1, 166);
  data.writeUInt16LE(108, 168);
  for (const at of [170 + 72, 170 + 90]) {
    data.writeBigUInt64LE(10n ** 15n, at + 8);
    data.writeUInt16LE(basisPoints, at + 16);
  }
  return data;
}

function tokenAccount(amount: bigint): Buffer {
  const data = Buffer.alloc(165);
  data.writeBigUInt64LE(amount, 64);
  data[108] = 1;
  return data;
}
