/**
 * After a kill: which of the journal's open bundles are already on record. The journal closes a bundle a moment after
 * its Outcome is durable; a kill in that moment leaves it open. So a consumer group of the agent's own keeps a place on
 * the two topics it writes: the place moves on only while nothing is owed, and what stands behind it is read here.
 */

import { decodeEnvelope } from "#wire/envelope.ts";
import type { Topic } from "#wire/topics.ts";
import type { Desk } from "./desk.ts";
import type { BundleJournal } from "./journal.ts";
import type { Outbox } from "./outbox.ts";

/** The bus's consumer, as far as this room needs to know it. */
export type RecordReader = {
  poll(max: number): Promise<readonly { readonly value: Uint8Array }[]>;
  commit(): Promise<void>;
};

export const RECOVERY_TOPICS: readonly Topic[] = ["arbitrage-decisions-proto", "bundle-outcomes-proto"];
const POLL_MAX = 1_000;
/** Bounds a recovery and a step of the place: 10 million records. */
const POLLS_MAX = 10_000;

/** Closes what has its Outcome, hands the rest to the desk. Answers how many were taken over. */
export async function recoverOpenBundles(reader: RecordReader, journal: BundleJournal, desk: Desk): Promise<number> {
  const decided = new Set<string>();
  const settled = new Set<string>();
  if (journal.open.length > 0)
    for (let polls = 0; polls < POLLS_MAX; polls++) {
      const messages = await reader.poll(POLL_MAX);
      if (messages.length === 0) break;
      for (const { value } of messages) {
        const { payload } = decodeEnvelope(value);
        if (payload.case === "arb") decided.add(payload.value.decisionId);
        if (payload.case === "outcome") settled.add(payload.value.decisionId);
      }
    }
  let taken = 0;
  for (const entry of journal.open) {
    const { decisionId } = entry.bundle;
    if (settled.has(decisionId)) journal.closed(decisionId);
    else {
      desk.resume(entry, entry.recorded === true || decided.has(decisionId));
      taken++;
    }
  }
  return taken;
}

/** Moves the place to the end of the topics, if nothing is owed before or after the reading. */
export async function moveRecoveryPlace(reader: RecordReader, outbox: Outbox): Promise<void> {
  if (outbox.owed > 0) return;
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    const messages = await reader.poll(POLL_MAX);
    if (messages.length === 0) break;
  }
  if (outbox.owed === 0) await reader.commit();
}
