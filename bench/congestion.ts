/**
 * The native TPU engine's congestion controllers on a slow, lossy link: 20 Mbit/s, 20 ms each way, with and without 2 % loss,
 * a tail-drop queue of 40 ms. Each alone with all that it can take, alone with half of what the link carries (what a
 * transaction takes then, one way), and beside a flow of cubic's on the same bottleneck.
 *
 *   bun bench/congestion.ts [seconds a run = 4]          needs cargo and native/ (bun scripts/build-native.ts)
 *
 * The link is `tpu-peer link`, in a process of its own: netem as a UDP relay, for kernels without it. Without a rate a flow always
 * has transactions to send. "phase, in its slots" is always in phase; "phase, its slots of two" has four slots of 400 ms of every
 * eight. Jain's index is 1 when both get the same and 0.5 when one gets all.
 */
import { NativeTpuClient, type NativeTpuOptions } from "#execute/tpu/native-tpu-client.ts";
import { machine, short, table } from "./report.ts";
import { identity, identityHex, openLeader, openLink, transaction } from "./tpu-peer.ts";

const SECONDS = Number(process.argv[2] ?? 4);
const WARM_MS = 1_500;
const IN_FLIGHT = 384;
/** Half of what the link carries. */
const PACED_PER_SECOND = 1_000;
const PACE_MS = 5;
const LEADER_MS = 4 * 400;
const KBIT = 20_000;
const LINK = [`kbit=${KBIT}`, "queue_ms=40", "delay_ms=20"];

type Controller = NativeTpuOptions["controller"];
type Phase = "always" | "half" | "never";
type Flow = { readonly controller: Controller; readonly phase: Phase };
type Figures = {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly lostPct: number;
};

async function run(flows: readonly Flow[], lossPpm: number, perSecond?: number): Promise<Figures[]> {
  const leaders = await Promise.all(flows.map(() => openLeader(`staked=${identityHex}`)));
  const link = await openLink(
    leaders.map(({ at }) => at),
    ...LINK,
    `loss_ppm=${lossPpm}`,
  );
  const clients = flows.map(({ controller }) => new NativeTpuClient({ identity: identity.tlsIdentity(), controller }));
  const timers: Timer[] = [];
  let running = true;
  await Promise.all(clients.map((client, i) => client.prepare(link.at[i] as string)));
  clients.forEach((client, i) => {
    const [address, phase] = [link.at[i] as string, flows[i]?.phase];
    client.lead(phase === "never" ? undefined : address);
    let turn = true;
    if (phase === "half")
      timers.push(
        setInterval(() => {
          turn = !turn;
          client.lead(turn ? address : undefined);
        }, LEADER_MS),
      );
  });
  let number = 0;
  if (perSecond !== undefined)
    timers.push(
      setInterval(() => {
        for (let n = 0; n < (perSecond * PACE_MS) / 1e3; n++)
          void clients[0]?.send(link.at[0] as string, transaction(number++));
      }, PACE_MS),
    );
  const workers = perSecond === undefined ? IN_FLIGHT : 0;
  const sending = clients.flatMap((client, i) =>
    Array.from({ length: workers }, async (_, worker) => {
      for (let n = 0; running; n++) await client.send(link.at[i] as string, transaction(worker * 1e6 + n));
    }),
  );
  await Bun.sleep(WARM_MS);
  const before = await Promise.all(leaders.map((leader) => leader.counters()));
  const start = performance.now();
  await Bun.sleep(SECONDS * 1e3);
  const after = await Promise.all(leaders.map((leader) => leader.counters()));
  const seconds = (performance.now() - start) / 1e3;
  const paths = clients.map((client, i) => client.path(link.at[i] as string));
  running = false;
  for (const timer of timers) clearInterval(timer);
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(sending);
  link.stop();
  for (const leader of leaders) leader.stop();
  return flows.map((_, i) => {
    const { sentPackets = 0, lostPackets = 0 } = paths[i] ?? {};
    return {
      perSecond: ((after[i]?.distinct ?? 0) - (before[i]?.distinct ?? 0)) / seconds,
      p50Us: after[i]?.p50Us ?? 0,
      p99Us: after[i]?.p99Us ?? 0,
      lostPct: (100 * lostPackets) / Math.max(1, sentPackets),
    };
  });
}

const FLOWS: readonly (Flow & { readonly name: string })[] = [
  { name: "cubic", controller: "cubic", phase: "never" },
  { name: "BBR", controller: "bbr", phase: "never" },
  { name: "phase, in its slots", controller: "phase", phase: "always" },
  { name: "phase, its slots of two", controller: "phase", phase: "half" },
];

for (const lossPpm of [20_000, 0]) {
  const rows: string[][] = [];
  for (const { name, ...flow } of FLOWS) {
    const [alone] = (await run([flow], lossPpm)) as [Figures];
    const [paced] = (await run([flow], lossPpm, PACED_PER_SECOND)) as [Figures];
    const [first, second] = (await run([flow, { controller: "cubic", phase: "never" }], lossPpm)) as [Figures, Figures];
    const [a, b] = [first.perSecond, second.perSecond];
    rows.push([
      name,
      short(alone.perSecond),
      short(alone.lostPct),
      short(paced.p50Us / 1e3),
      short(paced.p99Us / 1e3),
      `${short(a)} : ${short(b)}`,
      short((a + b) ** 2 / (2 * (a * a + b * b))),
    ]);
  }
  console.log(`\n${KBIT / 1e3} Mbit/s, 20 ms each way, queue 40 ms, ${lossPpm / 1e4} % random loss each way\n`);
  console.log(
    table(
      [
        "controller",
        "tx/s alone",
        "packets lost, %",
        `p50 at ${PACED_PER_SECOND}/s, ms`,
        "p99, ms",
        "tx/s beside cubic",
        "Jain",
      ],
      rows,
    ),
  );
}
console.log(`\n${machine()}`);
process.exit(0);
