/**
 * 200 readers of one live stream at 5,000 messages a second: what is lost, how old it is when it arrives, what the server
 * costs, and what one reader that froze does to the others; beside Centrifugo in the same run.
 *
 *   CENTRIFUGO=/path/to/centrifugo bun bench/fan-out.ts [sessions = 200] [messages a second = 5000] [seconds = 30]
 *
 * Centrifugo is built by `go install github.com/centrifugal/centrifugo/v6@v6.9.1`; without CENTRIFUGO its rows are left out. It
 * gets the same messages twice: a publication each, as it is meant, and packed by us (20 ms, zstd) as one publication,
 * which leaves the fan-out alone.
 * Publisher, server and readers are three processes; on two cores they share them, so ages are an upper bound.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { arbEnvelope, encodeBatch, encodeEnvelope } from "#wire/envelope.ts";
import { SeededEnvelopes } from "../test/support/seeded-envelopes.ts";
import { eventually, freePorts } from "../test/support/supervised-run.ts";
import { machine, short, table } from "./report.ts";

const [sessions, perSecond, seconds] = [200, 5_000, 30].map((usual, i) => Number(process.argv[2 + i] ?? usual)) as [
  number,
  number,
  number,
];
const PACK_MS = 20;
const STEPS_AT_ONCE = 5;
const WARM_MS = 3_000;
const SETTLE_MS = 2_000;
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;
const CHANNEL = "feed";
const KEY = "bench-key";

type Counted = { messages: number; bytes: number; frames: number; closed: number; p50: number; p99: number };
type Publish = (
  messages: readonly { readonly bytes: Uint8Array; readonly ms: number }[],
) => Promise<unknown> | undefined;

const seeds = new SeededEnvelopes("fan-out");
const pool = Array.from({ length: 512 }, () => seeds.next(Date.now()).decision);

/** A message as the arbitrage agent makes it, decided now. */
function message(): { bytes: Uint8Array; ms: number } {
  const { payload } = pool[Math.floor(Math.random() * pool.length)] ?? {};
  if (payload?.case !== "arb") throw new Error("a decision, was something else");
  const ms = Date.now();
  const { $typeName: _, $unknown: __, ...fields } = payload.value;
  return { bytes: encodeEnvelope(arbEnvelope({ ...fields, decideNs: BigInt(ms) * 1_000_000n })), ms };
}

function statOf(pid: number): { cpuMs: number; rssMiB: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { cpuMs: (ticks / TICKS_PER_SECOND) * 1_000, rssMiB: (Number(fields[21]) * PAGE_BYTES) / 2 ** 20 };
}

/** Publishes at the rate for the time, in steps of PACK_MS; answers how many. */
async function publishFor(ms: number, publish: Publish): Promise<number> {
  const startedMs = performance.now();
  const burst = Math.ceil((perSecond * STEPS_AT_ONCE * PACK_MS) / 1_000);
  let published = 0;
  for (;;) {
    const elapsed = performance.now() - startedMs;
    // What the machine could not publish in its time is not made up for in one burst.
    const due = Math.min(Math.floor((Math.min(elapsed, ms) / 1_000) * perSecond) - published, burst);
    if (due > 0) {
      void publish(Array.from({ length: due }, message));
      published += due;
    }
    if (elapsed >= ms) return published;
    await Bun.sleep(PACK_MS);
  }
}

async function measure(name: string, kind: string, address: string, pid: number, publish: Publish, frozen: boolean) {
  const child = Bun.spawn(
    [
      process.execPath,
      join(import.meta.dir, "fan-out-clients.ts"),
      kind,
      address,
      String(sessions),
      frozen ? "frozen" : "no",
    ],
    { stdout: "pipe", stderr: "inherit" },
  );
  let said = "";
  const reading = (async () => {
    for await (const bytes of child.stdout) said += Buffer.from(bytes).toString();
  })();
  await eventually("all readers open", () => (said.startsWith("open") ? true : undefined), 120_000);
  await publishFor(WARM_MS, publish);
  await Bun.sleep(SETTLE_MS);
  child.kill("SIGUSR1");
  await Bun.sleep(100);
  const before = statOf(pid);
  const published = await publishFor(seconds * 1_000, publish);
  const after = statOf(pid);
  await Bun.sleep(SETTLE_MS);
  child.kill("SIGTERM");
  await child.exited;
  await reading;
  const counted = JSON.parse(said.trim().split("\n").at(-1) ?? "{}") as Counted;
  const lost = 1 - counted.messages / (published * sessions);
  process.stdout.write(`${name}: ${JSON.stringify({ published, ...counted })}\n`);
  return [
    name,
    `${(100 * Math.max(0, lost)).toFixed(3)} %`,
    short(counted.p50),
    short(counted.p99),
    short((after.cpuMs - before.cpuMs) / (seconds * 10)),
    after.rssMiB.toFixed(0),
    short(counted.bytes / seconds / sessions / 1_024),
    String(counted.closed),
  ];
}

async function sandpiperRows(): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-fan-out-"));
  const log = createLog({ process: "bench", level: "error", format: "text" });
  const bus = openEmbeddedBus({ path: runPaths(folder).bus, lingerMs: 1, retainMiB: 512, log });
  const gateway = Bun.spawn(
    [process.execPath, join(import.meta.dir, "fan-out-gateway.ts"), folder, String(sessions + 8)],
    { stdout: "pipe", stderr: "inherit" },
  );
  try {
    const port = Number(Buffer.from((await gateway.stdout.getReader().read()).value ?? []).toString());
    const publish: Publish = (messages) => {
      const all = messages.map(({ bytes }) => bus.publish("arbitrage-decisions-proto", "k", bytes));
      void Promise.all(all).catch((thrown: unknown) => process.stderr.write(`${String(thrown).slice(0, 120)}\n`));
      return undefined;
    };
    const address = `127.0.0.1:${port}`;
    return [
      await measure("Sandpiper, WebSocket", "sandpiper", address, gateway.pid, publish, false),
      await measure("Sandpiper, one more that froze", "sandpiper", address, gateway.pid, publish, true),
    ];
  } finally {
    gateway.kill("SIGTERM");
    await gateway.exited;
    await bus.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function centrifugoRows(binary: string): Promise<string[][]> {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-centrifugo-"));
  const [port = 0] = await freePorts(1);
  const config = {
    client: { insecure: true, allowed_origins: ["*"] },
    channel: { without_namespace: { allow_subscribe_for_client: true } },
    http_api: { key: KEY },
    http_server: { port, address: "127.0.0.1" },
    log: { level: "error" },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const server = Bun.spawn([binary, "-c", join(folder, "config.json")], { stdout: "ignore", stderr: "inherit" });
  const post = (path: string, body: object) =>
    fetch(`http://127.0.0.1:${port}/api/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-API-Key": KEY },
      body: JSON.stringify(body),
    });
  const each: Publish = (messages) =>
    post("batch", {
      commands: messages.map(({ bytes, ms }) => ({
        publish: { channel: CHANNEL, data: { ms, b64: Buffer.from(bytes).toString("base64") } },
      })),
    });
  const together: Publish = (messages) => {
    const batch = Bun.zstdCompressSync(encodeBatch(messages.map(({ bytes }) => bytes)), { level: 1 });
    return post("publish", { channel: CHANNEL, data: { batch: Buffer.from(batch).toString("base64") } });
  };
  try {
    await eventually("Centrifugo", async () => ((await post("info", {})).ok ? true : undefined));
    const address = `127.0.0.1:${port}`;
    return [
      await measure("Centrifugo, our batches", "centrifugo", address, server.pid, together, false),
      await measure("Centrifugo, our batches, one more that froze", "centrifugo", address, server.pid, together, true),
      await measure("Centrifugo, a publication each", "centrifugo", address, server.pid, each, false),
    ];
  } finally {
    server.kill("SIGTERM");
    await server.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

const rows = await sandpiperRows();
const centrifugo = process.env["CENTRIFUGO"];
if (centrifugo !== undefined) rows.push(...(await centrifugoRows(centrifugo)));
const head = [
  "server",
  "lost",
  "age p50, ms",
  "age p99, ms",
  "CPU, % of a core",
  "RSS, MiB",
  "kB/s a reader",
  "closed",
];
process.stdout.write(
  `\n${sessions} readers, ${perSecond} messages/s, ${seconds} s\n\n${table(head, rows)}\n\n${machine()}\n`,
);
process.exit(0);
