/**
 * The ledger's signed checkpoints, copied from its folder into control_ledger_checkpoints: the newest one at most once a
 * second, so that the tables know of every leaf a second later. While ClickHouse is away nothing is kept back: the next one
 * covers all that it missed, since each checkpoint commits to everything before it.
 */
import { readFileSync } from "node:fs";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { DATABASE, type Store } from "./client.ts";

const LOOK_MS = 1_000;

export type CheckpointRecords = { stop(): Promise<void> };

/** `path` is the checkpoint of a ledger, a signed note: origin, size and root in its first three lines. */
export function startCheckpointRecords(parts: { path: string; store: Store; log: Log }): CheckpointRecords {
  const { path, store, log } = parts;
  let recorded = "";
  let failed = false;
  let busy = Promise.resolve();
  const look = async () => {
    try {
      const note = readFileSync(path, "utf8");
      if (note === recorded) return;
      const [origin = "", size = "", root = ""] = note.split("\n");
      const row = JSON.stringify({ origin, size, root, note });
      await store.insertBytes(
        `INSERT INTO ${DATABASE}.control_ledger_checkpoints (origin, size, root, note) FORMAT JSONEachRow`,
        new TextEncoder().encode(row),
      );
      recorded = note;
      failed = false;
    } catch (thrown) {
      if (!failed) log.warn("a checkpoint of the ledger is not in the tables yet", { why: errorText(thrown) });
      failed = true;
    }
  };
  const next = () => {
    busy = busy.then(look);
    return busy;
  };
  void next();
  const looking = setInterval(() => void next(), LOOK_MS);
  return {
    stop: async () => {
      clearInterval(looking);
      await next();
    },
  };
}
