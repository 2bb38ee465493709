/**
 * The people who may sign in with a password: a file of names, roles and scrypt hashes (RFC 7914), mode 0600.
 *
 *   {"version": 1, "accounts": [{"name": "admin", "role": "admin", "salt": "…", "hash": "…"}]}
 *
 * The first start makes the account "admin" with a random password, which is shown once and kept nowhere. Operators may
 * sign in with their command key instead (sign-in.ts); that needs no account.
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { existsSync } from "node:fs";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { GATEWAY_ERROR } from "#gateway/errors.ts";

export type Role = "viewer" | "admin";
export type Account = { readonly name: string; readonly role: Role; readonly salt: string; readonly hash: string };

/** N = 2^15, r = 8, p = 1: 32 MiB and some 50 ms a guess. */
const SCRYPT = { N: 32_768, r: 8, p: 1, maxmem: 67_108_864 } as const;
const HASH_BYTES = 32;
const PASSWORD_BYTES = 18;
export const PASSWORD_LENGTH_MAX = 256;

/** The accounts of the file; makes the first one. `show` is called with its password, once in the life of the folder. */
export async function openAccounts(path: string, show: (name: string, password: string) => void): Promise<Accounts> {
  if (!existsSync(path)) {
    const password = randomBytes(PASSWORD_BYTES).toString("base64url");
    const salt = randomBytes(HASH_BYTES).toString("hex");
    const hash = (await hashOf(password, salt)).toString("hex");
    const accounts: readonly Account[] = [{ name: "admin", role: "admin", salt, hash }];
    writeFileAtomic(path, `${JSON.stringify({ version: 1, accounts }, undefined, 2)}\n`, 0o600);
    show("admin", password);
  }
  return new Accounts(readAccounts(path));
}

export class Accounts {
  readonly #byName: ReadonlyMap<string, Account>;

  constructor(accounts: readonly Account[]) {
    this.#byName = new Map(accounts.map((account) => [account.name, account]));
  }

  /** The account when the password is its own. Takes as long for a name that nobody has. */
  async check(name: string, password: string): Promise<Account | undefined> {
    const account = this.#byName.get(name);
    const hash = await hashOf(password, account?.salt ?? "00");
    return account !== undefined && timingSafeEqual(hash, Buffer.from(account.hash, "hex")) ? account : undefined;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }
}

function readAccounts(path: string): readonly Account[] {
  try {
    const { version, accounts } = readJsonFile(path) as { version: unknown; accounts: readonly Account[] };
    if (version !== 1) throw new Error(`version ${String(version)}`);
    for (const { name, role, salt, hash } of accounts)
      if (
        typeof name !== "string" ||
        !["viewer", "admin"].includes(role) ||
        !isHex(salt) ||
        hash.length !== HASH_BYTES * 2 ||
        !isHex(hash)
      )
        throw new Error(`an account without name, role, salt or hash`);
    return accounts;
  } catch (thrown) {
    const text = `Cannot read the accounts ${path}: the file as it was made, was ${errorText(thrown)}`;
    throw new SandpiperError(GATEWAY_ERROR.accounts, text);
  }
}

const isHex = (text: unknown): text is string => typeof text === "string" && /^([0-9a-f]{2})+$/.test(text);

function hashOf(password: string, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    scrypt(password, Buffer.from(salt, "hex"), HASH_BYTES, SCRYPT, (cause, hash) =>
      cause ? reject(cause) : resolve(hash),
    ),
  );
}
