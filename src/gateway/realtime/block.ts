/**
 * Messages that came together, packed once for everybody: a protobuf Batch (proto/realtime.proto), zstd-compressed
 * (RFC 8878). A reader whose transport carries only small packets gets the same messages as several Batches.
 */
import { encodeBatch } from "#wire/envelope.ts";
import type { LiveKind } from "./subscription.ts";

/** One Batch, ready to be sent, and how many messages would be lost with it. */
export type Piece = { readonly messages: number; readonly bytes: Uint8Array };

/** Fastest level: batches are small and somebody waits. */
const ZSTD_LEVEL = 1;
/** The first try at a size leaves some room: fewer messages compress a little worse. */
const FIT = 0.95;

export const packed = (bytes: Uint8Array): Uint8Array => Bun.zstdCompressSync(bytes, { level: ZSTD_LEVEL });
/** What the gateway says beside the record, as one Batch. */
export const packedText = (text: string): Uint8Array => packed(encodeBatch([], { text }));

export class Block {
  readonly #pieces = new Map<number, readonly Piece[]>();

  constructor(
    readonly kind: LiveKind,
    /** Encoded, oldest first. */
    readonly envelopes: readonly Uint8Array[],
    /** See Batch.resume_ms; 0 when there is nothing to resume. */
    readonly resumeMs = 0,
  ) {}

  /** As few Batches as possible of at most `bytesMax` each; one envelope that is larger alone is a Batch by itself. */
  pieces(bytesMax: number): readonly Piece[] {
    let pieces = this.#pieces.get(bytesMax);
    if (pieces === undefined) {
      pieces = this.#cut(bytesMax);
      this.#pieces.set(bytesMax, pieces);
    }
    return pieces;
  }

  #cut(bytesMax: number): readonly Piece[] {
    const pieces: Piece[] = [];
    let next = this.envelopes.length;
    for (let from = 0; from < this.envelopes.length; ) {
      const part = this.envelopes.slice(from, from + next);
      const bytes = packed(encodeBatch(part, { resumeMs: this.resumeMs }));
      if (bytes.length <= bytesMax || part.length === 1) {
        pieces.push({ messages: part.length, bytes });
        from += part.length;
      } else next = Math.max(1, Math.min(part.length - 1, Math.floor(((part.length * bytesMax) / bytes.length) * FIT)));
    }
    return pieces;
  }
}
