/** Where the native module (native/, Rust) is looked for. Built by `bun scripts/build-native.ts`; without it both its users go on. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText } from "./error.ts";

const FILE = "sandpiper-native.node";

/** The module, or why there is none. `Exports`: what the caller knows of it; each room types the class that it uses. */
export function loadNative<Exports extends object>(): Exports | { readonly missing: string } {
  const paths = [join(dirname(process.execPath), "lib", FILE), join(import.meta.dir, "../../native", FILE)];
  const path = paths.find(existsSync);
  if (path === undefined) return { missing: "native/ is not built: bun scripts/build-native.ts (needs cargo)" };
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (thrown) {
    return { missing: `cannot load ${FILE}: ${errorText(thrown)}` };
  }
  // The one place where its types come in: they are those of native/src.
  return module.exports as Exports;
}
