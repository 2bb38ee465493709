/**
 * What the log says of itself, signed: https://c2sp.org/tlog-checkpoint.
 *
 *   origin\n  size in decimal\n  base64 of the root\n  (more lines, which are passed over)
 */
import { SandpiperError } from "#core/error.ts";
import { LEDGER_ERROR } from "./errors.ts";
import { HASH_BYTES } from "./hash.ts";
import { type NoteSigner, type NoteVerifier, openNote } from "./note.ts";

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array };

/** The note; the origin is the name of the signing key. */
export function signCheckpoint(size: number, root: Uint8Array, signer: NoteSigner): string {
  return signer.sign(`${signer.verifier.name}\n${size}\n${Buffer.from(root).toString("base64")}\n`);
}

/** Throws unless the trusted key signed it for its own origin. */
export function openCheckpoint(note: Uint8Array, trusted: NoteVerifier): Checkpoint {
  const [origin, sizeText, rootText] = openNote(note, trusted).split("\n");
  const size = /^(0|[1-9][0-9]{0,15})$/.test(sizeText ?? "") ? Number(sizeText) : Number.NaN;
  const root = Buffer.from(rootText ?? "", "base64");
  if (!Number.isSafeInteger(size) || root.length !== HASH_BYTES || root.toString("base64") !== rootText)
    return refuse("origin, size and root", "other lines");
  return origin === trusted.name ? { origin, size, root } : refuse(`origin ${trusted.name}`, `${origin}`);
}

function refuse(want: string, was: string): never {
  throw new SandpiperError(LEDGER_ERROR.checkpoint, `Cannot read the checkpoint: ${want}, was ${was}`);
}
