/**
 * The client certificate that tells a leader who we are: self-signed X.509 (RFC 5280) around an Ed25519 key (RFC 8410), as
 * validators make it (solana-tls-utils). Nobody vouches for it; the key is the identity, and its stake the priority.
 */
import type { KeyObject } from "node:crypto";

export type TlsIdentity = { readonly key: KeyObject; readonly certificateDer: Uint8Array };

const SEQUENCE = 0x30;
const ALGORITHM = Buffer.from("300506032b6570", "hex");
const COMMON_NAME = Buffer.from("0603550403", "hex");
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex");
const BASIC_CONSTRAINTS = Buffer.from("0603551d130101ff", "hex");
/** Of the address 0.0.0.0, and "no authority". */
const ANY_ADDRESS = Buffer.from("870400000000", "hex");
const NO_AUTHORITY = Buffer.from("3000", "hex");
const VERSION_3 = Buffer.from("a003020102", "hex");
const SERIAL_1 = Buffer.from("020101", "hex");
const NAME = "Solana node";

/** `publicKeyDer`: the SubjectPublicKeyInfo; `sign`: the signature of the same key. */
export function selfSigned(publicKeyDer: Uint8Array, sign: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from(NAME)))));
  const validity = der(SEQUENCE, der(0x17, Buffer.from("700101000000Z")), der(0x18, Buffer.from("40960101000000Z")));
  const extensions = der(
    0xa3,
    der(
      SEQUENCE,
      der(SEQUENCE, SUBJECT_ALT_NAME, der(0x04, der(SEQUENCE, ANY_ADDRESS))),
      der(SEQUENCE, BASIC_CONSTRAINTS, der(0x04, NO_AUTHORITY)),
    ),
  );
  const body = der(SEQUENCE, VERSION_3, SERIAL_1, ALGORITHM, name, validity, name, publicKeyDer, extensions);
  return der(SEQUENCE, body, ALGORITHM, der(0x03, Uint8Array.of(0), sign(body)));
}

/** A certificate in PEM (RFC 7468). */
export function pemOf(certificateDer: Uint8Array): string {
  const lines =
    Buffer.from(certificateDer)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Tag, length, value. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.of(tag, ...head), value]);
}
