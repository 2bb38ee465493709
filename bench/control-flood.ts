/**
 * The hot loop under a flood of refused commands: `bun bench/control-flood.ts [rounds = 5] [commands per second = 2000]`.
 *
 * The real hot loop on the main thread over the workload of hot-thread.ts, reading the operators' switchboard in each turn;
 * the real control service in a Worker that shares that switchboard, as in the agent; and, every second pass, a process
 * that floods the bus with commands that are well made and signed by an unknown key, so that each is decoded, judged,
 * refused, answered with a signed ack and kept. Time per event is the loop's own; on a machine without a core for each it
 * holds the waits for one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { startControl } from "#control/agent/start-control.ts";
import { signingKey } from "#control/ed25519.ts";
import { signCommand } from "#control/sign.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { COUNTERS_BYTES, countersOver } from "#decide/counters.ts";
import { DECISION_RING } from "#decide/decision-record.ts";
import { createHotLoop } from "#decide/hot-loop.ts";
import { PolicyDesk } from "#decide/policy-desk.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { GUARD_LINE_BYTES, GuardLine, GuardLineReader } from "#memory/guard-line.ts";
import { Histogram } from "#memory/histogram.ts";
import { ARBITRAGE_RING } from "#memory/market-record.ts";
import { Switchboard } from "#memory/switchboard.ts";
import { ensureDefaultModel, loadModel } from "#model/default-model.ts";
import { decodeAck } from "#wire/ack.ts";
import { makeRing, put } from "./hot-thread-run.ts";
import { BENCH_SETTINGS, POLICY } from "./hot-thread-settings.ts";
import { makeWorkload } from "./hot-thread-workload.ts";
import { machine, median, short, table } from "./report.ts";

const EVENTS = 200_000;
const LOG = createLog({ process: "flood", level: "error", format: "text" });
const clock = createSystemClock();
const openBus = (folder: string) =>
  openEmbeddedBus({ path: runPaths(folder).bus, lingerMs: 1, retainMiB: 256, log: LOG });

type Pass = { readonly eventsPerSecond: number; readonly p50Ns: number; readonly p99Ns: number };

/** The Worker: the control service of an agent. */
function serveControl(): void {
  addEventListener("message", ({ data }: MessageEvent<{ folder: string; board: SharedArrayBuffer }>) => {
    startControl({
      ...{ agent: "arbitrage", module: "arbitrage", paths: runPaths(data.folder), bus: openBus(data.folder), log: LOG },
      ...{ clock, configured: POLICY, switchboard: new Switchboard(data.board), restart: () => {} },
      config: loadConfig({ environment: {}, flags: ["--dataDir", data.folder] }).config,
    });
    postMessage("ready");
  });
}

/** The process: floods until it is killed. */
async function flood(folder: string, perSecond: number): Promise<void> {
  const bus = openBus(folder);
  const unknown = signingKey(new Uint8Array(32).fill(7));
  const startedAt = performance.now();
  for (let sent = 0; ; await Bun.sleep(5))
    for (; sent < ((performance.now() - startedAt) * perSecond) / 1_000; sent++) {
      const [tsSeconds, nonce] = [clock.wallNs() / 1_000_000_000n, BigInt(sent + 1)];
      const command = { module: "arbitrage", action: "throttle", schemaVersion: "ctrl-v1" } as const;
      const rest = { args: new Map([["throttle_pct", "100"]]), requestId: `flood-${sent}`, issuer: "nobody" };
      const bytes = signCommand({ ...command, ...rest, tsSeconds, nonce }, unknown, "nobody");
      void bus.publish("control-commands-proto", "arbitrage", bytes);
    }
}

async function measure(rounds: number, perSecond: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-bench-flood-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const board = new SharedArrayBuffer(Switchboard.bytes);
  const worker = new Worker(import.meta.url);
  const ready = new Promise((resolve) => worker.addEventListener("message", resolve, { once: true }));
  worker.postMessage({ folder, board });
  await ready;
  const bus = openBus(folder);
  const acks = bus.consumer({ group: "bench", topics: ["control-acks-proto"], start: "next" });
  await acks.ready();
  ensureDefaultModel(folder);
  const model = loadModel(folder, "arb");
  const workload = makeWorkload(EVENTS, BENCH_SETTINGS.hopsMax);
  const passes: Record<"calm" | "flooded", Pass[]> = { calm: [], flooded: [] };
  let refused = 0;
  const readAcks = async () => {
    for (let found = await acks.poll(1_000); found.length > 0; found = await acks.poll(1_000))
      refused += found.filter(({ value }) => decodeAck(value).reason === "unknownKey").length;
  };
  runPass(workload, model, board);
  for (let round = 0; round < rounds; round++)
    for (const kind of ["calm", "flooded"] as const) {
      const flooder =
        kind === "calm" ? undefined : Bun.spawn([process.execPath, import.meta.path, folder, String(perSecond)]);
      const before = refused;
      while (flooder !== undefined && refused === before) await Promise.all([Bun.sleep(50), readAcks()]);
      passes[kind].push(runPass(workload, model, board));
      flooder?.kill("SIGKILL");
      await Promise.all([flooder?.exited, Bun.sleep(1_000)]);
      await readAcks();
    }
  const rows = (["calm", "flooded"] as const).map((kind) => {
    const of = (name: keyof Pass) => short(median(passes[kind].map((pass) => pass[name])));
    return [kind, of("eventsPerSecond"), of("p50Ns"), of("p99Ns")];
  });
  process.stdout.write(`${table(["", "events/s", "p50, ns per event", "p99, ns per event"], rows)}\n\n`);
  process.stdout.write(
    `${perSecond} commands/s, ${refused} refused in all. Medians of ${rounds} rounds of ${EVENTS} events. ${machine()}\n`,
  );
  process.exit(refused > 0 ? 0 : 1);
}

function runPass(
  workload: ReturnType<typeof makeWorkload>,
  model: ReturnType<typeof loadModel>,
  board: SharedArrayBuffer,
): Pass {
  const [market, decisions] = [makeRing(ARBITRAGE_RING), makeRing(DECISION_RING)];
  const switchboard = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  const line = new ArrayBuffer(GUARD_LINE_BYTES);
  const guardLine = new GuardLine(line);
  const policy = new PolicyDesk(
    switchboard,
    new GuardLineReader(line, clock.monotonicNs()),
    new Switchboard(board),
    () => {},
  );
  const loop = createHotLoop({
    ...{ market: market.consumer, decisions: decisions.producer, switchboard, model, clock, settings: BENCH_SETTINGS },
    counters: countersOver(new SharedArrayBuffer(COUNTERS_BYTES)),
    latency: new Histogram(new SharedArrayBuffer(Histogram.bytes)),
  });
  loop.setCatalogue({ version: 1, pools: workload.pools });
  const { records, recordBytes, snapshotRecords, events } = workload;
  const words = new Uint32Array(records.buffer);
  const times = new Float64Array(snapshotRecords + events);
  const startNs = clock.monotonicNs();
  for (let i = 0; i < times.length; i++) {
    if (i % 1_000 === 0) guardLine.say({ throttlePct: 0, killed: false }, false, clock.monotonicNs());
    const beganNs = clock.monotonicNs();
    put(market.producer, words, (i * recordBytes) >> 2, recordBytes >> 2, beganNs);
    market.producer.publish();
    policy.keep(clock.monotonicNs());
    loop.doWork();
    times[i] = clock.monotonicNs() - beganNs;
    while (decisions.consumer.peek() >= 0) decisions.consumer.advance();
    decisions.consumer.release();
  }
  const seconds = (clock.monotonicNs() - startNs) / 1e9;
  times.sort();
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0;
  return { eventsPerSecond: times.length / seconds, p50Ns: at(0.5), p99Ns: at(0.99) };
}

if (!Bun.isMainThread) serveControl();
else if (process.argv[2] !== undefined && !/^\d+$/.test(process.argv[2]))
  await flood(process.argv[2], Number(process.argv[3]));
else await measure(Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 2_000));
