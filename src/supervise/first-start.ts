/**
 * What a data folder and the shared memory must hold before the first process: the trading wallet's key, the rings and
 * the heartbeat table. The key is left as it is when it is there; shared memory is made anew, since what an earlier run
 * left in the rings is about a market that is gone.
 */
import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { chmodSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { base58Encode } from "#core/base58.ts";
import { SandpiperError } from "#core/error.ts";
import type { RunPaths } from "#core/paths.ts";
import { HEARTBEAT_BYTES } from "#memory/heartbeat.ts";
import { ARBITRAGE_RING, MEV_RING } from "#memory/market-record.ts";
import { createRegion } from "#memory/region.ts";
import { formatSlotRing, slotRingBytes } from "#memory/slot-ring.ts";
import { SUPERVISE_ERROR } from "./errors.ts";

const SEED_BYTES = 32;
/** PKCS #8 prefix of an Ed25519 private key (RFC 8410, section 7): the seed follows. */
const PKCS8_ED25519_PREFIX = "302e020100300506032b657004220420";

/** The address of the trading wallet; makes its key on the first start. */
export function ensureWallet(paths: RunPaths): string {
  const stored = readJsonFile(paths.walletKey);
  if (stored !== undefined) {
    if (!Array.isArray(stored) || stored.length !== 64)
      throw new SandpiperError(
        SUPERVISE_ERROR.start,
        `Cannot read the wallet key ${paths.walletKey}: 64 numbers as the Solana CLI writes them, was something else`,
      );
    return base58Encode(Uint8Array.from(stored.slice(SEED_BYTES) as number[]));
  }
  const seed = randomBytes(SEED_BYTES);
  const publicKey = publicKeyOf(seed);
  writeFileAtomic(paths.walletKey, JSON.stringify([...seed, ...publicKey]), 0o600);
  chmodSync(dirname(paths.walletKey), 0o700);
  return base58Encode(publicKey);
}

function publicKeyOf(seed: Uint8Array): Uint8Array {
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8_ED25519_PREFIX, "hex"), seed]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return new Uint8Array(spki.subarray(spki.length - SEED_BYTES));
}

/** Makes the shared mappings; answers the heartbeat table. */
export function makeRegions(paths: RunPaths): ArrayBuffer {
  removeRegions(paths);
  for (const [agent, format] of [["arbitrage", ARBITRAGE_RING] as const, ["mev", MEV_RING] as const])
    formatSlotRing(createRegion(paths.marketRing(agent), slotRingBytes(format)), format);
  return createRegion(paths.heartbeats, HEARTBEAT_BYTES);
}

/** Takes the shared mappings' names away; processes that still have them mapped keep them until they end. */
export function removeRegions(paths: RunPaths): void {
  rmSync(paths.shm, { recursive: true, force: true });
}
