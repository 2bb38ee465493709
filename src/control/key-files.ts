/**
 * The key files of a data folder. On the first start, and never over anything that is there:
 *
 *   keys/control.json       who may give commands: "operator" everything, "guard" only throttle and kill
 *   keys/control.hex        the operator's secret, with which the API signs; not made when CTRL_PUBKEY_HEX names a key
 *   keys/guard.hex          the guard's secret
 *   keys/ack-<agent>.hex    each agent's secret for its acks
 *   keys/acks.json          their public keys, by agent
 *
 * Who takes control.hex away has an API that passes on signed commands and signs none.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { RunPaths } from "#core/paths.ts";
import { MODULE_NAMES } from "#wire/command.ts";
import { SEED_BYTES, type VerifyingKey, verifyingKey } from "./ed25519.ts";
import { CONTROL_ERROR } from "./errors.ts";
import { type KeySet, keysFromEnvironment, readKeyFile } from "./keys.ts";
import { readSecretKeyFile } from "./sign.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export const OPERATOR_KEY_ID = "operator";
export const GUARD_KEY_ID = "guard";
const GUARD_SCOPES = ["*:throttle", "*:kill"];
/** Processes that answer commands: today one of each module, named after it. */
const AGENTS: readonly string[] = MODULE_NAMES;

/** Makes what is missing. Throws a SandpiperError when a file cannot be written or read. */
export function ensureControlKeys(paths: RunPaths, environment: Environment): void {
  mkdirSync(dirname(paths.controlKeys), { recursive: true });
  chmodSync(dirname(paths.controlKeys), 0o700);
  if (!existsSync(paths.controlKeys)) {
    const keys = [{ id: GUARD_KEY_ID, publicKeyHex: ensureSecret(paths.guardSecret), scopes: GUARD_SCOPES }];
    if (environment["CTRL_PUBKEY_HEX"] === undefined)
      keys.unshift({ id: OPERATOR_KEY_ID, publicKeyHex: ensureSecret(paths.controlSecret), scopes: ["*:*"] });
    writeFileAtomic(paths.controlKeys, `${JSON.stringify({ version: 1, keys }, undefined, 2)}\n`);
  }
  const acks = Object.fromEntries(AGENTS.map((agent) => [agent, ensureSecret(paths.ackSecret(agent))]));
  if (JSON.stringify(readJsonFile(paths.ackKeys)) !== JSON.stringify(acks))
    writeFileAtomic(paths.ackKeys, JSON.stringify(acks));
}

/** The keys of the file and the one of CTRL_PUBKEY_HEX and CTRL_PUBKEY_ID. Throws a SandpiperError when they disagree. */
export function readKeysInForce(path: string, environment: Environment): KeySet {
  const keys = new Map(readKeyFile(path));
  for (const key of keysFromEnvironment(environment)?.values() ?? []) {
    const { publicKeyHex } = key.key;
    const same = [...keys.values()].find((known) => known.id === key.id || known.key.publicKeyHex === publicKeyHex);
    if (same === undefined) keys.set(key.id, key);
    else if (same.id !== key.id || same.key.publicKeyHex !== publicKeyHex)
      throw new SandpiperError(
        CONTROL_ERROR.keyFile,
        `Cannot take CTRL_PUBKEY_HEX beside ${path}: an id and a key that each stand once, was key ${same.id} of the file`,
      );
  }
  return keys;
}

/** The keys that agents sign their acks with, by agent. Throws a SandpiperError when the file cannot be used. */
export function readAckKeys(path: string): ReadonlyMap<string, VerifyingKey> {
  try {
    const entries = Object.entries((readJsonFile(path) ?? {}) as Record<string, string>);
    return new Map(entries.map(([agent, hex]) => [agent, verifyingKey(Buffer.from(hex, "hex"))]));
  } catch (thrown) {
    const text = `Cannot read the ack keys ${path}: public keys by agent, was ${errorText(thrown)}`;
    throw new SandpiperError(CONTROL_ERROR.keyFile, text);
  }
}

/** The public key of a secret file, which is made when it is not there. */
function ensureSecret(path: string): string {
  try {
    const file = openSync(path, "wx", 0o600);
    try {
      writeSync(file, `${randomBytes(SEED_BYTES).toString("hex")}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST")
      throw new SandpiperError(
        CONTROL_ERROR.keyFile,
        `Cannot make the key ${path}: a folder that takes it, was ${errorText(thrown)}`,
        "later",
      );
  }
  return readSecretKeyFile(path).publicKeyHex;
}
