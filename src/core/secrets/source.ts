/** Where a secret comes from, in words for people; never the secret. */
import type { LoadedConfig, SecretKey } from "#core/config.ts";
import { parseReference } from "./reference.ts";

/** Undefined when the option is not set. */
export function secretSource({ config, origins }: LoadedConfig, key: SecretKey): string | undefined {
  if (config[key] === "") return undefined;
  const reference = parseReference(config[key], key);
  switch (reference?.kind) {
    case "file":
      return `file ${reference.path}`;
    case "credential":
      return `systemd credential ${reference.name}`;
    case "vault": {
      const { mount, path, field } = reference.place;
      return `Vault at ${config["vault.address"]}, ${mount}/${path}, field ${field}`;
    }
    default:
      return plainSource(origins[key]);
  }
}

function plainSource({ source, where }: LoadedConfig["origins"][SecretKey]): string {
  if (source === "environment") return `environment, ${where} (for development only)`;
  if (source === "flag") return `flag ${where} (whoever sees the processes of this box sees it)`;
  return `plain text in ${where}`;
}
