/**
 * `sandpiper keys new FILE --id ID` makes an operator's secret key and prints the entry for the key file; `sandpiper keys
 * list [FILE]` checks a key file (or CTRL_PUBKEY_HEX and CTRL_PUBKEY_ID) and says what each key may do. A secret is written to its
 * file and nowhere else, and an existing file is never written over.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { SEED_BYTES, signingKey } from "#control/ed25519.ts";
import { type ControlKey, type KeySet, keysFromEnvironment, parseKeys, readKeyFile } from "#control/keys.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { CLI_ERROR } from "./errors.ts";

type Write = (text: string) => void;
type Environment = Readonly<Record<string, string | undefined>>;

export async function runKeys(
  args: readonly string[],
  write: Write = (text) => void process.stdout.write(text),
  environment: Environment = process.env,
): Promise<number> {
  const { positionals, id } = readFlags(args);
  const [name, path, ...more] = positionals;
  if (name === "new" && path !== undefined && id !== undefined && more.length === 0) newKey(path, id, write);
  else if (name === "list" && id === undefined && more.length === 0) listKeys(path, environment, write);
  else throw usage(args.join(" "));
  return EXIT_CODE.ok;
}

function newKey(path: string, id: string, write: Write): void {
  const seed = randomBytes(SEED_BYTES);
  const entry = { id, publicKeyHex: signingKey(seed).publicKeyHex, scopes: ["*:*"] };
  parseKeys({ version: 1, keys: [entry] }, "the new key");
  writeSecret(path, `${seed.toString("hex")}\n`);
  write(`${JSON.stringify(entry)}\n`);
}

function listKeys(path: string | undefined, environment: Environment, write: Write): void {
  const keys: KeySet | undefined = path === undefined ? keysFromEnvironment(environment) : readKeyFile(path);
  if (keys === undefined) throw usage("list without a file, and no CTRL_PUBKEY_HEX");
  for (const key of keys.values()) write(`${describe(key)}\n`);
  write(`${keys.size} ${keys.size === 1 ? "key" : "keys"}\n`);
}

function describe({ id, key, scopes, notBeforeSeconds, notAfterSeconds, revoked }: ControlKey): string {
  const may = scopes.map(({ module, action }) => `${module}:${action}`).join(" ");
  const from = notBeforeSeconds === undefined ? "" : ` from ${timeText(notBeforeSeconds)}`;
  const until = notAfterSeconds === undefined ? "" : ` until ${timeText(notAfterSeconds)}`;
  return `${id}  ${key.publicKeyHex}  ${revoked ? "revoked" : `${may}${from}${until}`}`;
}

const timeText = (seconds: bigint) => new Date(Number(seconds) * 1_000).toISOString().replace(".000", "");

function writeSecret(path: string, text: string): void {
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (thrown) {
    throw new SandpiperError(CLI_ERROR.output, `Cannot write ${path}: a new file, was ${errorText(thrown)}`);
  }
  try {
    writeSync(file, text);
    fsyncSync(file);
  } catch (thrown) {
    rmSync(path, { force: true });
    throw new SandpiperError(CLI_ERROR.output, `Cannot write ${path}: a disk that takes it, was ${errorText(thrown)}`);
  } finally {
    closeSync(file);
  }
}

function readFlags(args: readonly string[]): { readonly positionals: readonly string[]; readonly id?: string } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { id: { type: "string" } },
    });
    return { positionals, ...(values.id === undefined ? {} : { id: values.id }) };
  } catch (thrown) {
    throw usage(errorText(thrown));
  }
}

const usage = (was: string) =>
  new SandpiperError(
    CLI_ERROR.usage,
    `Cannot run keys: "new FILE --id ID" or "list [FILE]", was ${JSON.stringify(was)}`,
  );
