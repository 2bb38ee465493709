/**
 * The bpftrace programs of tuning/trace/ on real QUIC: our TPU client sends transactions to the local cluster's TPU door
 * for some seconds, and each program watches the process. `bun bench/trace.ts [SECONDS = 10]`. Needs root, bpftrace and
 * tracefs (mount -t tracefs none /sys/kernel/tracing); says so where the kernel does not let it.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { keypairFromSeed } from "#execute/keypair.ts";
import { TpuClient } from "#execute/tpu/tpu-client.ts";
import { startTpuDoor } from "#sim/tpu/tpu-door.ts";
import { machine } from "./report.ts";

const TRACES = join(import.meta.dir, "..", "tuning", "trace");
const WIRE_BYTES = 600;
const SEND_EVERY_MS = 5;
const CHILD = "send";
/** bpftrace loads its programs before it begins. */
const LOAD_MS = 8_000;

/** One process that is both ends; every transaction is refused behind the door, which is where the path ends. */
async function send(seconds: number): Promise<void> {
  const door = await startTpuDoor(
    { submit: () => ({ kind: "refused", error: "AccountNotFound", logs: [] }) },
    { port: 0 },
  );
  const identity = keypairFromSeed(new Uint8Array(32).fill(8)).tlsIdentity();
  const client = new TpuClient({ identity, monotonicNs: () => Bun.nanoseconds() });
  const wire = new Uint8Array(WIRE_BYTES);
  const sends: Promise<unknown>[] = [];
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; await Bun.sleep(SEND_EVERY_MS))
    sends.push(client.send(`127.0.0.1:${door.port}`, wire));
  await Promise.all(sends);
  console.log(`${client.sent} transactions sent, ${door.counters.received} received`);
  process.exit(0);
}

async function trace(program: string, seconds: number): Promise<void> {
  const traffic = Bun.spawn([process.execPath, import.meta.path, CHILD, String(seconds + LOAD_MS / 1_000)], {
    stdout: "pipe",
    stderr: "ignore",
  });
  const tracer = Bun.spawn(["bpftrace", join(TRACES, program), String(traffic.pid)], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [sent] = await Promise.all([new Response(traffic.stdout).text(), traffic.exited]);
  tracer.kill("SIGINT");
  const [shown, errors] = await Promise.all([new Response(tracer.stdout).text(), new Response(tracer.stderr).text()]);
  console.log(`── ${program}: ${sent.trim()}\n${shown.trim()}`);
  if (!shown.includes("@")) console.log(`The kernel does not let it: ${errors.trim().split("\n").at(-1)}`);
}

const [mode = "10", seconds = "10"] = process.argv.slice(2);
if (mode === CHILD) await send(Number(seconds));
for (const program of readdirSync(TRACES).filter((name) => name.endsWith(".bt"))) await trace(program, Number(mode));
console.log(machine());
