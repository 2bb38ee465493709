/**
 * The market room's figures: events a second through Yellowstone's bytes, the feed and the recorder; replay beside the
 * recorded time; bytes per event on disk beside the same events as JSON.
 *
 *   bun bench/market.ts [RECORDED_STREAM.bin.gz]
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SubscribeUpdate } from "@triton-one/yellowstone-grpc";
import { ManualClock } from "#core/clock.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { PoolCatalogueBook } from "#market/catalogue.ts";
import { Feed } from "#market/feed.ts";
import { readGeyserMessage } from "#market/geyser-message.ts";
import { readUpdate } from "#market/live/read-update.ts";
import { readRecordedStream } from "#market/live/recorded-stream.ts";
import { MarketRing } from "#market/market-ring.ts";
import { MarketRecorder } from "#market/recording/recorder.ts";
import { createRecordingSource, openRecording } from "#market/recording/recording-source.ts";
import type { MarketEvent } from "#market/source.ts";
import { ARBITRAGE_RING, MEV_RING } from "#memory/market-record.ts";
import { formatSlotRing, SlotConsumer, type SlotRingFormat, slotRingBytes } from "#memory/slot-ring.ts";
import { geyserSubscribe } from "#sim/cluster/socket/geyser-subscription.ts";
import { testMarket } from "#sim/fixture.ts";

const SLOTS = 150;
const ROUNDS = 5;
const rows: { figure: string; value: string; beside: string }[] = [];

/** Best of some rounds, in seconds. */
async function best(work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startNs = Bun.nanoseconds();
    await work();
    least = Math.min(least, (Bun.nanoseconds() - startNs) / 1e9);
  }
  return least;
}
const perSecond = (count: number, seconds: number): string => `${Math.round(count / seconds).toLocaleString("en")}/s`;

/** What the geyser door says of a market that trades for some slots. */
async function simTexts(): Promise<string[]> {
  const texts: string[] = [];
  const { cluster, clock, runSlots } = await testMarket({ seed: "bench", tradesPerSlot: 20 });
  const counters = { noticesDropped: 0, slowSocketsClosed: 0 };
  const notify = (result: unknown) => texts.push(JSON.stringify({ params: { result } }));
  const subscription = geyserSubscribe({ cluster, clock, counters, notify, end: () => {} }, [{}]);
  if (subscription.onTransaction !== undefined) cluster.onTransaction(subscription.onTransaction);
  if (subscription.onSlot !== undefined) cluster.onSlot(subscription.onSlot);
  await runSlots(SLOTS);
  return texts;
}

function ringOf(format: SlotRingFormat, clock: ManualClock) {
  const buffer = new SharedArrayBuffer(slotRingBytes(format));
  formatSlotRing(buffer, format);
  const consumer = new SlotConsumer(buffer);
  const empty = () => {
    for (; consumer.peek() >= 0; consumer.advance());
    consumer.release();
  };
  return {
    ring: new MarketRing(
      buffer,
      () => {},
      () => clock.monotonicNs(),
    ),
    empty,
  };
}

async function feedAll(events: readonly MarketEvent[]): Promise<void> {
  const clock = new ManualClock();
  const [arbitrage, mev] = [ringOf(ARBITRAGE_RING, clock), ringOf(MEV_RING, clock)];
  const feed = new Feed({
    arbitrage: arbitrage.ring,
    mev: mev.ring,
    catalogue: new PoolCatalogueBook(),
    cpmmAuthority: (await cpmmAuthority()).address,
    unixSeconds: () => 1_700_000_000,
    replayed: true,
  });
  for (const event of events) {
    feed.handle(event);
    arbitrage.empty();
    mev.empty();
  }
}

const [path] = process.argv.slice(2);
if (path !== undefined && existsSync(path)) {
  const messages = readRecordedStream(path);
  const own = await best(() => messages.forEach(readUpdate));
  const general = await best(() => {
    for (const bytes of messages) SubscribeUpdate.decode(bytes);
  });
  rows.push({
    figure: `Yellowstone updates read (${messages.length} recorded)`,
    value: perSecond(messages.length, own),
    beside: `${perSecond(messages.length, general)} by the client's own decoder`,
  });
}

const texts = await simTexts();
const events = texts.map((text, i): MarketEvent => {
  const message = readGeyserMessage(text);
  if (message.kind === "answer") throw new Error("an answer among events");
  return { ...message, arrivedNs: (i * SLOTS * 4e8) / texts.length };
});
const read = await best(() => texts.forEach(readGeyserMessage));
rows.push({ figure: "local cluster's messages read (JSON)", value: perSecond(texts.length, read), beside: "" });
const fed = await best(() => feedAll(events));
rows.push({
  figure: "events through the feed: decode, state, rings",
  value: perSecond(events.length, fed),
  beside: "",
});

const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-"));
try {
  let round = 0;
  let disk = 0;
  const recorded = await best(() => {
    const recorder = new MarketRecorder({
      folder: join(folder, String(++round)),
      version: "bench",
      source: "bench",
      zeroWallNs: 0n,
    });
    for (const event of events) recorder.take(event);
    recorder.close();
    disk = recorder.counters.diskBytes;
  });
  rows.push({ figure: "events recorded (encode, zstd, disk)", value: perSecond(events.length, recorded), beside: "" });
  const replayed = await best(async () => {
    const out: MarketEvent[] = [];
    await createRecordingSource({ recording: openRecording(join(folder, "1")) }).run((event) => out.push(event));
    await feedAll(out);
  });
  const lastNs = events.at(-1)?.arrivedNs ?? 0;
  rows.push({
    figure: "replay: read, unpack, feed",
    value: perSecond(events.length, replayed),
    beside: `${Math.round(lastNs / 1e9 / replayed)} × the recorded time (${Math.round(lastNs / 1e9)} s)`,
  });
  const json = texts.reduce((sum, text) => sum + text.length, 0);
  const packed = Bun.zstdCompressSync(texts.join("\n"), { level: 3 }).length;
  rows.push({
    figure: "bytes per event on disk",
    value: (disk / events.length).toFixed(0),
    beside: `${(json / events.length).toFixed(0)} as JSON, ${(packed / events.length).toFixed(0)} as JSON in one zstd frame`,
  });
} finally {
  rmSync(folder, { recursive: true });
}
console.table(rows);
