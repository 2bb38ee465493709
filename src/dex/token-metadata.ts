/**
 * What a token calls itself: the TokenMetadata extension of a Token-2022 mint (spl-token-metadata-interface), or the account
 * that Metaplex' program derives for a mint (mpl-token-metadata, Metadata). Anybody may call a token anything: a name is
 * for people to read beside the address, never to tell tokens by.
 *
 *   extension 19   0 update authority   32 mint   64 name, symbol, uri: each u32 length, then UTF-8
 *   Metadata       0 key (4)   1 update authority   33 mint   65 the same three, filled up with zeros
 */
import { base58Decode } from "#core/base58.ts";
import type { Address } from "#core/units.ts";
import { readAddress } from "./bytes.ts";
import { derivedAddress } from "./derived-address.ts";
import { mintExtension } from "./transfer-fee.ts";

export const METAPLEX_PROGRAM = "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s" as Address;
export const METADATA_KEY = 4;
const TOKEN_METADATA = 19;
const [NAME_BYTES_MAX, SYMBOL_BYTES_MAX] = [128, 32];

export type TokenName = { readonly name: string; readonly symbol: string };

/** Where Metaplex keeps a mint's metadata. */
export const metaplexAddress = (mint: Address): Address =>
  derivedAddress(["metadata", base58Decode(METAPLEX_PROGRAM), base58Decode(mint)], METAPLEX_PROGRAM);

/** What the bytes of a mint say; undefined when nothing, or something about another mint. */
export function mintName(mint: Address, bytes: Uint8Array): TokenName | undefined {
  const extension = mintExtension(bytes, TOKEN_METADATA);
  return extension === undefined ? undefined : readName(extension, 32, mint);
}

/** What the bytes of a mint's Metaplex account say; undefined when they are none. */
export const metaplexName = (mint: Address, bytes: Uint8Array): TokenName | undefined =>
  bytes[0] === METADATA_KEY ? readName(bytes, 33, mint) : undefined;

function readName(bytes: Uint8Array, mintAt: number, mint: Address): TokenName | undefined {
  if (bytes.length < mintAt + 32 || readAddress(bytes, mintAt) !== mint) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at: number, most: number) => {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (length > most || at + 4 + length > bytes.length) return undefined;
    return { text: cleaned(bytes.subarray(at + 4, at + 4 + length)), end: at + 4 + length };
  };
  const name = text(mintAt + 32, NAME_BYTES_MAX);
  const symbol = name && text(name.end, SYMBOL_BYTES_MAX);
  return symbol === undefined || symbol.text === "" ? undefined : { name: name?.text ?? "", symbol: symbol.text };
}

/** One line: what steers a terminal or turns the direction of reading is not part of a name. */
const cleaned = (bytes: Uint8Array): string =>
  new TextDecoder()
    .decode(bytes)
    .replace(/[\p{C}\p{Zl}\p{Zp}\uFFFD]/gu, "")
    .trim();
