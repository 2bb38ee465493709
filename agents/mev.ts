/** The mev process: sees every swap, counts, and says each second what it saw. Detection is not part of it yet. */
import { openBus } from "#bus/open.ts";
import { startControl } from "#control/agent/start-control.ts";
import { errorText } from "#core/error.ts";
import { firstPolicy } from "#decide/loop-settings.ts";
import { createDoorbell } from "#ffi/doorbell.ts";
import { SwapReader } from "#market/swap-reader.ts";
import { openRegion } from "#memory/region.ts";
import { SLOT_RING_DOORBELL_BYTE, SlotConsumer } from "#memory/slot-ring.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { SwapCounter } from "#mev/swap-counter.ts";
import { runAgent } from "#supervise/agent-runtime.ts";
import { encodeEnvelope, metricsEnvelope } from "#wire/envelope.ts";

/** Records taken before the event loop gets its turn. */
const BATCH_RECORDS = 512;
/** Longest sleep on the doorbell: the event loop (heartbeat, bus, signals) must turn at least every 100 ms. */
const WAIT_MS_MAX = 50;
const WINDOW_MS = 1_000;

runAgent("mev", async (agent) => {
  const { config, clock, log } = agent;
  const buffer = openRegion(agent.paths.marketRing("mev"));
  const consumer = new SlotConsumer(buffer);
  const doorbell = createDoorbell(buffer, SLOT_RING_DOORBELL_BYTE);
  const counter = new SwapCounter();
  const reader = new SwapReader(consumer, (dex, pool) => counter.see(dex, pool));
  const bus = openBus(config, agent.paths, log, "mev");
  const control = startControl({
    ...{ agent: "mev", module: "mev", config, paths: agent.paths, bus, clock, log, configured: firstPolicy(config) },
    // Nothing is sent for it yet; what commands say is kept and answered all the same.
    switchboard: new Switchboard(new SharedArrayBuffer(Switchboard.bytes)),
  });
  let [eventsBefore, depthMax, publishDropped] = [0, 0, 0];
  let running = true;
  const publish = async () => {
    const fields = {
      agent: "mev",
      mode: config.mode,
      atNs: clock.wallNs(),
      windowMs: WINDOW_MS,
      events: BigInt(reader.events - eventsBefore),
      swaps: BigInt(counter.takeWindow().total),
      eventsTotal: BigInt(reader.events),
      swapsTotal: BigInt(reader.swaps),
      marketDropped: BigInt(reader.dropped),
      publishDropped: BigInt(publishDropped),
      slot: BigInt(reader.slot),
      marketLagMs: BigInt(reader.lagMs(clock.monotonicNs())),
      ringDepthMax: depthMax,
    };
    eventsBefore = reader.events;
    depthMax = 0;
    try {
      await bus.publish("metrics-proto", "mev", encodeEnvelope(metricsEnvelope(fields)));
    } catch (thrown) {
      publishDropped++;
      log.warn("metrics not published", { why: errorText(thrown) });
    }
  };

  const loop = async () => {
    while (running) {
      depthMax = Math.max(depthMax, consumer.depth());
      if (reader.doWork(BATCH_RECORDS) === 0) doorbell.wait(WAIT_MS_MAX);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const ticking = setInterval(() => void publish(), WINDOW_MS);
  const looping = loop();
  agent.ready();
  return async () => {
    running = false;
    clearInterval(ticking);
    await control.stop();
    await looping;
    await publish();
    await bus.close();
  };
});
