/**
 * Accounts in the RPC's encodings. `jsonParsed` knows the accounts of the token programs; all others fall back to base64,
 * as Agave does for programs it does not know.
 */
import { base58Decode, base58Encode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import type { AddressBook } from "#execute/svm/address-book.ts";
import { RENT_EPOCH_EXEMPT } from "#execute/svm/machine.ts";
import type { AccountState } from "#sim/cluster/cluster.ts";
import {
  isTokenAccount,
  isTokenProgram,
  mintDecimals,
  readTokenAccount,
  TOKEN_PROGRAM,
  uiTokenAmount,
} from "#sim/cluster/token-balances.ts";
import { invalidParams, RPC_ERROR, RpcError } from "./json-rpc.ts";
import { type Config, choiceOf, wholeAt } from "./params.ts";

const ENCODINGS = ["binary", "base58", "base64", "base64+zstd", "jsonParsed"] as const;
type AccountEncoding = (typeof ENCODINGS)[number];

/** Base58 takes quadratic time; Agave has the same limit. */
const BASE58_BYTES_MAX = 128;
const FILTERS_MAX = 4;
/** Bytes of one memcmp filter. */
const MEMCMP_BYTES_MAX = 128;

export type AccountView = {
  readonly encoding: AccountEncoding;
  readonly slice: { readonly offset: number; readonly length: number } | undefined;
};

/** Everything about an account that its encoding may need. */
export type AccountReader = { readonly book: AddressBook; account(address: Address): AccountState | undefined };

export function accountView(config: Config, fallback: AccountEncoding = "binary"): AccountView {
  const slice = config["dataSlice"] as Config | null | undefined;
  return {
    encoding: choiceOf(config["encoding"], ENCODINGS, fallback),
    slice:
      slice === undefined || slice === null
        ? undefined
        : { offset: wholeAt([slice["offset"]], 0), length: wholeAt([slice["length"]], 0) },
  };
}

export function encodeAccount(state: AccountState, view: AccountView, reader: AccountReader): unknown {
  return {
    data: encodeData(state, view, reader),
    executable: state.executable,
    lamports: state.lamports,
    owner: state.owner,
    rentEpoch: RENT_EPOCH_EXEMPT,
    space: state.data.length,
  };
}

function encodeData(state: AccountState, { encoding, slice }: AccountView, reader: AccountReader): unknown {
  const data = slice === undefined ? state.data : state.data.subarray(slice.offset, slice.offset + slice.length);
  switch (encoding) {
    case "binary":
      return checkedBase58(data);
    case "base58":
      return [checkedBase58(data), encoding];
    case "base64":
      return [Buffer.from(data).toString("base64"), encoding];
    case "base64+zstd":
      return [Buffer.from(Bun.zstdCompressSync(data)).toString("base64"), encoding];
    case "jsonParsed":
      return parsedTokenData(state, reader) ?? [Buffer.from(data).toString("base64"), "base64"];
  }
}

function checkedBase58(data: Uint8Array): string {
  if (data.length > BASE58_BYTES_MAX)
    throw new RpcError(
      RPC_ERROR.invalidRequest,
      `Encoded binary (base 58) data should be less than ${BASE58_BYTES_MAX} bytes, please use Base64 encoding.`,
    );
  return base58Encode(data);
}

const TOKEN_STATES = ["uninitialized", "initialized", "frozen"] as const;

function parsedTokenData(state: AccountState, reader: AccountReader): unknown {
  const { book } = reader;
  if (!isTokenProgram(state.owner)) return undefined;
  const program = state.owner === TOKEN_PROGRAM ? "spl-token" : "spl-token-2022";
  const wrap = (type: string, info: unknown) => ({ program, parsed: { info, type }, space: state.data.length });
  const { data } = state;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const optional = (at: number) => (view.getUint32(at, true) === 1 ? book.text(data, at + 4) : null);
  if (isTokenAccount(state)) {
    const { mint, owner, amount } = readTokenAccount(data, book);
    const decimals = mintDecimals(reader.account(mint));
    if (decimals === undefined) return undefined;
    const isNative = view.getUint32(109, true) === 1;
    const delegate = optional(72);
    const closeAuthority = optional(129);
    return wrap("account", {
      mint,
      owner,
      tokenAmount: uiTokenAmount(amount, decimals),
      ...(delegate === null
        ? {}
        : { delegate, delegatedAmount: uiTokenAmount(view.getBigUint64(121, true), decimals) }),
      state: TOKEN_STATES[data[108] ?? 0],
      isNative,
      ...(isNative ? { rentExemptReserve: uiTokenAmount(view.getBigUint64(113, true), decimals) } : {}),
      ...(closeAuthority === null ? {} : { closeAuthority }),
    });
  }
  const decimals = mintDecimals(state);
  if (decimals === undefined || data[45] !== 1) return undefined;
  return wrap("mint", {
    mintAuthority: optional(0),
    supply: view.getBigUint64(36, true).toString(),
    decimals,
    isInitialized: true,
    freezeAuthority: optional(46),
  });
}

export type AccountFilter = (state: AccountState) => boolean;

/** The filters of getProgramAccounts and programSubscribe; an account must pass all. */
export function accountFilters(value: unknown): AccountFilter {
  if (value === undefined || value === null) return () => true;
  if (!Array.isArray(value)) throw invalidParams("Invalid params: filters: expected a sequence.");
  if (value.length > FILTERS_MAX) throw invalidParams(`Too many filters provided; max ${FILTERS_MAX}`);
  const filters = value.map(accountFilter);
  return (state) => filters.every((passes) => passes(state));
}

function accountFilter(value: unknown): AccountFilter {
  if (value === "tokenAccountState") return isTokenAccount;
  const filter = (typeof value === "object" ? value : null) as Config | null;
  if (filter?.["dataSize"] !== undefined) {
    const bytes = wholeAt([filter["dataSize"]], 0);
    return ({ data }) => data.length === bytes;
  }
  const memcmp = filter?.["memcmp"] as Config | undefined;
  if (memcmp === undefined || memcmp === null) throw invalidParams("Invalid params: unknown filter.");
  const offset = wholeAt([memcmp["offset"] ?? 0], 0);
  const wanted = memcmpBytes(memcmp);
  if (wanted.length > MEMCMP_BYTES_MAX) throw invalidParams("Invalid param: WrongSize");
  return ({ data }) => {
    if (offset + wanted.length > data.length) return false;
    for (let i = 0; i < wanted.length; i++) if (data[offset + i] !== wanted[i]) return false;
    return true;
  };
}

function memcmpBytes(memcmp: Config): Uint8Array {
  const { bytes } = memcmp as { readonly bytes?: unknown };
  if (Array.isArray(bytes)) return Uint8Array.from(bytes as number[]);
  if (typeof bytes !== "string") throw invalidParams("Invalid params: memcmp.bytes: expected a string.");
  if (choiceOf(memcmp["encoding"], ["base58", "base64"], "base58") === "base64") return Buffer.from(bytes, "base64");
  try {
    return base58Decode(bytes);
  } catch {
    throw invalidParams("Invalid param: Invalid");
  }
}
