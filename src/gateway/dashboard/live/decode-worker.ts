/**
 * Unpacks and decodes Batches beside the page's own thread, so that drawing never waits for a burst. In: bytes of one
 * frame, or how many decisions a reader wants at once. Out, every POST_MS: what came since, in the order it came; of more
 * decisions than are wanted the newest, those that were sent before those that were not. Everything else is handed over whole.
 */
import { decompress } from "fzstd";
import { decodeBatch, type Envelope } from "#wire/envelope.ts";

/** `failed` counts frames that were no Batch, `passedOver` decisions that were more than the reader wants. */
export type Decoded = {
  readonly items: readonly Envelope[];
  readonly resumeMs: number;
  readonly texts: readonly string[];
  readonly failed: number;
  readonly passedOver: number;
};
export type WorkerOptions = { readonly decisionsMax: number };

/** A quarter of the time between two drawings. */
const POST_MS = 60;

let decisionsMax = Number.POSITIVE_INFINITY;
let held = { items: [] as Envelope[], resumeMs: 0, texts: [] as string[], failed: 0 };
let posting: ReturnType<typeof setTimeout> | undefined;

addEventListener("message", ({ data }: MessageEvent<Uint8Array | WorkerOptions>) => {
  if (!(data instanceof Uint8Array)) {
    decisionsMax = data.decisionsMax;
    return;
  }
  hold(data);
  posting ??= setTimeout(post, POST_MS);
});

function hold(bytes: Uint8Array): void {
  try {
    const { items, resumeMs, text } = decodeBatch(decompress(bytes));
    for (const item of items) held.items.push(item);
    held.resumeMs = Math.max(held.resumeMs, resumeMs);
    if (text !== "") held.texts.push(text);
  } catch {
    held.failed++;
  }
}

function post(): void {
  posting = undefined;
  const { items, ...rest } = held;
  held = { items: [], resumeMs: 0, texts: [], failed: 0 };
  const wanted = newest(items);
  const decoded: Decoded = { ...rest, items: wanted, passedOver: items.length - wanted.length };
  postMessage(decoded);
}

/** Copying thousands of decisions to the page's thread would cost more than it takes to decode them. */
function newest(items: Envelope[]): Envelope[] {
  const decisions = items.filter(({ payload }) => payload.case === "arb");
  if (decisions.length <= decisionsMax) return items;
  const isSent = ({ payload }: Envelope) => payload.case === "arb" && payload.value.action === "send";
  const kept = new Set([
    ...decisions.filter(isSent).slice(-decisionsMax / 2),
    ...decisions.filter((decision) => !isSent(decision)).slice(-decisionsMax / 2),
  ]);
  return items.filter((item) => item.payload.case !== "arb" || kept.has(item));
}
