/**
 * Where a secret option may say its value is kept, instead of saying the value:
 *
 *   file:/run/secrets/kafka        the text of a file that only its owner may read
 *   credential:kafka.saslPassword  a credential of this service, by systemd (LoadCredential=, $CREDENTIALS_DIRECTORY)
 *   vault:secret/sandpiper#kafka   field kafka of sandpiper under the KV v2 engine at secret/ (HashiCorp Vault, OpenBao)
 *
 * A credential that has the name of a secret option needs no reference at all.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CORE_ERROR, errorText, SandpiperError } from "#core/error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;
export type VaultPlace = { readonly mount: string; readonly path: string; readonly field: string };
export type Reference =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "credential"; readonly name: string }
  | { readonly kind: "vault"; readonly place: VaultPlace };

/** Longest secret: a URL with a key, or a PEM file. */
const SECRET_BYTES_MAX = 65_536;

/** Undefined when the text is a value, not a place. Throws a SandpiperError for a place that can be none. */
export function parseReference(text: string, option: string): Reference | undefined {
  const [scheme, rest] = splitAt(text, ":");
  if (scheme === "file")
    return { kind: "file", path: rest === "" ? refuse(option, "a path after file:", "none") : rest };
  if (scheme === "credential") {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(rest)) refuse(option, "a credential's name", JSON.stringify(rest));
    return { kind: "credential", name: rest };
  }
  if (scheme !== "vault") return undefined;
  const [where, field] = splitAt(rest, "#");
  const [mount, path] = splitAt(where, "/");
  const parts = [mount, ...path.split("/")];
  if (field === "" || parts.some((part) => !/^[A-Za-z0-9._-]+$/.test(part) || /^\.+$/.test(part)))
    refuse(option, "vault:MOUNT/PATH#FIELD", JSON.stringify(rest));
  return { kind: "vault", place: { mount, path, field } };
}

/** Where the credentials of this service are, or undefined outside of one. */
const credentialsFolder = (environment: Environment): string | undefined =>
  environment["CREDENTIALS_DIRECTORY"] || undefined;

export function hasCredential(name: string, environment: Environment): boolean {
  const folder = credentialsFolder(environment);
  return folder !== undefined && existsSync(join(folder, name));
}

/** The secret of a file or a credential, without its last line feed. Throws a SandpiperError, which never holds it. */
export function readLocalSecret(
  reference: Exclude<Reference, { kind: "vault" }>,
  option: string,
  environment: Environment,
): string {
  if (reference.kind === "file") {
    assertOwn(reference.path, option);
    return readSecretFile(reference.path, option);
  }
  const folder = credentialsFolder(environment);
  if (folder === undefined)
    return refuse(option, "a service with credentials (CREDENTIALS_DIRECTORY)", "a process without them");
  // systemd sees to its access itself, with an access list that a mode shows as readable by a group.
  return readSecretFile(join(folder, reference.name), option);
}

function assertOwn(path: string, option: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o077) !== 0)
    refuse(option, `${path} for its owner alone (mode 0600 or 0400)`, `mode 0${(mode & 0o777).toString(8)}`);
}

function readSecretFile(path: string, option: string): string {
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > SECRET_BYTES_MAX) refuse(option, `${path} of at most ${SECRET_BYTES_MAX} bytes`, `${size}`);
    text = readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (thrown) {
    if (thrown instanceof SandpiperError) throw thrown;
    return refuse(option, `${path} as a file that can be read`, errorText(thrown));
  }
  return text === "" ? refuse(option, `a secret in ${path}`, "an empty file") : text;
}

function splitAt(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function refuse(option: string, want: string, was: string): never {
  throw new SandpiperError(CORE_ERROR.secret, `Cannot read the secret ${option}: ${want}, was ${was}`);
}
