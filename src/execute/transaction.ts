/**
 * A signed transaction as it goes over the wire: compact-u16 n, n × 64-byte signatures, then the message they sign.
 * Signature i belongs to account i of the message.
 */
import { base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { Signature } from "#core/units.ts";
import { EXECUTE_ERROR } from "./errors.ts";
import type { Keypair } from "./keypair.ts";
import { compactBytes, writeCompact } from "./message.ts";

/** One IPv6 packet without its headers: 1280 - 40 - 8. */
export const TRANSACTION_BYTES_MAX = 1_232;
const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;

/** What a message takes with its signatures. */
export function transactionBytes(message: Uint8Array): number {
  const count = message[1] ?? 0;
  return compactBytes(count) + count * SIGNATURE_BYTES + message.length;
}

/** Throws a SandpiperError when a required signer is missing or the result is over 1,232 bytes. */
export function signTransaction(message: Uint8Array, signers: readonly Keypair[]): Uint8Array {
  const count = message[1] ?? 0;
  const keysAt = 4 + compactBytes(message[4] ?? 0);
  const bytes = transactionBytes(message);
  const messageAt = bytes - message.length;
  if (bytes > TRANSACTION_BYTES_MAX)
    throw new SandpiperError(
      EXECUTE_ERROR.transactionSize,
      `Cannot sign a transaction: at most ${TRANSACTION_BYTES_MAX} bytes, was ${bytes}`,
    );
  const wire = new Uint8Array(bytes);
  let at = writeCompact(wire, 0, count);
  for (let i = 0; i < count; i++) {
    const from = keysAt + i * KEY_BYTES;
    const signer = signers.find(({ publicKey }) => publicKey.every((byte, j) => byte === message[from + j]));
    if (signer === undefined)
      throw new SandpiperError(
        EXECUTE_ERROR.signers,
        `Cannot sign a transaction: the key of ${base58Encode(message.subarray(from, from + KEY_BYTES))}, was not among ${signers.length} given`,
      );
    wire.set(signer.sign(message), at);
    at += SIGNATURE_BYTES;
  }
  wire.set(message, messageAt);
  return wire;
}

/** The first signature, by which the cluster knows the transaction. */
export function signatureOf(wire: Uint8Array): Signature {
  const at = compactBytes(wire[0] ?? 0);
  if ((wire[0] ?? 0) === 0 || wire.length < at + SIGNATURE_BYTES)
    throw new SandpiperError(
      EXECUTE_ERROR.signers,
      `Cannot read a signature: a signed transaction, was ${wire.length} bytes without one`,
    );
  return base58Encode(wire.subarray(at, at + SIGNATURE_BYTES)) as Signature;
}
