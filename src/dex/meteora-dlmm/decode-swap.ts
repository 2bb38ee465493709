/**
 * DLMM's six swap instructions, of a transaction or inside another program's, and its two swap events, which the program
 * sends to itself as an instruction (older builds: also as a `Program data:` log line). What is another instruction or
 * event is undefined; what claims to be one of these and is not whole is refused.
 */
import { SandpiperError } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import type { Address } from "#core/units.ts";
import { readAddress, readU64, startsWith } from "#dex/bytes.ts";
import { DEX_ERROR } from "#dex/errors.ts";
import { METEORA_DLMM_PROGRAM } from "#dex/program-addresses.ts";
import {
  DLMM_DISCRIMINATOR,
  SWAP_ACCOUNT,
  SWAP_ACCOUNTS,
  SWAP_EVENT,
  SWAP_EVENT_BYTES,
  SWAP_INSTRUCTIONS,
  SWAP2_ACCOUNTS,
  SWAP2_EVENT,
  SWAP2_EVENT_BYTES,
} from "./layout.ts";

type SwapName = keyof typeof SWAP_INSTRUCTIONS;

type DlmmSwapTerms =
  | { readonly kind: "exact-in"; readonly amountIn: bigint; readonly minAmountOut: bigint }
  | { readonly kind: "exact-out"; readonly maxInAmount: bigint; readonly outAmount: bigint }
  | {
      readonly kind: "price-impact";
      readonly amountIn: bigint;
      /** The active bin that the trader saw; undefined when any will do. */
      readonly activeId: number | undefined;
      readonly maxPriceImpactBps: number;
    };

export type DlmmSwap = {
  readonly instruction: SwapName;
  readonly terms: DlmmSwapTerms;
  readonly lbPair: Address;
  readonly bitmapExtension: Address | undefined;
  readonly reserves: readonly [Address, Address];
  readonly userTokenIn: Address;
  readonly userTokenOut: Address;
  readonly mints: readonly [Address, Address];
  readonly oracle: Address;
  readonly hostFeeIn: Address | undefined;
  readonly user: Address;
  /** What follows the fixed accounts, but for those that transfer hooks take: the bin arrays. */
  readonly binArrays: readonly Address[];
};

const HEAD_BYTES = 8;

export function decodeDlmmSwap(
  data: Uint8Array,
  accounts: readonly Address[],
): Result<DlmmSwap | undefined, SandpiperError> {
  const name = (Object.keys(SWAP_INSTRUCTIONS) as SwapName[]).find((key) => startsWith(data, SWAP_INSTRUCTIONS[key]));
  if (name === undefined) return ok(undefined);
  const terms = termsOf(name, data);
  if (terms === undefined) return refuseInstruction(name, "its whole arguments", `${data.length} bytes`);
  const newer = name.endsWith("2");
  const fixed = newer ? SWAP2_ACCOUNTS : SWAP_ACCOUNTS;
  if (accounts.length < fixed) return refuseInstruction(name, `${fixed} accounts`, `${accounts.length}`);
  const hooks = newer ? hookAccounts(data, terms.end) : 0;
  if (hooks === undefined || accounts.length < fixed + hooks)
    return refuseInstruction(name, "the accounts that its slices name", `${accounts.length}`);
  return ok({
    instruction: name,
    terms: terms.value,
    ...partiesOf(accounts),
    binArrays: accounts.slice(fixed + hooks),
  });
}

function partiesOf(accounts: readonly Address[]) {
  const at = (place: keyof typeof SWAP_ACCOUNT) => accounts[SWAP_ACCOUNT[place]] as Address;
  const optional = (place: keyof typeof SWAP_ACCOUNT) => (at(place) === METEORA_DLMM_PROGRAM ? undefined : at(place));
  return {
    lbPair: at("lbPair"),
    bitmapExtension: optional("binArrayBitmapExtension"),
    reserves: [at("reserveX"), at("reserveY")] as const,
    userTokenIn: at("userTokenIn"),
    userTokenOut: at("userTokenOut"),
    mints: [at("tokenXMint"), at("tokenYMint")] as const,
    oracle: at("oracle"),
    hostFeeIn: optional("hostFeeIn"),
    user: at("user"),
  };
}

type Terms = { readonly value: DlmmSwapTerms; readonly end: number };

/** Undefined when the bytes end early. */
function termsOf(name: SwapName, data: Uint8Array): Terms | undefined {
  if (data.length < HEAD_BYTES + 8) return undefined;
  const first = readU64(data, HEAD_BYTES);
  const second = HEAD_BYTES + 8;
  if (name === "swapWithPriceImpact" || name === "swapWithPriceImpact2") return impactTerms(first, data, second);
  if (data.length < second + 8) return undefined;
  const amount = readU64(data, second);
  const exactIn = name === "swap" || name === "swap2";
  const value: DlmmSwapTerms = exactIn
    ? { kind: "exact-in", amountIn: first, minAmountOut: amount }
    : { kind: "exact-out", maxInAmount: first, outAmount: amount };
  return { value, end: second + 8 };
}

/** Option<i32>: a byte that says whether four follow; then a u16. */
function impactTerms(amountIn: bigint, data: Uint8Array, at: number): Terms | undefined {
  const tag = data[at];
  if (tag === undefined || tag > 1) return undefined;
  const bpsAt = at + 1 + tag * 4;
  if (data.length < bpsAt + 2) return undefined;
  const view = viewOf(data);
  const activeId = tag === 1 ? view.getInt32(at + 1, true) : undefined;
  const maxPriceImpactBps = view.getUint16(bpsAt, true);
  return { value: { kind: "price-impact", amountIn, activeId, maxPriceImpactBps }, end: bpsAt + 2 };
}

/** A newer argument: slices of { kind u8 (3 carries an index u8), length u8 } name the accounts before the bin arrays. */
function hookAccounts(data: Uint8Array, at: number): number | undefined {
  if (data.length < at + 4) return undefined;
  const slices = viewOf(data).getUint32(at, true);
  if (slices > SLICES_MAX) return undefined;
  let accounts = 0;
  let next = at + 4;
  for (let i = 0; i < slices; i++) {
    next += data[next] === MULTI_REWARD_SLICE ? 2 : 1;
    const length = data[next++];
    if (length === undefined) return undefined;
    accounts += length;
  }
  return accounts;
}

const MULTI_REWARD_SLICE = 3;
/** More than there are kinds: a program that takes each kind once takes no more. */
const SLICES_MAX = 16;

export type DlmmSwapEvent = {
  readonly event: "Swap" | "Swap2Evt";
  readonly lbPair: Address;
  readonly from: Address;
  readonly startBinId: number;
  readonly endBinId: number;
  readonly swapForY: boolean;
  /** What the pair took in and paid out, fees included. */
  readonly amountIn: bigint;
  readonly amountOut: bigint;
  /** All of the fee, the protocol's part of it, and the host's part of that. */
  readonly fee: bigint;
  readonly protocolFee: bigint;
  readonly hostFee: bigint;
};

/** Of the data of a self-sent instruction, or of a log line already out of its base64. */
export function decodeDlmmSwapEvent(data: Uint8Array): Result<DlmmSwapEvent | undefined, SandpiperError> {
  const event = startsWith(data, DLMM_DISCRIMINATOR.eventInstruction) ? data.subarray(HEAD_BYTES) : data;
  const body = event.subarray(HEAD_BYTES);
  if (startsWith(event, DLMM_DISCRIMINATOR.swapEvent))
    return body.length < SWAP_EVENT_BYTES ? refuseEvent("Swap", SWAP_EVENT_BYTES, body) : ok(swapEvent(body));
  if (startsWith(event, DLMM_DISCRIMINATOR.swap2Event))
    return body.length < SWAP2_EVENT_BYTES ? refuseEvent("Swap2Evt", SWAP2_EVENT_BYTES, body) : ok(swap2Event(body));
  return ok(undefined);
}

function swapEvent(body: Uint8Array): DlmmSwapEvent {
  const view = viewOf(body);
  return {
    event: "Swap",
    lbPair: readAddress(body, SWAP_EVENT.lbPair),
    from: readAddress(body, SWAP_EVENT.from),
    startBinId: view.getInt32(SWAP_EVENT.startBinId, true),
    endBinId: view.getInt32(SWAP_EVENT.endBinId, true),
    swapForY: body[SWAP_EVENT.swapForY] !== 0,
    amountIn: readU64(body, SWAP_EVENT.amountIn),
    amountOut: readU64(body, SWAP_EVENT.amountOut),
    fee: readU64(body, SWAP_EVENT.fee),
    protocolFee: readU64(body, SWAP_EVENT.protocolFee),
    hostFee: readU64(body, SWAP_EVENT.hostFee),
  };
}

function swap2Event(body: Uint8Array): DlmmSwapEvent {
  const view = viewOf(body);
  const protocolFee = readU64(body, SWAP2_EVENT.protocolFee);
  const hostFee = readU64(body, SWAP2_EVENT.hostFee);
  return {
    event: "Swap2Evt",
    lbPair: readAddress(body, SWAP2_EVENT.lbPair),
    from: readAddress(body, SWAP2_EVENT.from),
    startBinId: view.getInt32(SWAP2_EVENT.startBinId, true),
    endBinId: view.getInt32(SWAP2_EVENT.endBinId, true),
    swapForY: body[SWAP2_EVENT.swapForY] !== 0,
    amountIn: readU64(body, SWAP2_EVENT.amountIn),
    amountOut: readU64(body, SWAP2_EVENT.amountOut),
    fee: readU64(body, SWAP2_EVENT.mmFee) + readU64(body, SWAP2_EVENT.limitOrderFee) + protocolFee + hostFee,
    protocolFee,
    hostFee,
  };
}

const viewOf = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength);

function refuseInstruction(name: SwapName, want: string, was: string): Result<never, SandpiperError> {
  return err(new SandpiperError(DEX_ERROR.instruction, `Cannot decode DLMM's ${name}: ${want}, was ${was}`));
}

function refuseEvent(name: string, bytes: number, body: Uint8Array): Result<never, SandpiperError> {
  const text = `Cannot decode DLMM's event ${name}: ${bytes} bytes or more, was ${body.length}`;
  return err(new SandpiperError(DEX_ERROR.logLine, text));
}
