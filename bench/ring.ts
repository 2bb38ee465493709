/**
 * How fast is a slot ring, beside the same ring in C++? `bun bench/ring.ts [RUNS]`, under two minutes.
 *
 * Slots of 64 bytes in a ring of 4,096, every word written and read. Throughput with one message per publish and with
 * 32; one-way latency as half a round trip over two rings, both ends spinning or both asleep at a futex. Between two threads (Workers over a
 * SharedArrayBuffer) and between two processes (over /dev/shm). Ours and C++ take turns, so noise falls on both;
 * medians over the runs. Each end is kept on a core of its own, the first two this process may use: on one core the two
 * take turns over a warm cache, which is another figure altogether.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createRegion } from "#memory/region.ts";
import { formatSlotRing, slotRingBytes } from "#memory/slot-ring.ts";
import { compileNative } from "./native.ts";
import { machine, median, short, table } from "./report.ts";
import type { PeerJob, PeerMemory, PeerResult } from "./ring-peer.ts";

const FORMAT = { capacity: 4_096, slotBytes: 64 };
const MEETING_BYTES = 4_096;
const THROUGHPUT = { warmUp: 1_000_000, count: 4_000_000 };
const LATENCY = { warmUp: 100_000, count: 200_000 };
const PARKED = { warmUp: 5_000, count: 10_000 };
const PEER = join(import.meta.dir, "ring-peer.ts");

const CORES = twoCores();

type Place = "threads" | "processes";
type Case = { readonly place: Place; readonly batch: number; readonly kind: "throughput" | "latency" | "parked" };
const SIZES = { throughput: THROUGHPUT, latency: LATENCY, parked: PARKED } as const;

const CASES: readonly Case[] = (["threads", "processes"] as const).flatMap((place) => [
  { place, batch: 1, kind: "throughput" },
  { place, batch: 32, kind: "throughput" },
  { place, batch: 1, kind: "latency" },
  { place, batch: 1, kind: "parked" },
]);

/** The far end runs in a Worker or a process; so does the near one, so that both are treated alike. */
async function runOurs({ place, batch, kind }: Case): Promise<PeerResult> {
  const how = { batch, parks: kind === "parked", ...SIZES[kind] };
  const far: PeerJob = { role: kind === "throughput" ? "produce" : "echo", core: CORES[1], ...how };
  const near: PeerJob = { role: kind === "throughput" ? "consume" : "ping", core: CORES[0], ...how };
  return place === "threads" ? runThreads(far, near) : runProcesses(far, near);
}

async function runThreads(far: PeerJob, near: PeerJob): Promise<PeerResult> {
  const ring = () => {
    const buffer = new SharedArrayBuffer(slotRingBytes(FORMAT));
    formatSlotRing(buffer, FORMAT);
    return buffer;
  };
  const memory: PeerMemory = { there: ring(), back: ring(), meeting: new SharedArrayBuffer(MEETING_BYTES) };
  const run = (job: PeerJob) => {
    const worker = new Worker(PEER);
    worker.postMessage({ job, memory });
    return new Promise<PeerResult>((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<PeerResult>) => {
        worker.terminate();
        resolve(event.data);
      };
      worker.onerror = (event) => reject(new Error(event.message));
    });
  };
  const [, result] = await Promise.all([run(far), run(near)]);
  return result;
}

async function runProcesses(far: PeerJob, near: PeerJob): Promise<PeerResult> {
  const folder = mkdtempSync("/dev/shm/sandpiper-bench-");
  const [there, back, meeting] = ["there", "back", "meeting"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [there, back]) formatSlotRing(createRegion(path, slotRingBytes(FORMAT)), FORMAT);
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

function runNative(executable: string, { place, batch, kind }: Case): PeerResult {
  const how = kind === "throughput" ? String(batch) : kind;
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

async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? 5);
  const executable = compileNative("spsc-ring.cpp");
  const throughput: string[][] = [];
  const latency: string[][] = [];
  for (const one of CASES) {
    const ours: PeerResult[] = [];
    const native: PeerResult[] = [];
    for (let run = 0; run < runs; run++) {
      ours.push(await runOurs(one));
      native.push(runNative(executable, one));
    }
    const of = (results: readonly PeerResult[], key: keyof PeerResult) => median(results.map((r) => r[key] as number));
    if (one.kind === "throughput") {
      const [mine, theirs] = [of(ours, "millionPerSecond"), of(native, "millionPerSecond")];
      throughput.push([one.place, String(one.batch), short(mine), short(theirs), short(mine / theirs)]);
    } else
      for (const [key, name] of [
        ["p50", "p50"],
        ["p99", "p99"],
        ["p999", "p99.9"],
      ] as const) {
        const [mine, theirs] = [of(ours, key), of(native, key)];
        latency.push([
          one.place,
          one.kind === "parked" ? "asleep" : "spinning",
          name,
          short(mine),
          short(theirs),
          short(mine / theirs),
        ]);
      }
  }
  console.log(`${table(["between two", "batch", "Sandpiper, M/s", "C++, M/s", "ratio"], throughput)}\n`);
  console.log(`${table(["between two", "reader", "one way", "Sandpiper, ns", "C++, ns", "ratio"], latency)}\n`);
  console.log(`Medians of ${runs} runs. ${machine()}`);
}

await main();
