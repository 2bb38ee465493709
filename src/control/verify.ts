/**
 * The agent's own verification of a command: bytes, keys, time and nonces in, the command or a typed refusal out. Pure:
 * it reads no clock and keeps nothing, so a judge asks exactly what an agent asks. Cheap checks stand before dear ones,
 * and nothing that only the issuer may know is looked at before the signature holds.
 *
 *   form ▸ version ▸ algorithm ▸ limits ▸ key known, in force ▸ signature ▸ scope ▸ time ▸ nonce
 *
 * What the arguments ask for is read after that (arguments.ts).
 */
import { errorText } from "#core/error.ts";
import { err, ok, type Result } from "#core/result.ts";
import { COMMAND_SCHEMA_VERSION, type Command, decodeCommand, signingBytes, signingForms } from "#wire/command.ts";
import { SIGNATURE_BYTES } from "./ed25519.ts";
import { type Refusal, refusal } from "./errors.ts";
import { type ControlKey, covers, KEY_ID_BYTES_MAX, type KeySet } from "./keys.ts";

export const SIGNATURE_ALGORITHM = "ed25519-v1";
const REQUEST_ID_BYTES_MAX = 128;
const ISSUER_BYTES_MAX = 128;
const ARGS_MAX = 16;
const ARG_NAME_BYTES_MAX = 64;
const ARG_VALUE_BYTES_MAX = 1_024;

/** How far clocks may differ, and how old a command may become on its way. */
const CLOCK_SKEW_SECONDS = 30n;
const COMMAND_LIFETIME_SECONDS = 120n;

/** The last nonce that was taken from one stream; undefined before the first. */
export type LastNonce = (stream: string) => bigint | undefined;

export type VerifiedCommand = {
  readonly command: Command;
  /** The canonical bytes that were signed: the identity of the command, whoever signs it. */
  readonly signed: Uint8Array;
  readonly key: ControlKey;
  /** Where its nonce counts. */
  readonly stream: string;
};

export function verifyCommand(
  bytes: Uint8Array,
  keys: KeySet,
  nowSeconds: bigint,
  lastNonce: LastNonce,
): Result<VerifiedCommand, Refusal> {
  let command: Command;
  try {
    command = decodeCommand(bytes);
  } catch (thrown) {
    return err(refusal("malformed", "a canonical ctrl-v1 command", `refused: ${errorText(thrown)}`));
  }
  const unsound = formFault(command);
  if (unsound !== undefined) return err(unsound);
  const key = keys.get(command.pubkeyId);
  if (key === undefined) return err(refusal("unknownKey", "a key of the key set", JSON.stringify(command.pubkeyId)));
  const signed = signingBytes(command);
  if (!signingForms(command).some((form) => key.key.verifies(form, command.sig)))
    return err(refusal("signature", `a signature of key ${key.id} over this command`, "another"));
  const stream = nonceStream(key, command.issuer);
  const fault = keyFault(command, key, nowSeconds) ?? freshnessFault(command, nowSeconds, lastNonce(stream));
  return fault === undefined ? ok({ command, signed, key, stream }) : err(fault);
}

/**
 * A stream of nonces belongs to an issuer under one public key: the issuer's name is only a claim, and a key must not be
 * able to use up another's numbers. By the key itself, not its id, so that a renamed key remembers.
 */
const nonceStream = ({ key }: ControlKey, issuer: string): string => `${key.publicKeyHex}/${issuer}`;

function formFault(command: Command): Refusal | undefined {
  const { schemaVersion, sigAlg, sig } = command;
  if (schemaVersion !== COMMAND_SCHEMA_VERSION)
    return refusal("schemaVersion", `schema ${COMMAND_SCHEMA_VERSION}`, JSON.stringify(schemaVersion.slice(0, 40)));
  if (sigAlg !== SIGNATURE_ALGORITHM)
    return refusal("algorithm", `algorithm ${SIGNATURE_ALGORITHM}`, JSON.stringify(sigAlg.slice(0, 40)));
  if (sig.length !== SIGNATURE_BYTES)
    return refusal("signature", `a signature of ${SIGNATURE_BYTES} bytes`, `${sig.length} bytes`);
  return fieldFault(command);
}

function fieldFault({ pubkeyId, requestId, issuer, args }: Command): Refusal | undefined {
  const texts = [
    ["pubkey_id", pubkeyId, KEY_ID_BYTES_MAX],
    ["request_id", requestId, REQUEST_ID_BYTES_MAX],
    ["issuer", issuer, ISSUER_BYTES_MAX],
  ] as const;
  for (const [name, text, bytesMax] of texts) {
    const bytes = Buffer.byteLength(text);
    if (bytes < 1 || bytes > bytesMax) return refusal("field", `${name} of 1 to ${bytesMax} bytes`, `${bytes}`);
  }
  if (args.size > ARGS_MAX) return refusal("field", `at most ${ARGS_MAX} arguments`, `${args.size}`);
  for (const [name, value] of args) {
    const nameBytes = Buffer.byteLength(name);
    const valueBytes = Buffer.byteLength(value);
    if (nameBytes > ARG_NAME_BYTES_MAX)
      return refusal("field", `argument names of at most ${ARG_NAME_BYTES_MAX} bytes`, `${nameBytes}`);
    if (valueBytes > ARG_VALUE_BYTES_MAX)
      return refusal("field", `arguments of at most ${ARG_VALUE_BYTES_MAX} bytes`, `${valueBytes}`);
  }
  return undefined;
}

function keyFault({ module, action }: Command, key: ControlKey, nowSeconds: bigint): Refusal | undefined {
  const { notBeforeSeconds: from, notAfterSeconds: until } = key;
  if (key.revoked) return refusal("revokedKey", "a key that is not revoked", key.id);
  if ((from !== undefined && nowSeconds < from) || (until !== undefined && nowSeconds > until))
    return refusal("keyNotInForce", `key ${key.id} from ${from ?? "ever"} to ${until ?? "ever"}`, `${nowSeconds}`);
  return covers(key.scopes, module, action)
    ? undefined
    : refusal("scope", `an action in the scope of key ${key.id}`, `${module}:${action}`);
}

function freshnessFault(command: Command, nowSeconds: bigint, last: bigint | undefined): Refusal | undefined {
  const { tsSeconds, nonce } = command;
  if (tsSeconds > nowSeconds + CLOCK_SKEW_SECONDS)
    return refusal("ahead", `ts at most ${CLOCK_SKEW_SECONDS} s ahead of ${nowSeconds}`, `${tsSeconds}`);
  if (tsSeconds + COMMAND_LIFETIME_SECONDS + CLOCK_SKEW_SECONDS < nowSeconds)
    return refusal("expired", `ts within ${COMMAND_LIFETIME_SECONDS} s of ${nowSeconds}`, `${tsSeconds}`);
  // Without one the issuer could never send a second command, and 0 is not even on the wire.
  if (nonce === 0n || (last !== undefined && nonce <= last))
    return refusal("nonce", `a nonce above ${last ?? 0n}`, `${nonce}`);
  return undefined;
}
