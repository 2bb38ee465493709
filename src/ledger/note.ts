/**
 * Signed notes, the format of golang.org/x/mod/sumdb/note: text that ends in a line feed, an empty line, one line per
 * signature.
 *
 *   text…\n
 *   \n
 *   — name base64(key hash, 4 bytes ‖ Ed25519 signature over the text, 64 bytes)\n
 *
 *   verifier key   name+hash+base64(1 ‖ public key)               hash: first 4 bytes of SHA-256(name ‖ \n ‖ 1 ‖ public key)
 *   signer key     PRIVATE+KEY+name+hash+base64(1 ‖ seed)
 *
 * Opening follows the original: signatures of keys that nobody asked about are passed over, a signature under the trusted
 * key's name and hash must be right, and at least one must be there.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from "node:crypto";
import { SandpiperError } from "#core/error.ts";
import { LEDGER_ERROR } from "./errors.ts";

const ED25519 = 1;
const KEY_BYTES = 32;
const HASH_BYTES = 4;
const SIGNATURE_BYTES = 64;
const NOTE_BYTES_MAX = 1_000_000;
const SIGNATURES_MAX = 100;
/** RFC 8410: what DER puts before the 32 bytes of a private and of a public key. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const PRIVATE = "PRIVATE+KEY+";

export type NoteVerifier = {
  readonly name: string;
  readonly hash: string;
  readonly key: KeyObject;
  readonly text: string;
};
export type NoteSigner = { readonly verifier: NoteVerifier; sign(text: string): string };

/** A new key as text. A secret: keep it in a file of mode 0600. */
export function generateSignerKey(name: string): string {
  const seed = randomBytes(KEY_BYTES);
  const { hash } = verifierOf(name, publicKeyOf(privateKeyOf(seed)));
  return `${PRIVATE}${name}+${hash}+${Buffer.concat([Uint8Array.of(ED25519), seed]).toString("base64")}`;
}

export function readSignerKey(text: string): NoteSigner {
  const { name, hash, key } = readKey(text.startsWith(PRIVATE) ? text.slice(PRIVATE.length) : "", "signer");
  const secret = privateKeyOf(key);
  const verifier = verifierOf(name, publicKeyOf(secret));
  if (verifier.hash !== hash) refuseKey("signer", "the hash of its key");
  return { verifier, sign: (note) => signNote(note, verifier, secret) };
}

export function readVerifierKey(text: string): NoteVerifier {
  const { name, hash, key } = readKey(text, "verifier");
  const verifier = verifierOf(name, key);
  if (verifier.hash !== hash) refuseKey("verifier", "the hash of its key");
  return verifier;
}

/** The text of the note, once the trusted key's signature was found right. */
export function openNote(note: Uint8Array, trusted: NoteVerifier): string {
  if (note.length > NOTE_BYTES_MAX) refuseNote(`at most ${NOTE_BYTES_MAX} bytes`);
  const whole = decodeText(note);
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n")) refuseNote("text, an empty line and signatures");
  const text = whole.slice(0, split + 1);
  const lines = whole.slice(split + 2, -1).split("\n");
  if (lines.length > SIGNATURES_MAX) refuseNote(`at most ${SIGNATURES_MAX} signatures`);
  let signed = false;
  for (const { name, bytes } of lines.map(readSignature)) {
    if (name !== trusted.name || bytes.toString("hex", 0, HASH_BYTES) !== trusted.hash) continue;
    const signature = bytes.subarray(HASH_BYTES);
    if (signature.length !== SIGNATURE_BYTES || !verify(null, Buffer.from(text), trusted.key, signature))
      refuseNote(`a right signature of ${trusted.name}`);
    signed = true;
  }
  return signed ? text : refuseNote(`a signature of ${trusted.name}+${trusted.hash}`);
}

function signNote(text: string, { name, hash }: NoteVerifier, secret: KeyObject): string {
  const signature = sign(null, Buffer.from(text), secret);
  return `${text}\n— ${name} ${Buffer.concat([Buffer.from(hash, "hex"), signature]).toString("base64")}\n`;
}

function readSignature(line: string): { name: string; bytes: Buffer } {
  const [, name, base64] = /^— (\S+) (\S+)$/u.exec(line) ?? [];
  const bytes = base64 === undefined ? undefined : fromBase64(base64);
  if (name === undefined || !isName(name) || bytes === undefined || bytes.length <= HASH_BYTES)
    return refuseNote("signature lines");
  return { name, bytes };
}

function readKey(text: string, what: string): { name: string; hash: string; key: Buffer } {
  const [, name, hash, base64] = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(text.trimEnd()) ?? [];
  const bytes = base64 === undefined ? undefined : fromBase64(base64);
  if (
    name === undefined ||
    hash === undefined ||
    !isName(name) ||
    bytes?.length !== 1 + KEY_BYTES ||
    bytes[0] !== ED25519
  )
    return refuseKey(what, "name+hash+base64 of an Ed25519 key");
  return { name, hash, key: bytes.subarray(1) };
}

function verifierOf(name: string, publicKey: Buffer): NoteVerifier {
  if (!isName(name)) refuseKey("name", "neither white space nor +");
  const typed = Buffer.concat([Uint8Array.of(ED25519), publicKey]);
  const hash = createHash("sha256")
    .update(`${name}\n`)
    .update(typed)
    .digest("hex")
    .slice(0, 2 * HASH_BYTES);
  const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: "der", type: "spki" });
  return { name, hash, key, text: `${name}+${hash}+${typed.toString("base64")}` };
}

const privateKeyOf = (seed: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: "der", type: "pkcs8" });

const publicKeyOf = (secret: KeyObject): Buffer =>
  createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(SPKI.length);

const isName = (name: string): boolean => /^[^\s+\p{Z}\p{C}]+$/u.test(name);

function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** UTF-8 without control characters but the line feed. */
function decodeText(note: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(note);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    return /[\x00-\x09\x0b-\x1f]/.test(text) ? refuseNote("no control characters") : text;
  } catch (cause) {
    if (cause instanceof SandpiperError) throw cause;
    return refuseNote("UTF-8");
  }
}

function refuseKey(what: string, want: string): never {
  throw new SandpiperError(LEDGER_ERROR.key, `Cannot read the ${what} key: ${want}, was something else`);
}

function refuseNote(want: string): never {
  throw new SandpiperError(LEDGER_ERROR.checkpoint, `Cannot open the signed note: ${want}, was something else`);
}
