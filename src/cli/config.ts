/** `sandpiper config`: every option, its value, where it came from and what it does. */
import { type ConfigKey, type LoadedConfig, variableOfKey } from "#core/config.ts";
import { CONFIG_SCHEMA } from "#core/config-schema.ts";
import { EXIT_CODE } from "#core/exit-code.ts";

export function printConfig({ config, origins }: LoadedConfig): number {
  for (const key of Object.keys(CONFIG_SCHEMA) as ConfigKey[]) {
    const option = CONFIG_SCHEMA[key] as { about: string; secret?: boolean; low?: number; high?: number };
    const value = config[key];
    const shown = option.secret && value !== "" ? "[hidden]" : JSON.stringify(value);
    const { source, where } = origins[key];
    const range = option.low === undefined ? "" : ` [${option.low} … ${option.high}]`;
    process.stdout.write(`${key} = ${shown}\n    from ${source}${source === "default" ? "" : ` ${where}`}\n`);
    process.stdout.write(`    ${option.about}${range}; ${variableOfKey(key)}\n`);
  }
  return EXIT_CODE.ok;
}
