/**
 * The one writer of the ledger: follows the control river on the bus and makes each message a leaf, in batches under one signed
 * checkpoint each. A batch is appended before it is committed on the bus, so after any death it may be handed out again:
 * what is already among the newest leaves is passed over, told by its source.
 */
import { existsSync, readFileSync } from "node:fs";
import type { Bus, Consumer } from "#bus/bus.ts";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { decodeEntry } from "./entry.ts";
import { entryOf, LEDGER_TOPICS } from "./entry-of.ts";
import { generateSignerKey, type NoteSigner, readSignerKey } from "./note.ts";
import { LedgerReader } from "./reader.ts";
import { type LedgerWriter, openLedgerWriter } from "./writer.ts";

export type LedgerKeeperOptions = {
  readonly bus: Bus;
  readonly folder: string;
  /** Of the secret that signs checkpoints; made when it is not there. */
  readonly secretPath: string;
  readonly log: Log;
};
export type LedgerKeeper = { stop(): Promise<void> };

const ORIGIN = "sandpiper/ledger";
/** Messages of one batch; commands and acks have at most 8 kB each, so a batch stays within what one append takes. */
const BATCH_MAX = 128;
const WAIT_MS = 250;
const RETRY_MS = 500;
/** Newest leaves that are remembered: more than one batch that may come again. */
const REMEMBERED = 1_024;

/** Throws a SandpiperError when the folder is damaged or another process writes to it. */
export async function keepLedger(options: LedgerKeeperOptions): Promise<LedgerKeeper> {
  const { bus, folder, log } = options;
  const signer = openSigner(options.secretPath);
  let writer = await openLedgerWriter(folder, signer);
  if (writer.cutBytes > 0) log.warn("ledger: an unsigned batch was cut off", { bytes: writer.cutBytes });
  let stopping = false;
  const consumer = bus.consumer({ group: "ledger", topics: LEDGER_TOPICS, start: "first" });
  const known = newestSources(folder, signer);
  const run = async () => {
    while (!stopping) {
      const messages = await readSome(consumer, log);
      const entries = messages.map(entryOf).filter(({ source }) => !known.has(source));
      for (let done = messages.length === 0; !done; ) {
        try {
          if (entries.length > 0) writer.append(entries);
          remember(
            known,
            entries.map(({ source }) => source),
          );
          await consumer.commit();
          done = true;
        } catch (thrown) {
          log.error(`The ledger is behind: ${errorText(thrown)}`);
          if (stopping) return;
          await Bun.sleep(RETRY_MS);
          writer = await reopened(writer, folder, signer, log);
          remember(known, newestSources(folder, signer));
          const left = entries.filter(({ source }) => !known.has(source));
          entries.splice(0, entries.length, ...left);
        }
      }
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopping = true;
      await running;
      await consumer.close();
      writer.close();
    },
  };
}

async function readSome(consumer: Consumer, log: Log) {
  try {
    return (await consumer.wait(WAIT_MS)) ? await consumer.poll(BATCH_MAX) : [];
  } catch (thrown) {
    log.warn("the ledger cannot read the bus now", { why: errorText(thrown) });
    await Bun.sleep(RETRY_MS);
    return [];
  }
}

/** A writer whose append failed knows nothing any more: another one checks the folder and goes on. */
async function reopened(writer: LedgerWriter, folder: string, signer: NoteSigner, log: Log): Promise<LedgerWriter> {
  writer.close();
  for (;;) {
    try {
      return await openLedgerWriter(folder, signer);
    } catch (thrown) {
      log.error(`The ledger cannot be opened: ${errorText(thrown)}`);
      await Bun.sleep(RETRY_MS);
    }
  }
}

function newestSources(folder: string, signer: NoteSigner): Set<string> {
  const reader = new LedgerReader(folder, signer.verifier);
  try {
    const { size } = reader.checkpoint;
    const sources = new Set<string>();
    for (let index = Math.max(0, size - REMEMBERED); index < size; index++)
      sources.add(decodeEntry(reader.leaf(index).bytes).source);
    return sources;
  } finally {
    reader.close();
  }
}

function remember(known: Set<string>, sources: Iterable<string>): void {
  for (const source of sources) known.add(source);
  for (const oldest of known) {
    if (known.size <= REMEMBERED) return;
    known.delete(oldest);
  }
}

function openSigner(path: string): NoteSigner {
  if (!existsSync(path)) writeFileAtomic(path, `${generateSignerKey(ORIGIN)}\n`, 0o600);
  return readSignerKey(readFileSync(path, "utf8").trimEnd());
}
