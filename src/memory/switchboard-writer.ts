/** A Worker for the switchboard's test: writes policies whose fields all follow from one number, as fast as it can. */
import { Switchboard, TIP_LADDER_MAX } from "./switchboard.ts";

/** The policy number `n` of the stress: any mix of two of them shows. */
export function stressPolicy(n: number) {
  const tipCount = 1 + (n % TIP_LADDER_MAX);
  return {
    killed: n % 2 === 1,
    throttlePct: n % 101,
    evMinLamports: n * 1_000_003,
    tipLadderLamports: Array.from({ length: tipCount }, (_, i) => n + 1 + i),
  };
}

declare const self: Worker;
if (!Bun.isMainThread)
  self.onmessage = (event: MessageEvent<{ readonly buffer: SharedArrayBuffer; readonly policies: number }>) => {
    const switchboard = new Switchboard(event.data.buffer);
    for (let n = 1; n <= event.data.policies; n++) switchboard.writePolicy(stressPolicy(n));
    self.postMessage("done");
  };
