/**
 * Unpacks and decodes Batches beside the page's own thread, so that drawing never waits for a burst. In: bytes of one
 * frame. Out: what was in it, in the order it came.
 */
import { decompress } from "fzstd";
import { type DecodedBatch, decodeBatch } from "#wire/envelope.ts";

/** `failed` counts frames that were no Batch. */
export type Decoded = DecodedBatch & { readonly failed: number };

addEventListener("message", ({ data }: MessageEvent<Uint8Array>) => postMessage(decoded(data)));

function decoded(bytes: Uint8Array): Decoded {
  try {
    return { ...decodeBatch(decompress(bytes)), failed: 0 };
  } catch {
    return { items: [], resumeMs: 0, text: "", failed: 1 };
  }
}
