/**
 * What hedging gives, and that it cannot execute twice: the TPU door of the local cluster behind two links of 20 ms and 2 % loss
 * each way, of which the first becomes a black hole a quarter into the run, with its connection open.
 *
 *   bun bench/hedge.ts [attempts = 1500] [twice = 100000]          needs cargo and native/ (bun scripts/build-native.ts)
 *
 * Attempts leave at a steady rate over slots of 400 ms: by one way only, by the best way as the route manager learns it, and
 * hedged (0 attempts: not at all). What did not land within GIVE_UP_MS is lost, and the route manager hears of it. Then every one of `twice`
 * transactions goes by two ways, over QUIC and over the RPC: the executions are counted, and the receiver's balance is.
 */
import { RouteManager } from "#decide/routes/route-manager.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import type { Route, RouteName, SendingRoute } from "#execute/route.ts";
import { HedgedRoute } from "#execute/routes/hedged-route.ts";
import { RpcRoute } from "#execute/routes/rpc-route.ts";
import { createRpc } from "#execute/rpc.ts";
import { startWorld } from "#execute/test-world.ts";
import { NativeTpuClient } from "#execute/tpu/native-tpu-client.ts";
import { signatureOf } from "#execute/transaction.ts";
import { transfer } from "#sim/cluster/fixture.ts";
import { startTpuDoor } from "#sim/tpu/tpu-door.ts";
import { machine, median, short, table } from "./report.ts";
import { identity, openLink } from "./tpu-peer.ts";

const ATTEMPTS = Number(process.argv[2] ?? 1_500);
const TWICE = Number(process.argv[3] ?? 100_000);
const SLOT_MS = 400;
const PER_SECOND = 150;
const GIVE_UP_MS = 2_500;
const IN_FLIGHT = 64;
const PER_SLOT = 400;

const world = await startWorld();
const door = await startTpuDoor(world.cluster, { port: 0 });
const receiver = keypairFromSeed(new Uint8Array(32).fill(77));
const executions = new Map<string, number>();
const landed = new Map<string, { readonly slot: number; readonly ms: number }>();
world.cluster.onTransaction(({ signature }) => {
  executions.set(signature, (executions.get(signature) ?? 0) + 1);
  if (!landed.has(signature)) landed.set(signature, { slot: Number(world.cluster.slot), ms: performance.now() });
});
const nextSlot = () => {
  world.clock.advanceNs(SLOT_MS * 1e6);
  world.cluster.nextSlot();
};
let sum = 0n;
function payment(lamports: bigint): Uint8Array {
  sum += lamports;
  return transfer(world.cluster, world.wallet.keypair, receiver.address, lamports);
}
// Above what an account must hold to exist.
world.cluster.submit(payment(1_000_000_000n));
const openClient = () => new NativeTpuClient({ identity: identity.tlsIdentity(), controller: "phase" });

/** A way of its own to the door. */
function wayOf(name: RouteName, client: NativeTpuClient, address: string): Route {
  const base: SendingRoute = {
    name,
    health: { healthy: true, rttNs: 0, inFlight: 0, sent: 0, failed: 0 },
    send: async (wire, routeId) => {
      const answer = await client.send(address, wire);
      return answer.kind === "accepted" ? { kind: "accepted", routeId } : answer;
    },
    statuses: async (ids) => ids.map(() => ({ kind: "pending" })),
  };
  return Object.assign(base, { tipAccount: () => "", tipFloorLamports: 0, refreshTipFloor: async () => {} });
}

let lamports = 1n;
async function run(name: string, ways: readonly RouteName[], extraPctMax: number, hedgeMsMax = 15): Promise<string[]> {
  const links = await Promise.all(
    [0, 1].map((seed) => openLink([`127.0.0.1:${door.port}`], `seed=${7 + seed}`, "kbit=0")),
  );
  const client = openClient();
  const addresses = links.map(({ at }) => at[0] as string);
  await Promise.all(addresses.map((address) => client.prepare(address)));
  const all = [wayOf("tpu", client, addresses[0] as string), wayOf("rpc", client, addresses[1] as string)];
  const routes = all.filter((route) => ways.includes(route.name));
  const manager = new RouteManager<RouteName>(ways, Math.random, { tpu: { pLand: 0.9 }, rpc: { pLand: 0.8 } });
  const moment = () => ({ leader: "leader", hour: 3 });
  const limits = { hedgeMsMin: 8, hedgeMsMax, extraPctMax };
  const clock = { monotonicNs: () => performance.now() * 1e6 };
  // Without a budget for extra load it is the best route and nothing else.
  const main = routes[0] as Route;
  const route = new HedgedRoute({ main, routes, manager, moment, ...limits, sleep: Bun.sleep, clock });
  const slots = setInterval(nextSlot, SLOT_MS);
  const sent: { readonly signature: string; readonly slot: number; readonly ms: number }[] = [];
  const settling: Promise<void>[] = [];
  const start = performance.now();
  while (sent.length < ATTEMPTS) {
    const due = Math.min(ATTEMPTS, Math.ceil(((performance.now() - start) / 1e3) * PER_SECOND));
    for (let n = sent.length; n < due; n++) {
      if (n === Math.floor(ATTEMPTS / 4)) await links[0]?.counters("loss 1000000");
      const wire = payment(lamports++);
      const signature = String(signatureOf(wire));
      sent.push({ signature, slot: Number(world.cluster.slot), ms: performance.now() });
      void route.send(wire, signature);
      const settle = async () => {
        await Bun.sleep(GIVE_UP_MS);
        route.settled(signature, landed.has(signature));
      };
      settling.push(settle());
    }
    await Bun.sleep(2);
  }
  await Promise.all(settling);
  clearInterval(slots);
  await client.close();
  for (const link of links) link.stop();
  const ends = sent.flatMap(({ signature, slot, ms }) => {
    const end = landed.get(signature);
    return end === undefined ? [] : [{ slots: end.slot - slot, ms: end.ms - ms }];
  });
  const p99 = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0;
  const [deltas, times] = [ends.map(({ slots: delta }) => delta), ends.map(({ ms }) => ms)];
  return [
    name,
    short((100 * ends.length) / ATTEMPTS),
    `${median(deltas)} / ${p99(deltas)}`,
    `${short(median(times))} / ${short(p99(times))}`,
    short((100 * route.counters.hedged) / ATTEMPTS),
  ];
}

const rows =
  ATTEMPTS === 0
    ? []
    : [
        await run("one way: the one that becomes a black hole", ["tpu"], 0),
        await run("one way: the other", ["rpc"], 0),
        await run("best way, learned", ["tpu", "rpc"], 0),
        await run("hedged, at most 20 % more", ["tpu", "rpc"], 20),
        await run("hedged, no bound", ["tpu", "rpc"], 100),
        await run("hedged, no bound, delay up to 100 ms", ["tpu", "rpc"], 100, 100),
      ];
if (rows.length > 0)
  console.log(`${ATTEMPTS} attempts each, ${PER_SECOND}/s, slots of ${SLOT_MS} ms, 20 ms and 2 % loss each way\n`);
if (rows.length > 0)
  console.log(table(["sent by", "landed, %", "slots later p50 / p99", "ms p50 / p99", "extra load, %"], rows));

const client = openClient();
const address = `127.0.0.1:${door.port}`;
await client.prepare(address);
const rpc = new RpcRoute(createRpc({ url: world.rpcDoor.url }), { monotonicNs: () => performance.now() * 1e6 });
const before = world.cluster.account(receiver.address)?.lamports ?? 0n;
executions.clear();
sum = 0n;
let [next, both] = [0, 0];
const start = performance.now();
await Promise.all(
  Array.from({ length: IN_FLIGHT }, async () => {
    while (next < TWICE) {
      if (++next % PER_SLOT === 0) nextSlot();
      const wire = payment(lamports++);
      const answers = await Promise.all([client.send(address, wire), rpc.send(wire, String(signatureOf(wire)))]);
      if (answers.every(({ kind }) => kind !== "unanswered")) both++;
    }
  }),
);
const seconds = (performance.now() - start) / 1e3;
const received = (world.cluster.account(receiver.address)?.lamports ?? 0n) - before;
const twice = [...executions.values()].filter((count) => count > 1).length;
console.log(`
${TWICE} transactions by two ways each, ${both} answered by both, ${short(TWICE / seconds)}/s: executed ${executions.size}, of them twice ${twice};
the receiver got ${received} lamports, the payments' sum is ${sum}: ${received === sum ? "equal" : "DIFFERENT"}
${machine()}`);
await client.close();
await door.stop();
await world.stop();
process.exit(twice === 0 && received === sum && executions.size === TWICE ? 0 : 1);
