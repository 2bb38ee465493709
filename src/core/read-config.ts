/**
 * Reads the configuration of this process: the command line says which file (`--config PATH`, else SANDPIPER_CONFIG,
 * else ./sandpiper.toml when it is there), config.ts merges it with the environment and the flags.
 */
import { existsSync, readFileSync } from "node:fs";
import { type LoadedConfig, loadConfig, SECRET_KEYS } from "./config.ts";
import { CORE_ERROR, errorText, SandpiperError } from "./error.ts";
import { hasCredential } from "./secrets/reference.ts";

const DEFAULT_FILE = "sandpiper.toml";

/** Throws a SandpiperError with one line for people. */
export function readConfig(
  flags: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const { path: named, rest } = takeConfigFlag(flags);
  const path = named ?? environment["SANDPIPER_CONFIG"] ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  const credentials = SECRET_KEYS.filter((key) => hasCredential(key, environment));
  if (path === undefined) return loadConfig({ environment, credentials, flags: rest });
  return loadConfig({ file: { path, values: parseFile(path) }, environment, credentials, flags: rest });
}

function takeConfigFlag(flags: readonly string[]): { path: string | undefined; rest: string[] } {
  const rest = [...flags];
  const at = rest.findIndex((flag) => flag === "--config" || flag.startsWith("--config="));
  if (at < 0) return { path: undefined, rest };
  const flag = rest[at] as string;
  if (flag !== "--config") {
    rest.splice(at, 1);
    return { path: flag.slice("--config=".length), rest };
  }
  const path = rest[at + 1];
  if (path === undefined)
    throw new SandpiperError(CORE_ERROR.config, "Cannot read --config: a path after it, was nothing");
  rest.splice(at, 2);
  return { path, rest };
}

function parseFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new SandpiperError(
      CORE_ERROR.config,
      `Cannot read the configuration file ${path}: a readable file, was ${errorText(cause)}`,
      "never",
      { cause },
    );
  }
  try {
    return Bun.TOML.parse(text);
  } catch (cause) {
    throw new SandpiperError(
      CORE_ERROR.config,
      `Cannot read the configuration file ${path}: valid TOML, was ${errorText(cause)}`,
      "never",
      { cause },
    );
  }
}
