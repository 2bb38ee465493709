/**
 * What outlives the cluster's process: the last slot. A cluster that comes back starts from genesis, but above every slot
 * its clients have seen, so that slots never run backwards and no old blockhash or signature means anything.
 */
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { SIM_ERROR } from "./errors.ts";

/** Slots between two writes of the file. */
const SAVE_EVERY_SLOTS = 16n;
/** Slots left out at a restart: more than any that could have passed since the file was written. */
const RESTART_GAP_SLOTS = 64n;
const FIRST_SLOT = 1n;

/** The slot that a cluster starting now begins with. Throws a SandpiperError when the file is damaged. */
export function startSlotOf(path: string): bigint {
  let state: unknown;
  try {
    state = readJsonFile(path);
  } catch (thrown) {
    throw damaged(path, errorText(thrown));
  }
  if (state === undefined) return FIRST_SLOT;
  const slot = typeof state === "object" && state !== null && "lastSlot" in state ? state.lastSlot : undefined;
  if (typeof slot !== "number" || !Number.isSafeInteger(slot) || slot < 1) throw damaged(path, JSON.stringify(state));
  return BigInt(slot) + RESTART_GAP_SLOTS;
}

export const saveSlot = (path: string, slot: bigint): void =>
  writeFileAtomic(path, `${JSON.stringify({ lastSlot: Number(slot) })}\n`);

/** To be called at each slot; writes now and then. */
export function saveSlotNowAndThen(path: string, slot: bigint): void {
  if (slot % SAVE_EVERY_SLOTS === 0n) saveSlot(path, slot);
}

function damaged(path: string, was: string): SandpiperError {
  return new SandpiperError(
    SIM_ERROR.state,
    `Cannot start the cluster: ${path} must hold {"lastSlot": a whole number}, was ${was.slice(0, 200)}`,
  );
}
