/**
 * The mev agent's end of its market ring: takes bounded batches of records and hands out each swap's DEX and pool. Notices
 * by the sequence what the feed had no room for.
 */
import { DEX_NAMES, type DexName } from "#core/pool.ts";
import { readAddress } from "#dex/bytes.ts";
import { MARKET_RECORD, MARKET_RECORD_FLAG, MARKET_RECORD_KIND } from "#memory/market-record.ts";
import type { SlotConsumer } from "#memory/slot-ring.ts";

const TWO_32 = 2 ** 32;

export type SwapVisitor = (dex: DexName, pool: string) => void;

export class SwapReader {
  events = 0;
  swaps = 0;
  /** Records that the feed dropped, as gaps in the sequence tell. */
  dropped = 0;
  slot = 0;
  readonly #consumer: SlotConsumer;
  readonly #visit: SwapVisitor;
  #sequence = 0;
  /** When the newest record's bytes arrived, on the monotonic clock; 0 while there is none or it is a recording. */
  #newestEventNs = 0;

  constructor(consumer: SlotConsumer, visit: SwapVisitor) {
    this.#consumer = consumer;
    this.#visit = visit;
  }

  /** Reads at most `limit` records; answers how many it did. */
  doWork(limit: number): number {
    const consumer = this.#consumer;
    let done = 0;
    while (done < limit) {
      const at = consumer.peek();
      if (at < 0) break;
      this.#read(at);
      consumer.advance();
      done++;
    }
    if (done > 0) consumer.release();
    return done;
  }

  /** How old the newest record is, in ms; 0 for recordings. */
  lagMs(nowNs: number): number {
    return this.#newestEventNs === 0 ? 0 : Math.max(0, Math.round((nowNs - this.#newestEventNs) / 1e6));
  }

  #read(at: number): void {
    const { u32, f64 } = this.#consumer;
    const word = (offset: number) => u32[(at + offset) >> 2] as number;
    const word64 = (offset: number) => word(offset + 4) * TWO_32 + word(offset);
    const sequence = word64(MARKET_RECORD.sequence);
    // A lower number is a feed that started again: nothing was lost that this count could know of.
    if (sequence > this.#sequence + 1 && this.#sequence > 0) this.dropped += sequence - this.#sequence - 1;
    this.#sequence = sequence;
    this.events++;
    this.slot = word64(MARKET_RECORD.slot);
    const replayed = (word(MARKET_RECORD.flags) & MARKET_RECORD_FLAG.replayed) !== 0;
    this.#newestEventNs = replayed ? 0 : (f64[(at + MARKET_RECORD.eventNs) >> 3] as number);
    if (word(MARKET_RECORD.kind) !== MARKET_RECORD_KIND.swap) return;
    this.swaps++;
    const dex = DEX_NAMES[word(MARKET_RECORD.dex)];
    if (dex !== undefined) this.#visit(dex, readAddress(this.#consumer.u8, at + MARKET_RECORD.poolAddress));
  }
}
