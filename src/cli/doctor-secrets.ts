/** What `sandpiper doctor` says of secrets: where each comes from, and whether it can be had. Never a secret itself. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type LoadedConfig, SECRET_KEYS, type SecretKey } from "#core/config.ts";
import { errorText } from "#core/error.ts";
import { runPaths } from "#core/paths.ts";
import type { Environment } from "#core/secrets/reference.ts";
import { openSecrets } from "#core/secrets/secrets.ts";
import { secretSource } from "#core/secrets/source.ts";
import type { Finding } from "./doctor.ts";

const TODO = "docs/control.md, Secrets";
/** Beside the secrets stand the public keys, which anybody may read. */
const PUBLIC_FILES: readonly string[] = ["control.json", "acks.json"];

export async function secretFindings(loaded: LoadedConfig, environment: Environment): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const key of SECRET_KEYS) {
    const says = sourceOf(loaded, key, environment);
    if (says === undefined) continue;
    const why = await whyNot(loaded, key, environment);
    findings.push(
      why === undefined
        ? { state: "ok", part: key, says, todo: "" }
        : { state: "wrong", part: key, says: `${says}. ${why}`, todo: TODO },
    );
  }
  return [...findings, ...keyFilesFinding(loaded)];
}

function sourceOf(loaded: LoadedConfig, key: SecretKey, environment: Environment): string | undefined {
  const says = secretSource(loaded, key);
  if (says !== undefined || key !== "control.signKey") return says;
  if (environment["CTRL_SIGN_SK_HEX"] !== undefined) return "environment, CTRL_SIGN_SK_HEX (for development only)";
  const { controlSecret } = runPaths(loaded.config.dataDir);
  return existsSync(controlSecret)
    ? `file ${controlSecret}`
    : "nowhere: the API passes on signed commands and signs none";
}

/** Undefined when this one can be had. */
async function whyNot(loaded: LoadedConfig, key: SecretKey, environment: Environment): Promise<string | undefined> {
  try {
    // What signs in to Vault is needed for whatever is kept there.
    const secrets = await openSecrets(loaded, environment, (other) => other === key || other === "vault.secretId");
    await secrets.close();
    return undefined;
  } catch (thrown) {
    return errorText(thrown);
  }
}

function keyFilesFinding({ config }: LoadedConfig): readonly Finding[] {
  const folder = dirname(runPaths(config.dataDir).walletKey);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => !PUBLIC_FILES.includes(name));
  const open = names.filter((name) => (statSync(join(folder, name)).mode & 0o077) !== 0);
  const part = "key files";
  const says = `${names.length} under ${folder}, for their owner alone`;
  if (open.length === 0) return [{ state: "ok", part, says, todo: "" }];
  return [{ state: "wrong", part, says: `${says}, but ${open.join(", ")}`, todo: `chmod 600 ${open.join(" ")}` }];
}
