/**
 * How a process of ours is started: from source by the running Bun, or by the compiled executable itself, which holds
 * every role (`sandpiper agent feed`).
 */
import { join } from "node:path";
import type { ProcessName } from "#core/run-report.ts";

/** Where `bun build --compile` puts a program's own files. */
const COMPILED_ROOT = "/$bunfs/";

const isCompiled = (): boolean => import.meta.path.startsWith(COMPILED_ROOT);

export function childCommand(name: ProcessName, flags: readonly string[]): string[] {
  if (isCompiled()) return [process.execPath, "agent", name, ...flags];
  return [process.execPath, join(import.meta.dir, "..", "..", "agents", `${name}.ts`), ...flags];
}

/** What a child inherits: the secret that signs commands goes to the gateway alone. */
export function environmentOf(name: ProcessName, own: Readonly<Record<string, string | undefined>>) {
  if (name === "gateway") return own;
  const { CTRL_SIGN_SK_HEX: _, SANDPIPER_CONTROL_SIGN_KEY: __, ...rest } = own;
  return rest;
}
