/**
 * A recorded Yellowstone stream as a market source: the same grouping, merging and tracking as a live one, on the times
 * that the server stamped its messages with.
 */
import type { MarketSink, MarketSource } from "#market/source.ts";
import { ProtoReader } from "./proto-reader.ts";
import { readUpdate } from "./read-update.ts";
import { readRecordedStream } from "./recorded-stream.ts";
import { StreamMerge } from "./stream-merge.ts";

const CREATED_AT = 90;
/** Messages read before the event loop gets its turn. */
const TURN_MESSAGES = 4_096;

/** Throws a SandpiperError, when it runs, for a file that is cut short and for messages that are none. */
export function createStreamImport(path: string): MarketSource {
  let stopped = false;
  const run = async (sink: MarketSink) => {
    let nowNs = 0;
    const merge = new StreamMerge({ sink, wallMs: () => Math.round(nowNs / 1e6) });
    const { take } = merge.stream("recorded");
    const messages = readRecordedStream(path);
    for (const [place, bytes] of messages.entries()) {
      if (stopped) break;
      nowNs = Math.max(nowNs, createdNs(bytes));
      const update = readUpdate(bytes);
      if (update !== undefined) take(update, nowNs);
      if (place % TURN_MESSAGES === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    sink({ kind: "end", slot: BigInt(merge.newestSlot), arrivedNs: nowNs });
  };
  return {
    run,
    stop: () => {
      stopped = true;
    },
  };
}

/** SubscribeUpdate: 11 created_at { 1 seconds │ 2 nanos }; 0 where a server leaves it out. */
function createdNs(bytes: Uint8Array): number {
  const reader = new ProtoReader(bytes);
  for (let key = reader.key(); key !== 0; key = reader.key()) {
    if (key !== CREATED_AT) {
      reader.skip(key);
      continue;
    }
    const stamp = reader.inner();
    let ns = 0;
    for (let field = stamp.key(); field !== 0; field = stamp.key()) ns += stamp.number() * (field === 8 ? 1e9 : 1);
    return ns;
  }
  return 0;
}
