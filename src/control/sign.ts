/**
 * Signing a command, on the operator's machine or in the API. What an agent would refuse for its arguments is not signed:
 * a slip of the pen is told where it is made.
 */
import { readFileSync, statSync } from "node:fs";
import { errorText, SandpiperError } from "#core/error.ts";
import { type Command, encodeCommand, signingBytes } from "#wire/command.ts";
import { readOrder } from "./arguments.ts";
import { SEED_BYTES, type SigningKey, signingKey } from "./ed25519.ts";
import { CONTROL_ERROR } from "./errors.ts";
import { SIGNATURE_ALGORITHM } from "./verify.ts";

export type UnsignedCommand = Omit<Command, "sig" | "pubkeyId" | "sigAlg">;

/** The canonical bytes of the signed command. Throws a SandpiperError when its arguments make no order. */
export function signCommand(unsigned: UnsignedCommand, key: SigningKey, pubkeyId: string): Uint8Array {
  const command: Command = { ...unsigned, sig: new Uint8Array(0), pubkeyId, sigAlg: SIGNATURE_ALGORITHM };
  const order = readOrder(command);
  if (!order.ok)
    throw new SandpiperError(CONTROL_ERROR.sign, order.error.words.replace("Cannot accept", "Cannot sign"));
  return encodeCommand({ ...command, sig: key.sign(signingBytes(command)) });
}

/** Reads a secret key file: 64 hexadecimal digits, mode 0600 or 0400. No secret in its errors. */
export function readSecretKeyFile(path: string): SigningKey {
  let text: string;
  try {
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0)
      throw secretFault(path, "a file that only its owner may read (mode 0600)", `mode 0${(mode & 0o777).toString(8)}`);
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    if (thrown instanceof SandpiperError) throw thrown;
    throw secretFault(path, "a file that can be read", errorText(thrown));
  }
  return secretFromHex(text.trimEnd(), path);
}

/** The seed as hexadecimal digits; `where` names it in errors, which never hold it. */
export function secretFromHex(hex: string, where: string): SigningKey {
  if (hex.length !== SEED_BYTES * 2 || !/^[0-9a-f]+$/i.test(hex))
    throw secretFault(where, `${SEED_BYTES * 2} hexadecimal digits`, `${hex.length} characters of something else`);
  return signingKey(Buffer.from(hex, "hex"));
}

const secretFault = (where: string, want: string, was: string) =>
  new SandpiperError(CONTROL_ERROR.keyFile, `Cannot read the secret key of ${where}: ${want}, was ${was}`);
