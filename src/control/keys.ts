/**
 * The public keys that may give commands. From a key file (JSON, written by people, no secrets in it):
 *
 *   {"version": 1, "keys": [{"id": "ana", "publicKeyHex": "…", "scopes": ["*:*"],
 *     "notBefore": "2026-01-01T00:00:00Z", "notAfter": "2027-01-01T00:00:00Z", "revoked": false}]}
 *
 * or one key from CTRL_PUBKEY_HEX and CTRL_PUBKEY_ID, which may do everything. A scope is module:action, either of them
 * `*`. Rotation: add the new key, give the old one a notAfter, take it out later; revocation: `"revoked": true`. An id and
 * a public key each stand once: the same key under two ids would have two nonce streams, so a command could come twice.
 */
import { readFileSync, statSync } from "node:fs";
import { errorText, SandpiperError } from "#core/error.ts";
import { ACTION_NAMES, type ActionName, MODULE_NAMES, type ModuleName } from "#wire/command.ts";
import { type VerifyingKey, verifyingKey } from "./ed25519.ts";
import { CONTROL_ERROR } from "./errors.ts";

export type Scope = { readonly module: ModuleName | "*"; readonly action: ActionName | "*" };

export type ControlKey = {
  readonly id: string;
  readonly key: VerifyingKey;
  readonly scopes: readonly Scope[];
  /** Unix seconds; both ends belong to the time in force. */
  readonly notBeforeSeconds?: bigint;
  readonly notAfterSeconds?: bigint;
  readonly revoked: boolean;
};
export type KeySet = ReadonlyMap<string, ControlKey>;

const KEYS_MAX = 1_000;
const SCOPES_MAX = 100;
export const KEY_ID_BYTES_MAX = 64;
const KEY_FILE_BYTES_MAX = 1_048_576;
const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const FIELDS = ["id", "publicKeyHex", "scopes", "notBefore", "notAfter", "revoked"];
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

export const EVERY_SCOPE: readonly Scope[] = [{ module: "*", action: "*" }];

export const covers = (scopes: readonly Scope[], module: ModuleName, action: ActionName): boolean =>
  scopes.some((scope) => [module, "*"].includes(scope.module) && [action, "*"].includes(scope.action));

/** Reads a key file. Throws a SandpiperError that names the file, the key and what must hold. */
export function readKeyFile(path: string): KeySet {
  let value: unknown;
  try {
    if (statSync(path).size > KEY_FILE_BYTES_MAX) throw new Error(`more than ${KEY_FILE_BYTES_MAX} bytes`);
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (thrown) {
    throw fault(path, "a JSON file", errorText(thrown));
  }
  return parseKeys(value, path);
}

/** The one key of CTRL_PUBKEY_HEX and CTRL_PUBKEY_ID, or undefined when neither is set. */
export function keysFromEnvironment(environment: Readonly<Record<string, string | undefined>>): KeySet | undefined {
  const { CTRL_PUBKEY_HEX: publicKeyHex, CTRL_PUBKEY_ID: id } = environment;
  if (publicKeyHex === undefined && id === undefined) return undefined;
  return parseKeys({ version: 1, keys: [{ id, publicKeyHex, scopes: ["*:*"] }] }, "CTRL_PUBKEY_HEX and CTRL_PUBKEY_ID");
}

/** Checks the parsed content of a key file; `where` names it in errors. */
export function parseKeys(value: unknown, where: string): KeySet {
  if (!isRecord(value) || value["version"] !== 1 || !Array.isArray(value["keys"]))
    throw fault(where, 'an object {"version": 1, "keys": […]}', "something else");
  const stranger = Object.keys(value).find((name) => name !== "version" && name !== "keys");
  if (stranger !== undefined) throw fault(where, "version and keys", JSON.stringify(stranger));
  const list: readonly unknown[] = value["keys"];
  if (list.length > KEYS_MAX) throw fault(where, `at most ${KEYS_MAX} keys`, `${list.length}`);
  const keys = new Map<string, ControlKey>();
  const publicKeys = new Set<string>();
  for (const [index, item] of list.entries()) {
    const key = parseKey(item, `${where}, key ${index + 1}`);
    if (keys.has(key.id)) throw fault(where, "each id once", `${key.id} twice`);
    if (publicKeys.has(key.key.publicKeyHex)) throw fault(where, "each public key once", `that of ${key.id} twice`);
    keys.set(key.id, key);
    publicKeys.add(key.key.publicKeyHex);
  }
  return keys;
}

function parseKey(item: unknown, where: string): ControlKey {
  if (!isRecord(item)) throw fault(where, "an object", typeof item);
  const stranger = Object.keys(item).find((name) => !FIELDS.includes(name));
  if (stranger !== undefined) throw fault(where, `only ${FIELDS.join(", ")}`, JSON.stringify(stranger));
  const { id, publicKeyHex, scopes, revoked = false } = item;
  if (typeof id !== "string" || !KEY_ID.test(id))
    throw fault(where, "an id of 1 to 64 letters, digits, . _ -", show(id));
  if (typeof publicKeyHex !== "string" || !/^[0-9a-f]{64}$/i.test(publicKeyHex))
    throw fault(where, "publicKeyHex of 64 hexadecimal digits", show(publicKeyHex));
  if (!Array.isArray(scopes) || scopes.length === 0 || scopes.length > SCOPES_MAX)
    throw fault(where, `1 to ${SCOPES_MAX} scopes`, show(scopes));
  if (typeof revoked !== "boolean") throw fault(where, "revoked true or false", show(revoked));
  const notBeforeSeconds = parseTime(item["notBefore"], where);
  const notAfterSeconds = parseTime(item["notAfter"], where);
  return {
    id,
    key: keyOf(publicKeyHex, where),
    scopes: scopes.map((scope) => parseScope(scope, where)),
    revoked,
    ...(notBeforeSeconds === undefined ? {} : { notBeforeSeconds }),
    ...(notAfterSeconds === undefined ? {} : { notAfterSeconds }),
  };
}

function keyOf(publicKeyHex: string, where: string): VerifyingKey {
  try {
    return verifyingKey(Buffer.from(publicKeyHex, "hex"));
  } catch (thrown) {
    throw fault(where, "a public key that may be trusted", errorText(thrown));
  }
}

/** `module:action`, either of them `*`. Throws a SandpiperError that names `where`. */
export function parseScope(value: unknown, where: string): Scope {
  const [module, action, ...more] = typeof value === "string" ? value.split(":") : [];
  const modules: readonly string[] = [...MODULE_NAMES, "*"];
  const actions: readonly string[] = [...ACTION_NAMES, "*"];
  if (
    module === undefined ||
    action === undefined ||
    more.length > 0 ||
    !modules.includes(module) ||
    !actions.includes(action)
  )
    throw fault(where, `a scope module:action (${modules.join(", ")} : ${actions.join(", ")})`, show(value));
  return { module: module as Scope["module"], action: action as Scope["action"] };
}

function parseTime(value: unknown, where: string): bigint | undefined {
  if (value === undefined) return undefined;
  const ms = typeof value === "string" && UTC.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isFinite(ms)) throw fault(where, "a time like 2027-01-01T00:00:00Z", show(value));
  return BigInt(ms / 1_000);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const show = (value: unknown) =>
  value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value).slice(0, 80);
const fault = (where: string, want: string, was: string) =>
  new SandpiperError(CONTROL_ERROR.keyFile, `Cannot read the keys of ${where}: ${want}, was ${was}`);
