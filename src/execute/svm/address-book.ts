/**
 * Address texts and address bytes, each made once. Base58 costs microseconds and a transaction names the same fifteen
 * accounts as the one before it, so both directions are kept, up to a limit; a full book is emptied, never half right.
 */
import { base58Decode, base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { EXECUTE_ERROR } from "#execute/errors.ts";

export const ADDRESS_BYTES = 32;
/** Addresses kept in each direction: about 10 MB when full. */
const ADDRESSES_MAX = 32_768;

export class AddressBook {
  readonly #textOf = new Map<string, Address>();
  readonly #bytesOf = new Map<string, Uint8Array>();

  /** The address whose 32 bytes begin at `offset`. */
  text(bytes: Uint8Array, offset = 0): Address {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + offset, ADDRESS_BYTES).toString("latin1");
    const known = this.#textOf.get(key);
    if (known !== undefined) return known;
    const text = base58Encode(bytes.subarray(offset, offset + ADDRESS_BYTES)) as Address;
    if (this.#textOf.size >= ADDRESSES_MAX) this.#textOf.clear();
    this.#textOf.set(key, text);
    return text;
  }

  /** The 32 bytes of an address; not to be written to. Throws a SandpiperError when it is none. */
  bytes(address: string): Uint8Array {
    const known = this.#bytesOf.get(address);
    if (known !== undefined) return known;
    const bytes = base58Decode(address);
    if (bytes.length !== ADDRESS_BYTES)
      throw new SandpiperError(
        EXECUTE_ERROR.svmAccount,
        `Cannot read an address: ${ADDRESS_BYTES} bytes in base58, was ${JSON.stringify(address)}`,
      );
    if (this.#bytesOf.size >= ADDRESSES_MAX) this.#bytesOf.clear();
    this.#bytesOf.set(address, bytes);
    return bytes;
  }
}
