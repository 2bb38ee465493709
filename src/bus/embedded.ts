/**
 * The embedded bus: the whole message bus of one box in one SQLite file, shared by all processes. A publish is
 * acknowledged when its commit is on disk; see embedded-file.ts for the layout and the promises.
 */
import { SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Bus } from "./bus.ts";
import { EmbeddedConsumer } from "./embedded-consumer.ts";
import { openEmbeddedFile, readGroupLags } from "./embedded-file.ts";
import { EmbeddedPublisher } from "./embedded-publisher.ts";
import { EmbeddedRetention } from "./embedded-retention.ts";
import { BUS_ERROR } from "./errors.ts";

export type EmbeddedBusOptions = {
  /** The SQLite file; it and its folder are made when they are not there. */
  readonly path: string;
  /** How long a message waits for others to share its commit. */
  readonly lingerMs: number;
  /** MiB of delivered messages to keep. */
  readonly retainMiB: number;
  readonly log: Log;
  /** Unix milliseconds, for tests. */
  readonly nowMs?: () => number;
};

/** Throws a SandpiperError when the file cannot be opened. */
export function openEmbeddedBus(options: EmbeddedBusOptions): Bus {
  const nowMs = options.nowMs ?? Date.now;
  const file = openEmbeddedFile(options.path, nowMs());
  const retention = new EmbeddedRetention(file, options.retainMiB, options.log);
  const publisher = new EmbeddedPublisher(file, {
    lingerMs: options.lingerMs,
    nowMs,
    afterCommit: async () => {
      try {
        await retention.trim();
      } catch (thrown) {
        // Not the publisher's failure: its messages are on disk. The next commit tries again.
        options.log.warn("bus: could not trim", { why: thrown instanceof Error ? thrown.message : String(thrown) });
      }
    },
  });
  let closed = false;
  return {
    mayRepeat: false,
    publish: (topic, key, value) => publisher.publish(topic, key, value),
    consumer: (wanted) => {
      if (closed) throw new SandpiperError(BUS_ERROR.closed, "Cannot read from the bus: an open bus, was closed");
      return new EmbeddedConsumer(file, wanted);
    },
    stats: () => ({
      published: publisher.published,
      refused: publisher.refused,
      failed: publisher.failed,
      trimmed: retention.trimmed,
      trimmedUnread: retention.trimmedUnread,
      spooled: 0,
      dropped: 0,
    }),
    groupLags: () => readGroupLags(file),
    close: async () => {
      if (closed) return;
      closed = true;
      await publisher.close();
      file.open = false;
      file.database.close();
    },
  };
}
