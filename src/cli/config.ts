/** `sandpiper config`: every option, its value, where it came from and what it does. */
import { type ConfigKey, type LoadedConfig, SECRET_KEYS, type SecretKey, variableOfKey } from "#core/config.ts";
import { CONFIG_SCHEMA } from "#core/config-schema.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { secretSource } from "#core/secrets/source.ts";

/** A secret is shown by where it is kept, never by its value. */
export function printConfig(loaded: LoadedConfig): number {
  const { config, origins } = loaded;
  for (const key of Object.keys(CONFIG_SCHEMA) as ConfigKey[]) {
    const option = CONFIG_SCHEMA[key] as { about: string; low?: number; high?: number };
    const value = config[key];
    const shown = JSON.stringify(value);
    const { source, where } = origins[key];
    const range = option.low === undefined ? "" : ` [${option.low} … ${option.high}]`;
    const kept = isSecretKey(key) ? secretSource(loaded, key) : undefined;
    if (kept !== undefined) {
      process.stdout.write(`${key} = [hidden]\n    from ${kept}\n    ${option.about}; ${variableOfKey(key)}\n`);
      continue;
    }
    process.stdout.write(`${key} = ${shown}\n    from ${source}${source === "default" ? "" : ` ${where}`}\n`);
    process.stdout.write(`    ${option.about}${range}; ${variableOfKey(key)}\n`);
  }
  return EXIT_CODE.ok;
}

const isSecretKey = (key: ConfigKey): key is SecretKey => (SECRET_KEYS as readonly ConfigKey[]).includes(key);
