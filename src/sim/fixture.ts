/** What the tests of the market share: a whole market on a cluster whose clock moves when told to. */
import { ManualClock } from "#core/clock.ts";
import { createCluster } from "./cluster/lite-cluster.ts";
import type { LocalCluster } from "./cluster/local-cluster.ts";
import { readProgramFile } from "./genesis/program-file.ts";
import { createMarketBox, type MarketBox, type MarketBoxOptions, PULSE_MS } from "./market-box.ts";

export const SLOT_MS = 400;

export type TestMarket = {
  readonly cluster: LocalCluster;
  readonly clock: ManualClock;
  readonly box: MarketBox;
  /** Runs whole slots, pulse by pulse, as fast as it goes. */
  runSlots(count: number): Promise<void>;
};

export async function testMarket(options: Partial<MarketBoxOptions> = {}): Promise<TestMarket> {
  const seed = options.seed ?? "1";
  const clock = new ManualClock(1_700_000_000_000_000_000n);
  const cluster = createCluster({ seed, slotMs: SLOT_MS, clock });
  const box = await createMarketBox(cluster, {
    seed,
    clock,
    slotMs: SLOT_MS,
    tradesPerSlot: 4,
    rivals: 1,
    wallet: "",
    program: readProgramFile("cp-swap"),
    ...options,
  });
  const runSlots = async (count: number) => {
    for (let slot = 0; slot < count; slot++) {
      for (let ms = 0; ms < SLOT_MS; ms += PULSE_MS) {
        box.pulse();
        clock.advanceNs(PULSE_MS * 1e6);
      }
      cluster.nextSlot();
      // LiteSVM lets go of memory only when the event loop turns.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { cluster, clock, box, runSlots };
}
