/** The feed process: one market source, which the mode chooses, into the rings of the agents. */
import { writeMarketReport } from "#core/market-report.ts";
import { cpmmAuthority } from "#dex/addresses.ts";
import { endpointsOf } from "#execute/endpoints.ts";
import { createDoorbell } from "#ffi/doorbell.ts";
import { PoolCatalogueBook } from "#market/catalogue.ts";
import { Feed } from "#market/feed.ts";
import { MarketRing } from "#market/market-ring.ts";
import { openMarketSource } from "#market/open-source.ts";
import { openRecorder } from "#market/recording/open-recorder.ts";
import { TokenNamesBook } from "#market/token-names.ts";
import { openRegion } from "#memory/region.ts";
import { SLOT_RING_DOORBELL_BYTE } from "#memory/slot-ring.ts";
import { type AgentContext, runAgent } from "#supervise/agent-runtime.ts";

/** How often readers' requests for a snapshot are looked at when the market is silent; each time is a heartbeat. */
const TICK_MS = 20;
/** How often new trouble is told, and names of new tokens are asked for. */
const TELL_MS = 10_000;
/** How often the report on the market is written. */
const REPORT_MS = 1_000;
/** A recording waits for slow readers for so long before each block, then goes on (what finds no room is counted). */
const PACE_MS_MAX = 30_000;
/** What a block may need of a ring before the recording waits. */
const PACE_ROOM_SLOTS = 4_096;

runAgent("feed", async (agent) => {
  const rings = { arbitrage: openRing(agent, "arbitrage"), mev: openRing(agent, "mev") };
  const replayed = agent.config.mode === "replay";
  const catalogue = new PoolCatalogueBook(agent.paths.poolCatalogue);
  const names = new TokenNamesBook(agent.paths.tokenNames, endpointsOf(agent.config).rpcUrl);
  const feed = new Feed({
    ...{ ...rings, catalogue },
    cpmmAuthority: (await cpmmAuthority()).address,
    unixSeconds: () => Number(agent.clock.wallNs() / 1_000_000_000n),
    replayed,
  });
  const recorder = openRecorder(agent);
  const [pace, since] = [() => paced(Object.values(rings)), (max: number) => rings.mev.lastTransactions(max)];
  const source = openMarketSource({ ...agent, ...{ pace, since } });
  const tick = setInterval(() => [agent.beat(), feed.serveSnapshots()], TICK_MS);
  let told = JSON.stringify(feed.troubles());
  const telling = setInterval(() => {
    const now = JSON.stringify(feed.troubles());
    if (now !== told) agent.log.warn("market trouble, counted since the start", feed.troubles());
    told = now;
    if (!replayed) void names.follow(catalogue.pools);
  }, TELL_MS);
  const reporting = setInterval(() => {
    const { counters = {}, streams = [] } = source.report?.() ?? {};
    const all = { ...counters, ...feed.troubles() };
    const report = { atMs: Date.now(), pools: feed.pools, counters: all, streams };
    writeMarketReport(agent.paths.marketReport, report);
  }, REPORT_MS);
  agent.ready();
  // A source that cannot go on is an unhandled rejection, which the runtime turns into one line and an exit code.
  const sink = recorder === undefined ? feed.handle : recorder.before(feed.handle);
  void source.run(sink).then(() => agent.log.info("market source ended", feed.counters));
  return () => {
    clearInterval(tick);
    clearInterval(telling);
    clearInterval(reporting);
    source.stop();
    recorder?.close();
  };
});

function openRing(agent: AgentContext, name: "arbitrage" | "mev"): MarketRing {
  const buffer = openRegion(agent.paths.marketRing(name));
  const doorbell = createDoorbell(buffer, SLOT_RING_DOORBELL_BYTE);
  return new MarketRing(buffer, () => doorbell.ring(), agent.clock.monotonicNs);
}

async function paced(rings: readonly MarketRing[]): Promise<void> {
  for (let waitedMs = 0; waitedMs < PACE_MS_MAX; waitedMs += TICK_MS) {
    if (rings.every((ring) => ring.room() >= PACE_ROOM_SLOTS)) return;
    await Bun.sleep(TICK_MS);
  }
}
