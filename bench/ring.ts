/**
 * How fast are the rings, beside the same ring in C++, postMessage and a Unix socket? `bun bench/ring.ts [RUNS]`, four minutes.
 *
 * Records of 64 bytes in a ring of 4,096, every word written and read: fixed slots by the row, and byte records of that
 * length; in C++ slots claimed one by one, as rigtorp's ring has it, and by the row. Throughput with one message per
 * publish, with 32 and with 256; one-way latency as half a round trip over two rings, both ends spinning or both asleep at
 * a futex. Between two threads (Workers over a SharedArrayBuffer) and between two processes (over /dev/shm). Ours and C++
 * take turns, so noise falls on both; medians over the runs. Each end is kept on a core of its own, the first two this
 * process may use: on one core the two take turns over a warm cache, which is another figure altogether.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { byteRingBytes, formatByteRing } from "#memory/byte-ring.ts";
import { createRegion } from "#memory/region.ts";
import { formatSlotRing, slotRingBytes } from "#memory/slot-ring.ts";
import { compileNative } from "./native.ts";
import { machine, median, short, table } from "./report.ts";
import type { PeerJob, PeerResult } from "./ring-job.ts";
import type { PeerMemory } from "./ring-peer.ts";

const FORMAT = { capacity: 4_096, slotBytes: 64 };
const MEETING_BYTES = 4_096;
/** The warm-up is long: the last compiler comes late, and its thread would sit on the core of an end. */
const THROUGHPUT = { warmUp: 4_000_000, count: 8_000_000 };
const LATENCY = { warmUp: 100_000, count: 200_000 };
const PARKED = { warmUp: 5_000, count: 10_000 };
/** What waits in an event loop takes its time. */
const CHANNEL = { throughput: { warmUp: 50_000, count: 400_000 }, latency: { warmUp: 2_000, count: 10_000 } };
const PEER = join(import.meta.dir, "ring-peer.ts");
const CHANNEL_PEER = join(import.meta.dir, "ring-channel-peer.ts");

const CORES = twoCores();

type Place = "threads" | "processes";
type Kind = "throughput" | "latency" | "parked";
type Case = { readonly place: Place; readonly batch: number; readonly kind: Kind; readonly layout: PeerJob["layout"] };
const SIZES = { throughput: THROUGHPUT, latency: LATENCY, parked: PARKED } as const;
const PLACES = ["threads", "processes"] as const;
const BATCHES = [1, 32, 256];
type Rates = [slots: number, bytes: number, native: number, rows: number, channel: number];
const SHARES = [
  ["p50", "p50"],
  ["p99", "p99"],
  ["p999", "p99.9"],
] as const;

const OTHER = "postMessage / Unix socket";
const THROUGHPUT_HEAD = [
  ...["between two", "batch", "slots, M/s", "C++, M/s", "ratio", "C++ by rows, M/s", "ratio", "bytes, M/s"],
  `${OTHER}, M/s`,
];

/** The far end runs in a Worker or a process; so does the near one, so that both are treated alike. */
async function runOurs({ place, batch, kind, layout }: Case): Promise<PeerResult> {
  const how = { batch, layout, parks: kind === "parked", ...SIZES[kind] };
  const far: PeerJob = { role: kind === "throughput" ? "produce" : "echo", core: CORES[1], ...how };
  const near: PeerJob = { role: kind === "throughput" ? "consume" : "ping", core: CORES[0], ...how };
  return place === "threads" ? runThreads(far, near) : runProcesses(far, near);
}

/** A ring in a buffer that `make` makes; a byte ring of as many bytes as the slots have. */
function ringIn(make: (bytes: number) => ArrayBufferLike, layout: PeerJob["layout"]): ArrayBufferLike {
  const capacity = FORMAT.capacity * FORMAT.slotBytes;
  const buffer = make(layout === "slots" ? slotRingBytes(FORMAT) : byteRingBytes(capacity));
  if (layout === "slots") formatSlotRing(buffer, FORMAT);
  else formatByteRing(buffer, capacity);
  return buffer;
}

async function runThreads(far: PeerJob, near: PeerJob): Promise<PeerResult> {
  const ring = () => ringIn((bytes) => new SharedArrayBuffer(bytes), far.layout);
  const memory: PeerMemory = { there: ring(), back: ring(), meeting: new SharedArrayBuffer(MEETING_BYTES) };
  const [, result] = await Promise.all([inWorker(PEER, { job: far, memory }), inWorker(PEER, { job: near, memory })]);
  return result;
}

function inWorker(file: string, message: unknown, transfer: Transferable[] = []): Promise<PeerResult> {
  const worker = new Worker(file);
  worker.postMessage(message, transfer);
  return new Promise<PeerResult>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<PeerResult>) => {
      worker.terminate();
      resolve(event.data);
    };
    worker.onerror = (event) => reject(new Error(event.message));
  });
}

/** postMessage between threads, a Unix socket between processes. */
async function runChannel(place: Place, batch: number, kind: keyof typeof CHANNEL): Promise<PeerResult> {
  const how = { batch, layout: "slots", parks: true, ...CHANNEL[kind] } as const;
  const far: PeerJob = { role: kind === "throughput" ? "produce" : "echo", core: CORES[1], ...how };
  const near: PeerJob = { role: kind === "throughput" ? "consume" : "ping", core: CORES[0], ...how };
  if (place === "threads") {
    const { port1, port2 } = new MessageChannel();
    const [, result] = await Promise.all([
      inWorker(CHANNEL_PEER, { job: far, port: port1 }, [port1]),
      inWorker(CHANNEL_PEER, { job: near, port: port2 }, [port2]),
    ]);
    return result;
  }
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-"));
  const start = (job: PeerJob) =>
    Bun.spawn([process.execPath, CHANNEL_PEER, JSON.stringify(job), join(folder, "socket")], { stderr: "inherit" });
  try {
    const lines = createInterface({ input: Readable.fromWeb(start(near).stdout as never) })[Symbol.asyncIterator]();
    await lines.next();
    const other = start(far);
    const result = JSON.parse((await lines.next()).value ?? "{}") as PeerResult;
    await other.exited;
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function runProcesses(far: PeerJob, near: PeerJob): Promise<PeerResult> {
  const folder = mkdtempSync("/dev/shm/sandpiper-bench-");
  const [there, back, meeting] = ["there", "back", "meeting"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [there, back]) ringIn((bytes) => createRegion(path, bytes), far.layout);
  createRegion(meeting, MEETING_BYTES);
  const run = async (job: PeerJob) => {
    const child = Bun.spawn([process.execPath, PEER, JSON.stringify(job), there, back, meeting], { stderr: "inherit" });
    return JSON.parse(await new Response(child.stdout).text()) as PeerResult;
  };
  try {
    const [, result] = await Promise.all([run(far), run(near)]);
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One by one as rigtorp's ring has it, or by the row as ours. */
function runNative(executable: string, { place, batch, kind }: Case, claims: "one" | "row" = "one"): PeerResult {
  const how = kind !== "throughput" ? kind : claims === "one" ? String(batch) : `rows-${batch}`;
  const ran = Bun.spawnSync([executable, place, how, ...[SIZES[kind].count, ...CORES].map(String)]);
  return JSON.parse(ran.stdout.toString()) as PeerResult;
}

/** The first two cores this process may use. */
function twoCores(): readonly [number, number] {
  const list = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  const cores = list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  const [near, far] = cores;
  if (near === undefined || far === undefined) throw new Error(`Cannot run: two cores, was ${list}`);
  return [near, far];
}

/** Ours and the others in turns, so that noise falls on all. */
async function medians(runs: number, ways: readonly (() => Promise<PeerResult> | PeerResult)[]): Promise<PeerResult[]> {
  const results: PeerResult[][] = ways.map(() => []);
  for (let run = 0; run < runs; run++)
    for (const [i, way] of ways.entries()) (results[i] as PeerResult[]).push(await way());
  return results.map((of) =>
    Object.fromEntries(
      Object.keys(of[0] ?? {}).map((key) => [key, median(of.map((r) => r[key as keyof PeerResult] as number))]),
    ),
  );
}

async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? 5);
  const executable = compileNative("spsc-ring.cpp");
  const throughput: string[][] = [];
  const latency: string[][] = [];
  for (const place of PLACES)
    for (const batch of BATCHES) {
      const one = { place, batch, kind: "throughput", layout: "slots" } as const;
      const rates = await medians(runs, [
        () => runOurs(one),
        () => runOurs({ ...one, layout: "bytes" }),
        () => runNative(executable, one),
        () => runNative(executable, one, "row"),
        () => runChannel(place, batch, "throughput"),
      ]);
      const [slots, bytes, native, rows, channel] = rates.map((r) => r.millionPerSecond ?? Number.NaN) as Rates;
      const figures = [slots, native, slots / native, rows, slots / rows, bytes, channel];
      throughput.push([place, String(batch), ...figures.map(short)]);
    }
  for (const place of PLACES) {
    const one = { place, batch: 1, layout: "slots" } as const;
    const ways = [
      () => runOurs({ ...one, kind: "latency" }),
      () => runNative(executable, { ...one, kind: "latency" }),
      () => runOurs({ ...one, kind: "parked" }),
      () => runNative(executable, { ...one, kind: "parked" }),
      () => runChannel(place, 1, "latency"),
    ];
    const [spinning, nativeSpinning, asleep, nativeAsleep, channel] = await medians(runs, ways);
    for (const [key, name] of SHARES) {
      const at = (result: PeerResult | undefined) => result?.[key] ?? Number.NaN;
      const pair = (mine: number, theirs: number) => [short(mine), short(theirs), short(mine / theirs)];
      latency.push([place, "spinning", name, ...pair(at(spinning), at(nativeSpinning)), "–"]);
      latency.push([place, "asleep", name, ...pair(at(asleep), at(nativeAsleep)), short(at(channel))]);
    }
  }
  console.log(`${table(THROUGHPUT_HEAD, throughput)}\n`);
  console.log(
    `${table(["between two", "reader", "one way", "slots, ns", "C++, ns", "ratio", `${OTHER}, ns`], latency)}\n`,
  );
  console.log(`Threads: postMessage; processes: Unix socket. Medians of ${runs} runs. ${machine()}`);
}

await main();
