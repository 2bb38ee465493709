/**
 * Our two TPU engines, on node:quic and on quinn (native/), against three leaders of native/tpu-peer (Rust, quinn), beside
 * the same work done by a client in Rust, in one run and on leaders of the same kind.
 *
 *   bun bench/tpu.ts [transactions = 100000]          needs cargo and native/ (bun scripts/build-native.ts)
 *
 * Every transaction carries its number and the time of its send: the leaders say how many different ones they read and how
 * long each took, one way. Then the ways of a validator: what it saw as our identity, Retry, stream credit of an unstaked
 * peer, and two routes for the same bytes over a lossy link (tpu-peer link, for machines whose kernel has no netem).
 */
import { NativeTpuClient } from "#execute/tpu/native-tpu-client.ts";
import { TpuClient } from "#execute/tpu/tpu-client.ts";
import type { TpuEngine } from "#execute/tpu/tpu-engine.ts";
import { machine, short, table } from "./report.ts";
import {
  type Counters,
  identity,
  identityHex,
  openLeader,
  openLink,
  sendInRust,
  settled,
  TRANSACTION_BYTES,
  transaction,
} from "./tpu-peer.ts";

const COUNT = Number(process.argv[2] ?? 100_000);
const LEADERS = 3;
const IN_FLIGHT = 64;
const SAMPLES = 10;

const openBuiltin = () => new TpuClient({ identity: identity.tlsIdentity(), monotonicNs: () => Bun.nanoseconds() });
const openNative = () => new NativeTpuClient({ identity: identity.tlsIdentity(), controller: "phase" });

type Sent = { readonly seconds: number; readonly accepted: number; readonly rssMiB: readonly number[] };

async function sendAll(client: TpuEngine, addresses: readonly string[], count: number): Promise<Sent> {
  await Promise.all(addresses.map((address) => client.prepare(address)));
  let [next, accepted] = [0, 0];
  const rssMiB: number[] = [];
  const start = performance.now();
  const worker = async () => {
    while (next < count) {
      const number = next++;
      if (number % Math.ceil(count / SAMPLES) === 0) rssMiB.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
      const answer = await client.send(addresses[number % addresses.length] as string, transaction(number));
      if (answer.kind === "accepted") accepted++;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return { seconds: (performance.now() - start) / 1e3, accepted, rssMiB };
}

const rowOf = (name: string, seconds: number, counters: readonly Counters[]) => [
  name,
  short(COUNT / seconds),
  String(counters.reduce((sum, { distinct }) => sum + distinct, 0)),
  short(Math.max(...counters.map(({ p50Us }) => p50Us)) / 1e3),
  short(Math.max(...counters.map(({ p99Us }) => p99Us)) / 1e3),
];

const openLeaders = () => Promise.all(Array.from({ length: LEADERS }, () => openLeader(`staked=${identityHex}`)));
const rows: string[][] = [];
const notes: string[] = [];

for (const [name, open] of [
  ["Sandpiper, native engine", openNative],
  ["Sandpiper, node:quic", openBuiltin],
] as const) {
  const leaders = await openLeaders();
  const client = open();
  const addresses = leaders.map(({ at }) => at);
  const sent = await sendAll(client, addresses, COUNT);
  const counters = await settled(leaders);
  rows.push(rowOf(name, sent.seconds, counters));
  await client.close();
  for (const leader of leaders) leader.stop();
  const seen = new Set(counters.flatMap(({ identities }) => Object.keys(identities)));
  const whose = [...seen].map((hex) => (hex === identityHex ? "the key's" : hex)).join(", ");
  notes.push(
    `${name}: accepted ${sent.accepted}; identity seen: ${whose}; MiB at each tenth: ${sent.rssMiB.join(" ")}`,
  );
}
const theirs = await openLeaders();
const seconds = await sendInRust(
  theirs.map(({ at }) => at),
  COUNT,
  IN_FLIGHT,
);
rows.push(rowOf("Rust, quinn", seconds, await settled(theirs)));
for (const leader of theirs) leader.stop();

console.log(`${COUNT} transactions of ${TRANSACTION_BYTES} bytes to ${LEADERS} leaders, ${IN_FLIGHT} in flight\n`);
console.log(table(["client", "tx/s", "read by the leaders", "one way p50, ms", "p99, ms"], rows));
console.log(`\n${notes.join("\n")}\n`);

for (const [name, open] of [
  ["native engine", openNative],
  ["node:quic", openBuiltin],
] as const) {
  const retrying = await openLeader("retry=1", "unstaked_streams=16", "unstaked_per_100ms=20");
  const stranger = open();
  const slow = await sendAll(stranger, [retrying.at], 500);
  const [behaviour] = (await settled([retrying])) as [Counters];
  console.log(
    `${name}, unstaked, 20 per 100 ms, Retry: ${slow.accepted} of 500 accepted in ${short(slow.seconds)} s, ${behaviour.distinct} read, ${behaviour.retries} retries, ${behaviour.throttled} waits`,
  );
  await stranger.close();
  retrying.stop();
}

const RUNS = 2_000;
const LOSSY = ["kbit=0", "delay_ms=20", "loss_ppm=20000"];
const HOLE = ["kbit=0", "loss_ppm=1000000"];
const links: string[][] = [];
for (const [name, modes] of [
  ["one way, 20 ms, 2 % loss", [LOSSY]],
  ["one way, black hole", [HOLE]],
  ["hedged: black hole first, then 20 ms, 2 %", [HOLE, LOSSY]],
  ["hedged: 20 ms, 2 % first, then the same", [LOSSY, LOSSY]],
] as const) {
  const leader = await openLeader(`staked=${identityHex}`);
  const ways = await Promise.all(modes.map((mode) => openLink([leader.at], ...mode)));
  const sender = openNative();
  await Promise.all(ways.map(({ at }) => sender.prepare(at[0] as string)));
  let [extra, next] = [0, 0];
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < RUNS) {
        const wire = transaction(next++);
        const first = sender.send(ways[0]?.at[0] as string, wire);
        const answer = await Promise.race([first, Bun.sleep(15)]);
        const second = ways[1]?.at[0];
        if (second === undefined || answer?.kind === "accepted") await first;
        else {
          extra++;
          await Promise.all([first, sender.send(second, wire)]);
        }
      }
    }),
  );
  const [end] = (await settled([leader])) as [Counters];
  const share = `${short((100 * end.distinct) / RUNS)} %`;
  links.push([name, share, short(end.p50Us / 1e3), short(end.p99Us / 1e3), `${short((100 * extra) / RUNS)} %`]);
  await sender.close();
  for (const way of ways) way.stop();
  leader.stop();
}
console.log(`\n${RUNS} transactions by the native engine over a lossy link, hedge delay 15 ms\n`);
console.log(table(["ways", "read by the leader", "one way p50, ms", "p99, ms", "extra load"], links));
console.log(`\n${machine()}`);
process.exit(0);
