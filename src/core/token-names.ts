/**
 * What tokens call themselves: a file that the feed replaces when it has read more, for the gateway and people. Anybody may
 * call a token anything, so a name only ever stands for an address that is shown with it.
 */
import { readJsonFile, writeFileAtomicUnsynced } from "./atomic-file.ts";

/** By mint address. */
export type TokenNames = Readonly<Record<string, { readonly name: string; readonly symbol: string }>>;

export const writeTokenNames = (path: string, names: TokenNames): void =>
  writeFileAtomicUnsynced(path, JSON.stringify({ names }));

/** Undefined when there are none, or a file of another shape. */
export function readTokenNames(path: string): TokenNames | undefined {
  try {
    const { names } = (readJsonFile(path) ?? {}) as { readonly names?: TokenNames };
    if (typeof names !== "object" || names === null) return undefined;
    const whole = Object.values(names).every((one) => typeof one?.name === "string" && typeof one.symbol === "string");
    return whole ? names : undefined;
  } catch {
    return undefined;
  }
}
