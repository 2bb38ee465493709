/** A Worker for the switchboard's test: writes policies whose fields all follow from one number, as fast as it can. */
import { Switchboard, TIP_LADDER_MAX } from "./switchboard.ts";

/** The policy number `n` of the stress: any mix of two of them shows. */
export function stressPolicy(n: number) {
  const tipCount = 1 + (n % TIP_LADDER_MAX);
  return {
    killed: n % 2 === 1,
    stopped: n % 3 === 1,
    throttlePct: n % 101,
    evMinLamports: n * 1_000_003,
    tipLadderLamports: Array.from({ length: tipCount }, (_, i) => n + 1 + i),
  };
}

export type WriterOrder = {
  readonly buffer: SharedArrayBuffer;
  /** It writes at least so many, and goes on until the reader has seen enough and sets the first word. */
  readonly policies: number;
  readonly enough: SharedArrayBuffer;
};

declare const self: Worker;
if (!Bun.isMainThread)
  self.onmessage = (event: MessageEvent<WriterOrder>) => {
    const switchboard = new Switchboard(event.data.buffer);
    const enough = new Int32Array(event.data.enough);
    let last = 0;
    while (last < event.data.policies || Atomics.load(enough, 0) === 0) switchboard.writePolicy(stressPolicy(++last));
    self.postMessage(last);
  };
