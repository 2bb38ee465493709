/**
 * Which market events a running sim's feed missed: what the market itself told (a geyser subscription of our own) beside
 * what stands in the mev ring, transaction by transaction. The ring is only looked at: its reader goes on undisturbed.
 */
import { base58Encode } from "#core/base58.ts";
import type { RunPaths } from "#core/paths.ts";
import { readGeyserMessage } from "#market/geyser-message.ts";
import { paymentsOf } from "#market/payments.ts";
import { decodeSwaps } from "#market/swaps.ts";
import { MARKET_RECORD, MARKET_RECORD_KIND } from "#memory/market-record.ts";
import { openRegion } from "#memory/region.ts";
import { readSlotRingFormat, SLOT_RING_HEAD_BYTE, type SlotRingFormat, slotByteOffset } from "#memory/slot-ring.ts";

const LOOK_EVERY_MS = 2;
const HEAD = SLOT_RING_HEAD_BYTE >> 2;
const SIGNATURE_BYTES = 64;
const AGAIN_MS = 100;

export class EventWatch {
  /** Signatures of transactions with swaps or payments, as the market told them, and when (performance.now()). */
  readonly #told = new Map<string, number>();
  /** How often each stands in the ring. */
  readonly #written = new Map<string, number>();
  readonly #looking: Timer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #format: SlotRingFormat;
  readonly #wsUrl: string;
  #seen: number;
  #socket: WebSocket | undefined;
  #stopped = false;

  constructor(wsUrl: string, paths: RunPaths) {
    const ring = openRegion(paths.marketRing("mev"));
    this.#words = new Int32Array(ring);
    this.#bytes = new Uint8Array(ring);
    this.#format = readSlotRingFormat(ring);
    this.#seen = Atomics.load(this.#words, HEAD);
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#wsUrl = wsUrl;
    this.#listen();
  }

  /** Of the transactions told between the two moments: how many, and how many are in the ring never or twice. */
  between(fromMs: number, toMs: number): { told: number; missed: number; twice: number } {
    this.#look();
    const those = [...this.#told].filter(([, atMs]) => atMs >= fromMs && atMs < toMs).map(([signature]) => signature);
    const times = those.map((signature) => this.#written.get(signature) ?? 0);
    return {
      told: those.length,
      missed: times.filter((count) => count === 0).length,
      twice: times.filter((count) => count > 1).length,
    };
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#looking);
    this.#socket?.close();
  }

  #listen(): void {
    if (this.#stopped) return;
    const socket = new WebSocket(this.#wsUrl);
    this.#socket = socket;
    const params = [{ owners: [], accounts: [] }];
    socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "geyserSubscribe", params }));
    socket.onmessage = ({ data }) => {
      const message = readGeyserMessage(String(data));
      if (message.kind !== "transaction") return;
      const { transaction } = message;
      const payments = transaction.failed ? [] : paymentsOf(transaction);
      if (payments.length + decodeSwaps(transaction).swaps.length > 0)
        this.#told.set(transaction.signature, performance.now());
    };
    // The sim is one of the processes that are killed.
    socket.onclose = () => setTimeout(() => this.#listen(), AGAIN_MS);
  }

  #look(): void {
    const head = Atomics.load(this.#words, HEAD);
    for (; this.#seen !== head; this.#seen = (this.#seen + 1) | 0) {
      const at = slotByteOffset(this.#format, this.#seen);
      if (this.#words[(at + MARKET_RECORD.kind) >> 2] !== MARKET_RECORD_KIND.transaction) continue;
      const from = at + MARKET_RECORD.signature;
      const signature = base58Encode(this.#bytes.slice(from, from + SIGNATURE_BYTES));
      this.#written.set(signature, (this.#written.get(signature) ?? 0) + 1);
    }
  }
}
