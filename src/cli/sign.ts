/**
 * `sandpiper sign MODULE:ACTION [name=value …]`: a signed command as text, made where the secret key is. The key comes from a
 * file that only its owner may read (`--key FILE`), or in development from CTRL_SIGN_SK_HEX; it is never printed. The
 * nonce is the time in microseconds, or one above the last that was used: `FILE.nonces` beside the key remembers it, so a clock
 * that steps back gives no command that the agents refuse.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { nextNonce } from "#control/commander.ts";
import type { SigningKey } from "#control/ed25519.ts";
import { parseScope } from "#control/keys.ts";
import { NonceFile } from "#control/nonces.ts";
import { readSecretKeyFile, secretFromHex, signCommand } from "#control/sign.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { COMMAND_SCHEMA_VERSION } from "#wire/command.ts";
import { CLI_ERROR } from "./errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;
export type SignSurroundings = {
  readonly write: (text: string) => void;
  readonly environment: Environment;
  readonly wallNs: () => bigint;
};

const USAGE =
  '"MODULE:ACTION [name=value …] --issuer NAME [--key FILE] [--id ID] [--request-id ID] [--nonce N] [--ts SECONDS] [--format hex|base64]"';

export async function runSign(
  args: readonly string[],
  { write, environment, wallNs }: SignSurroundings = {
    write: (text) => void process.stdout.write(text),
    environment: process.env,
    wallNs: () => createSystemClock().wallNs(),
  },
): Promise<number> {
  const { positionals, values } = readFlags(args);
  const [target, ...pairs] = positionals;
  const { module, action } = parseScope(target, "the command line");
  if (module === "*" || action === "*") throw usage("* as module or action");
  const { format = "hex", issuer, key: keyPath } = values;
  if (format !== "hex" && format !== "base64") throw usage(`--format ${format}`);
  const pubkeyId = values.id ?? environment["CTRL_PUBKEY_ID"];
  if (issuer === undefined || pubkeyId === undefined) throw usage("no --issuer, or neither --id nor CTRL_PUBKEY_ID");
  const key = readKey(keyPath, environment);
  const nowNs = wallNs();
  const unsigned = {
    tsSeconds: values.ts === undefined ? nowNs / 1_000_000_000n : whole("--ts", values.ts),
    module,
    action,
    args: readPairs(pairs),
    requestId: values["request-id"] ?? randomUUID(),
    issuer,
    schemaVersion: COMMAND_SCHEMA_VERSION,
  };
  // Signed once to find what is wrong with it before a number is used up.
  signCommand({ ...unsigned, nonce: 1n }, key, pubkeyId);
  const nonce = values.nonce === undefined ? takeNonce(keyPath, issuer, nowNs) : whole("--nonce", values.nonce);
  const bytes = signCommand({ ...unsigned, nonce }, key, pubkeyId);
  write(`${Buffer.from(bytes).toString(format)}\n`);
  return EXIT_CODE.ok;
}

function readKey(path: string | undefined, environment: Environment): SigningKey {
  const hex = environment["CTRL_SIGN_SK_HEX"];
  if (path !== undefined) return readSecretKeyFile(path);
  if (hex === undefined) throw usage("neither --key nor CTRL_SIGN_SK_HEX");
  return secretFromHex(hex, "CTRL_SIGN_SK_HEX");
}

function takeNonce(keyPath: string | undefined, issuer: string, nowNs: bigint): bigint {
  if (keyPath === undefined) return nowNs / 1_000n;
  const nonces = new NonceFile(`${keyPath}.nonces`);
  try {
    return nextNonce(nonces, issuer, nowNs);
  } finally {
    nonces.close();
  }
}

function readPairs(pairs: readonly string[]): ReadonlyMap<string, string> {
  const args = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1 || args.has(pair.slice(0, at))) throw usage(pair);
    args.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return args;
}

function whole(flag: string, text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw usage(`${flag} ${text}`);
  return BigInt(text);
}

function readFlags(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { issuer: text, key: text, id: text, "request-id": text, nonce: text, ts: text, format: text };
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (thrown) {
    throw usage(errorText(thrown));
  }
}

const usage = (was: string) => new SandpiperError(CLI_ERROR.usage, `Cannot sign: ${USAGE}, was ${JSON.stringify(was)}`);
