/**
 * Attempts on the local cluster and its block engine, through their doors, each followed to its one final state: how many
 * of each state, whether every attempt has exactly one, and whether the sums of the outcomes equal what happened to the
 * wallet, to the lamport.
 *
 *   bun bench/landing.ts [attempts = 100000] [seconds at most]
 *
 * Opportunities are opened by trades; before the auction another trade may come (state moved), a rival may bid (outbid),
 * the transaction may be lost on its way though it was acknowledged (dropped), or its acknowledgement may be (and it lands
 * all the same), a route may keep saying "pending" of what it lost (expired), and a tip may be below the engine's least
 * (rejected). With a hedge: part of the attempts also goes to the RPC at once, the same bytes (nothing executes twice).
 * Eight attempts a slot, one an auction; time is the bench's own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "#core/random.ts";
import { ChainState } from "#execute/chain-state.ts";
import { Desk } from "#execute/desk.ts";
import { openJitoRoute } from "#execute/jito.ts";
import { BundleJournal } from "#execute/journal.ts";
import { Outbox } from "#execute/outbox.ts";
import { RivalFinder } from "#execute/rivals.ts";
import type { Route, SendAnswer } from "#execute/route.ts";
import { RpcRoute } from "#execute/routes/rpc-route.ts";
import { createRpc } from "#execute/rpc.ts";
import { decide, startWorld, trade } from "#execute/test-world.ts";
import { LandingTracker } from "#execute/tracker.ts";
import { Rival } from "#sim/rival/rival.ts";
import { decodeEnvelope } from "#wire/envelope.ts";
import { machine, short, table } from "./report.ts";

const ATTEMPTS = Number(process.argv[2] ?? 100_000);
const SECONDS_MAX = Number(process.argv[3] ?? Number.POSITIVE_INFINITY);
const SLOT_NS = 400_000_000;
const TICKS_PER_SLOT = 8;
const QUIET_SLOTS_MAX = 400;
const [MOVED, BEATEN, LOST, HELD, UNACKNOWLEDGED, HEDGED, TINY] = [0.12, 0.3, 0.02, 0.005, 0.03, 0.2, 0.005];
const TINY_TIP_LAMPORTS = 500n;

const folder = mkdtempSync(join(tmpdir(), "sandpiper-landing-"));
const world = await startWorld();
const { clock, wallet, cluster, engine, market } = world;
const random = seededRandom("landing");
const rpc = createRpc({ url: world.rpcDoor.url });
const baseAccount = await wallet.baseAccount();
const chain = new ChainState(rpc, clock, baseAccount);
await chain.refresh();
await wallet.learn(world.pools);
const jito = await openJitoRoute({ url: world.engineDoor.url, clock, random: random.unit });
const direct = new RpcRoute(rpc, clock);
const counts = { hedged: 0, lost: 0, held: 0, unacknowledged: 0 };
const held = new Set<string>();
let flying = 0;

/** The block engine behind a way that loses things. */
const route: Route = {
  name: "jito",
  get health() {
    return jito.health;
  },
  tipFloorLamports: 0,
  tipAccount: () => jito.tipAccount(),
  refreshTipFloor: async () => {},
  statuses: async (ids) =>
    (await jito.statuses(ids))?.map((status, i) => (held.has(ids[i] as string) ? { kind: "pending" } : status)),
  send: async (wire, routeId) => {
    flying++;
    try {
      return await sendOn(wire, routeId);
    } finally {
      flying--;
    }
  },
};

async function sendOn(wire: Uint8Array, routeId: string): Promise<SendAnswer> {
  if (random.unit() < LOST) {
    counts.lost++;
    return { kind: "accepted", routeId };
  }
  if (random.unit() < HELD) {
    counts.held++;
    held.add(routeId);
    return { kind: "accepted", routeId };
  }
  const hedged = random.unit() < HEDGED;
  const sending = jito.send(wire, routeId);
  if (hedged) {
    counts.hedged++;
    const [first, second] = await Promise.all([sending, direct.send(wire, routeId)]);
    return first.kind === "accepted" || second.kind !== "accepted" ? first : { kind: "accepted", routeId };
  }
  const answer = await sending;
  if (random.unit() >= UNACKNOWLEDGED) return answer;
  counts.unacknowledged++;
  return { kind: "unanswered", why: "the acknowledgement was lost" };
}

const outcomes = new Map<string, number>();
const states = new Map<string, number>();
let realised = 0n;
let exact = 0;
let predictedOff = 0;
const outbox = new Outbox(async (_, __, value) => {
  const { payload } = decodeEnvelope(value);
  if (payload.case !== "outcome") return;
  const { decisionId, state, realisedNetLamports } = payload.value;
  outcomes.set(decisionId, (outcomes.get(decisionId) ?? 0) + 1);
  states.set(state, (states.get(state) ?? 0) + 1);
  realised += realisedNetLamports;
  if (payload.value.exact) exact++;
  else if (state === "landed") predictedOff++;
}, Bun.sleep);
const journal = new BundleJournal(join(folder, "open.ndjson"));
const desk = new Desk({
  identity: { agent: "arbitrage", mode: "sim", version: "bench", runStartMs: 1 },
  wallet,
  pool: (index) => world.pools[index],
  live: { route, chain },
  journal,
  outbox,
  unixNs: () => clock.wallNs(),
  wallNs: () => clock.wallNs(),
  wallQuality: () => clock.wallQuality(),
  isKilled: () => false,
  nextLeader: () => 0,
  leaderOf: async () => String(cluster.identity),
  note: () => {},
  onSendTook: () => {},
  onSimulated: () => {},
  onSettled: () => {},
});
const tracker = new LandingTracker({
  ...{ rpc, route, chain, clock },
  rivals: new RivalFinder(rpc, new Set(jito.tipAccounts)),
  wallet: wallet.address,
  settled: (...end) => desk.settle(...end),
});
desk.followWith(tracker);

const rival = new Rival(engine, market, market.rivals[0] as (typeof market.rivals)[number], "landing");
let executed = 0;
const signatures = new Set<string>();
let doubled = 0;
cluster.onTransaction(({ signature }) => {
  executed++;
  if (signatures.has(signature)) doubled++;
  signatures.add(signature);
});

/** All that the wallet has: lamports and wSOL. */
function wealth(): bigint {
  const data = cluster.account(baseAccount)?.data ?? new Uint8Array(72);
  const units = new DataView(data.buffer, data.byteOffset).getBigUint64(64, true);
  return (cluster.account(wallet.address)?.lamports ?? 0n) + units;
}

const before = wealth();
const start = performance.now();
let attempts = 0;
let slots = 0;
let quiet = 0;
/** One opportunity, one decision, and what happens to it before its auction is held. */
async function attempt(): Promise<void> {
  const pool = () => random.between(0, world.pools.length);
  trade(world, pool(), random.between(0, 2) as 0 | 1, BigInt(random.between(5, 40)));
  const tip = random.unit() < TINY ? TINY_TIP_LAMPORTS : BigInt(random.between(10_000, 400_000));
  try {
    desk.take(decide(world, tip, attempts + 1));
    attempts++;
  } catch {
    // No cycle earns now.
  }
  if (random.unit() < MOVED) trade(world, pool(), random.between(0, 2) as 0 | 1, 10n);
  if (random.unit() < BEATEN) rival.run(clock.monotonicNs() / 1e6);
  while (flying > 0) await Bun.sleep(0);
}

const wanted = () => attempts < ATTEMPTS && performance.now() - start < SECONDS_MAX * 1e3;
while (wanted() || (desk.openCount > 0 && quiet++ < QUIET_SLOTS_MAX)) {
  for (let tick = 0; tick < TICKS_PER_SLOT; tick++) {
    if (wanted()) await attempt();
    engine.tick();
  }
  clock.advanceNs(SLOT_NS);
  cluster.nextSlot();
  slots++;
  await chain.refresh();
  await tracker.poll();
}
while (outbox.owed > 0) await Bun.sleep(1);
const seconds = (performance.now() - start) / 1e3;
const change = wealth() - before;

const rows = [...states]
  .sort(([, a], [, b]) => b - a)
  .map(([state, n]) => [state, String(n), short((100 * n) / attempts)]);
console.log(table(["final state", "attempts", "%"], rows));
const once = [...outcomes.values()].filter((count) => count === 1).length;
console.log(`
attempts ${attempts}, with exactly one final state ${once}, still open ${desk.openCount}
landed to the unit ${exact}, on a better state than predicted ${predictedOff}
sum of the outcomes ${realised}, change of the wallet ${change}: ${realised === change ? "equal" : "DIFFERENT"}
transactions executed ${executed}, of them twice ${doubled}; hedged ${counts.hedged}, lost ${counts.lost}, said pending for ever ${counts.held}, acknowledgement lost ${counts.unacknowledged}
${short(attempts / seconds)} attempts/s over ${slots} slots; ${machine()}`);
journal.close();
await world.stop();
rmSync(folder, { recursive: true });
process.exit(once === attempts && realised === change && doubled === 0 ? 0 : 1);
