/**
 * The secrets of a process: every reference in its configuration, replaced by what it refers to. Where one is kept at
 * Vault, a process that stays keeps its lease alive and looks again and again; when a secret was changed there, it is told,
 * and ends to begin with the new one.
 */
import { type Config, type ConfigKey, type LoadedConfig, SECRET_KEYS } from "#core/config.ts";
import { CORE_ERROR, errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { readConfig } from "#core/read-config.ts";
import { type Environment, parseReference, readLocalSecret, type VaultPlace } from "./reference.ts";
import { VaultSession, vaultSettingsOf } from "./vault.ts";

export type Secrets = {
  readonly config: Config;
  /** Keeps the lease and looks for changes until close(); does nothing where Vault keeps none. */
  watch(log: Log, onChange: (key: ConfigKey) => void): void;
  close(): Promise<void>;
};

/** No look comes sooner after the last one. */
const LOOK_MS_MIN = 1_000;

/** Throws a SandpiperError when a secret cannot be had. `isWanted` leaves out what this process must not know. */
export async function openSecrets(
  loaded: LoadedConfig,
  environment: Environment,
  isWanted: (key: ConfigKey) => boolean = () => true,
): Promise<Secrets> {
  assertNoDevelopmentSources(loaded, environment);
  const values: Record<string, unknown> = { ...loaded.config };
  const atVault = new Map<ConfigKey, VaultPlace>();
  for (const key of SECRET_KEYS) {
    const reference = parseReference(loaded.config[key], key);
    if (!isWanted(key)) values[key] = "";
    else if (reference?.kind === "vault") atVault.set(key, reference.place);
    else if (reference !== undefined) values[key] = readLocalSecret(reference, key, environment);
  }
  if (atVault.size === 0) return { config: values as Config, watch: () => undefined, close: async () => undefined };
  if (atVault.has("vault.secretId"))
    throw new SandpiperError(
      CORE_ERROR.secret,
      "Cannot read secrets from Vault: vault.secretId kept elsewhere, was there",
    );
  const vault = new VaultSession(vaultSettingsOf(loaded.config, String(values["vault.secretId"])));
  for (const [key, place] of atVault) values[key] = await vault.read(place);
  const config = values as Config;
  let timer: Timer | undefined;
  return {
    config,
    watch: (log, onChange) => {
      const look = async () => {
        try {
          await vault.keepAlive();
          for (const [key, place] of atVault) if ((await vault.read(place)) !== config[key]) return onChange(key);
        } catch (thrown) {
          log.warn(`Secrets stay as they were: ${errorText(thrown)}`);
        }
        next();
      };
      const next = () => {
        const untilRenewalMs = vault.renewAtMs - Date.now();
        const waitMs = Math.max(LOOK_MS_MIN, Math.min(config["vault.refreshSeconds"] * 1_000, untilRenewalMs));
        timer = setTimeout(() => void look(), waitMs);
        timer.unref();
      };
      next();
    },
    close: async () => {
      clearTimeout(timer);
      await vault.close();
    },
  };
}

/** The configuration of a command that needs its secrets once. */
export async function readConfigWithSecrets(flags: readonly string[], environment: Environment): Promise<Config> {
  const secrets = await openSecrets(readConfig(flags, environment), environment);
  await secrets.close();
  return secrets.config;
}

/** Whoever sees the process list's environment, a crash report or a child's sees the secret: good enough where nothing is at stake. */
function assertNoDevelopmentSources({ config, origins }: LoadedConfig, environment: Environment): void {
  if (config.mode !== "live") return;
  const refuse = (key: string, where: string): never => {
    throw new SandpiperError(
      CORE_ERROR.secret,
      `Cannot trade live: the secret ${key} from a file, a systemd credential or Vault, was in the environment (${where})`,
    );
  };
  if (environment["CTRL_SIGN_SK_HEX"] !== undefined) refuse("control.signKey", "CTRL_SIGN_SK_HEX");
  for (const key of SECRET_KEYS) {
    const { source, where } = origins[key];
    const isValue = config[key] !== "" && parseReference(config[key], key) === undefined;
    if (isValue && source === "environment") refuse(key, where);
  }
}
