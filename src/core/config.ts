/**
 * Reads the configuration: defaults, then sandpiper.toml, then systemd's credentials (secrets alone), then SANDPIPER_*
 * variables, then flags; the later wins. Every value remembers where it came from. An unknown key, a wrong type or a value out of range is an error that names the
 * key and its source.
 */
import { CONFIG_SCHEMA, type Config, type ConfigKey } from "./config-schema.ts";
import { CORE_ERROR, SandpiperError } from "./error.ts";

export type { Config, ConfigKey } from "./config-schema.ts";

type ConfigSource = "default" | "file" | "credential" | "environment" | "flag";
type ConfigOrigin = { readonly source: ConfigSource; readonly where: string };
export type LoadedConfig = {
  readonly config: Config;
  readonly origins: Readonly<Record<ConfigKey, ConfigOrigin>>;
};

/** Every secret is text. */
export type SecretKey = { [K in ConfigKey]: Config[K] extends string ? K : never }[ConfigKey];

export type ConfigInputs = {
  /** The parsed file, if there is one, and its path. */
  readonly file?: { readonly path: string; readonly values: unknown };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Secret options of which a systemd credential of the same name is there. */
  readonly credentials?: readonly SecretKey[];
  /** `--key value` or `--key=value`; `--config` is taken out before. */
  readonly flags: readonly string[];
};

/** Options that hold secrets. Their values may be references (secrets/reference.ts) until openSecrets() has read them. */
export const SECRET_KEYS = (Object.keys(CONFIG_SCHEMA) as ConfigKey[]).filter(
  (key) => (CONFIG_SCHEMA[key] as { secret?: boolean }).secret === true,
) as readonly SecretKey[];

/** SANDPIPER_ variables that are no options: which file to read, and what a supervisor tells its children. */
const NOT_OPTIONS = new Set(["SANDPIPER_CONFIG", "SANDPIPER_RUN_ID", "SANDPIPER_PLACE", "SANDPIPER_SHARED_DATA"]);

/** Merges the sources. Throws a SandpiperError with one line for people. */
export function loadConfig(inputs: ConfigInputs): LoadedConfig {
  const values: Record<string, unknown> = {};
  const origins: Record<string, ConfigOrigin> = {};
  for (const [key, option] of Object.entries(CONFIG_SCHEMA)) {
    values[key] = option.fallback;
    origins[key] = { source: "default", where: "built in" };
  }
  const set = (key: string, raw: unknown, origin: ConfigOrigin) => {
    if (!isConfigKey(key)) refuse(`Cannot read ${origin.where}: a known key, was ${key}${nearest(key)}`);
    values[key] = parseValue(key, raw, origin.where);
    origins[key] = origin;
  };
  if (inputs.file) {
    const where = inputs.file.path;
    for (const [key, raw] of flatten(inputs.file.values)) set(key, raw, { source: "file", where });
  }
  for (const key of inputs.credentials ?? []) set(key, `credential:${key}`, { source: "credential", where: key });
  for (const [name, raw] of Object.entries(inputs.environment)) {
    if (!name.startsWith("SANDPIPER_") || raw === undefined || NOT_OPTIONS.has(name)) continue;
    set(keyOfVariable(name) ?? name, raw, { source: "environment", where: name });
  }
  for (const [key, raw] of flagPairs(inputs.flags)) set(key, raw, { source: "flag", where: `--${key}` });
  return { config: values as Config, origins: origins as Record<ConfigKey, ConfigOrigin> };
}

/** SANDPIPER_ARBITRAGE_EV_MIN_LAMPORTS for arbitrage.evMinLamports. */
export function variableOfKey(key: ConfigKey): string {
  return `SANDPIPER_${key
    .replaceAll(".", "_")
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_")
    .toUpperCase()}`;
}

function keyOfVariable(name: string): ConfigKey | undefined {
  return (Object.keys(CONFIG_SCHEMA) as ConfigKey[]).find((key) => variableOfKey(key) === name);
}

function isConfigKey(key: string): key is ConfigKey {
  return Object.hasOwn(CONFIG_SCHEMA, key);
}

function refuse(message: string): never {
  throw new SandpiperError(CORE_ERROR.config, message);
}

function nearest(key: string): string {
  const tail = key.split(".").at(-1)?.toLowerCase() ?? "";
  const found = Object.keys(CONFIG_SCHEMA).find((known) => known.toLowerCase().endsWith(tail));
  return tail !== "" && found ? ` (did you mean ${found}?)` : "";
}

function flatten(values: unknown, prefix = ""): [string, unknown][] {
  if (typeof values !== "object" || values === null || Array.isArray(values)) return [[prefix, values]];
  return Object.entries(values).flatMap(([name, value]) => flatten(value, prefix === "" ? name : `${prefix}.${name}`));
}

function flagPairs(flags: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] as string;
    if (!flag.startsWith("--")) refuse(`Cannot read the command line: a flag like --mode, was ${flag}`);
    const [key, inline] = splitOnce(flag.slice(2), "=");
    const value = inline ?? flags[++i];
    if (value === undefined) refuse(`Cannot read --${key}: a value after it, was nothing`);
    pairs.push([key, value]);
  }
  return pairs;
}

function splitOnce(value: string, separator: string): [string, string | undefined] {
  const at = value.indexOf(separator);
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

function parseValue(key: ConfigKey, raw: unknown, where: string): unknown {
  const option: (typeof CONFIG_SCHEMA)[ConfigKey] & { low?: number; high?: number; choices?: readonly string[] } =
    CONFIG_SCHEMA[key];
  const wrong = (want: string) => refuse(`Cannot set ${key} from ${where}: ${want}, was ${JSON.stringify(raw)}`);
  const numeric = (value: unknown): number => {
    const text = typeof value === "number" ? String(value) : value;
    const parsed = typeof text === "string" && text.trim() !== "" ? Number(text.replaceAll("_", "")) : Number.NaN;
    const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = option;
    if (!Number.isFinite(parsed) || parsed < low || parsed > high) return wrong(`a number from ${low} to ${high}`);
    return parsed;
  };
  const wholeNumber = (value: unknown): number => {
    const parsed = numeric(value);
    return Number.isSafeInteger(parsed) ? parsed : wrong("a whole number");
  };
  switch (option.kind) {
    case "text":
      return typeof raw === "string" ? raw : wrong("text");
    case "number":
      return numeric(raw);
    case "whole":
      return wholeNumber(raw);
    case "choice":
      return option.choices?.includes(String(raw)) ? String(raw) : wrong(`one of ${option.choices?.join(", ")}`);
    case "wholes": {
      const list = (Array.isArray(raw) ? raw : String(raw).split(",")).map(wholeNumber);
      const ascending = list.every((value, i) => i === 0 || value > (list[i - 1] as number));
      return list.length > 0 && ascending ? list : wrong("an ascending list of whole numbers");
    }
  }
}
