/** The mev process: sees every swap, publishes each sandwich that it finds, and says each second what it saw. */
import { openBus } from "#bus/open.ts";
import { startControl } from "#control/agent/start-control.ts";
import { VERSION } from "#core/version.ts";
import { readCatalogue } from "#decide/catalogue-follower.ts";
import { firstPolicy } from "#decide/loop-settings.ts";
import { openRpc } from "#execute/endpoints.ts";
import { FindingPublisher } from "#execute/finding-publisher.ts";
import { startMetricsTick } from "#execute/metrics-tick.ts";
import { createDoorbell } from "#ffi/doorbell.ts";
import { SwapReader } from "#market/swap-reader.ts";
import { openRegion } from "#memory/region.ts";
import { SLOT_RING_DOORBELL_BYTE, SlotConsumer } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { MevWatch } from "#mev/watch.ts";
import { runAgent } from "#supervise/agent-runtime.ts";

/** Records taken before the event loop gets its turn. */
const BATCH_RECORDS = 512;
/** Longest sleep on the doorbell: each turn is a heartbeat, and the event loop turns with it. */
const WAIT_MS_MAX = 20;
const WINDOW_MS = 1_000;

runAgent("mev", async (agent) => {
  const { config, clock, log } = agent;
  const ring = openRegion(agent.paths.marketRing("mev"));
  const [consumer, doorbell] = [new SlotConsumer(ring), createDoorbell(ring, SLOT_RING_DOORBELL_BYTE)];
  const bus = await openBus(config, agent.paths, log, "mev");
  const publisher = new FindingPublisher({
    identity: { version: VERSION, agent: "mev", mode: config.mode },
    rpc: openRpc(config),
    publish: (key, envelope) => bus.publish("sandwich-decisions-proto", key, envelope),
    ...{ clock, log },
  });
  const watch = new MevWatch((finding) => publisher.give(finding, reader.lagMs(clock.monotonicNs())));
  const readPools = () => watch.setCatalogue(readCatalogue(agent.paths.poolCatalogue) ?? { version: 0, pools: [] });
  const reader = new SwapReader(consumer, { transaction: (seen) => watch.see(seen), catalogue: readPools });
  readPools();
  const control = startControl({
    ...{ agent: "mev", module: "mev", config, paths: agent.paths, bus, clock, log, configured: firstPolicy(config) },
    // Nothing is sent for it yet; what commands say is kept and answered all the same.
    switchboard: new Switchboard(new SharedArrayBuffer(Switchboard.bytes)),
  });
  let [eventsBefore, depthMax, running] = [0, 0, true];
  const metrics = startMetricsTick({
    windowMs: WINDOW_MS,
    read: (failed) => {
      const fields = {
        ...{ agent: "mev", mode: config.mode, atNs: clock.wallNs(), windowMs: WINDOW_MS, ringDepthMax: depthMax },
        events: BigInt(reader.events - eventsBefore),
        swaps: BigInt(watch.swaps.takeWindow().total),
        ...{ eventsTotal: BigInt(reader.events), swapsTotal: BigInt(reader.swaps) },
        ...{ marketDropped: BigInt(reader.dropped), publishDropped: BigInt(failed + publisher.dropped) },
        slot: BigInt(reader.slot),
        marketLagMs: BigInt(reader.lagMs(clock.monotonicNs())),
      };
      [eventsBefore, depthMax] = [reader.events, 0];
      return fields;
    },
    publish: (envelope) => bus.publish("metrics-proto", "mev", envelope),
    ...{ clock, log },
  });
  const loop = async () => {
    while (running) {
      depthMax = Math.max(depthMax, consumer.depth());
      agent.beat();
      if (reader.doWork(BATCH_RECORDS) === 0) doorbell.wait(WAIT_MS_MAX);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const looping = loop();
  agent.ready();
  return async () => {
    running = false;
    await control.stop();
    await looping;
    watch.flush();
    await Promise.all([publisher.stop(), metrics.stop()]).then(() => bus.close());
  };
});
