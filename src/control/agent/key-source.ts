/**
 * The keys in force, followed while the process runs: a key file that was replaced (a new key, a revocation) holds from
 * the next batch of commands on. A file that is broken or gone is told and changes nothing; at the start it is refused.
 */
import { statSync } from "node:fs";
import { type Environment, readKeysInForce } from "#control/key-files.ts";
import type { KeySet } from "#control/keys.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";

/** Throws a SandpiperError when the keys cannot be read now. */
export function followKeys(path: string, environment: Environment, log: Log): () => KeySet {
  let keys = readKeysInForce(path, environment);
  let seen = fingerprint(path);
  return () => {
    const now = fingerprint(path);
    if (now === seen) return keys;
    seen = now;
    try {
      keys = readKeysInForce(path, environment);
      log.info("the keys that may give commands were read again", { path, keys: keys.size });
    } catch (thrown) {
      log.error(`The keys stay as they were: ${errorText(thrown)}`);
    }
    return keys;
  };
}

function fingerprint(path: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return "";
  }
}
