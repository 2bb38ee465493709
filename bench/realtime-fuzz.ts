/**
 * Hostile datagrams, frames and handshakes against the live stream, while legitimate readers read on: does it crash, does its
 * memory stay bounded, are the others unhurt?
 *
 *   bun bench/realtime-fuzz.ts [count = 10000000] [seed = 1]
 *
 * Of the count 90 % are UDP datagrams at the WebTransport port, 9 % WebSocket frames behind good handshakes, 1 % handshakes.
 * Exit code 1 when the gateway died, a legitimate reader was closed or lost anything, or memory grew beyond its bound.
 */
import { createSocket } from "node:dgram";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { seededRandom } from "#core/random.ts";
import { encodeEnvelope } from "#wire/envelope.ts";
import { SeededEnvelopes } from "../test/support/seeded-envelopes.ts";
import { eventually } from "../test/support/supervised-run.ts";
import { goodHandshake, hostileDatagram, hostileFrames, hostileHandshake } from "./hostile-live.ts";
import { machine, short, table } from "./report.ts";

const count = Number(process.argv[2] ?? 10_000_000);
const random = seededRandom(process.argv[3] ?? "1");
const READERS = 4;
const PUBLISH_EVERY_MS = 10;
const DATAGRAMS_AT_ONCE = 256;
const FRAMES_AT_ONCE = 64;
const CONNECTIONS_AT_ONCE = 16;
/** A connection that the gateway keeps open is let go by us after this. */
const CONNECTION_MS_MAX = 1_000;
const GROWTH_MIB_MAX = 300;
const PAGE_BYTES = 4_096;
const SETTLE_MS = 2_000;

const folder = mkdtempSync(join(tmpdir(), "sandpiper-realtime-fuzz-"));
const log = createLog({ process: "bench", level: "error", format: "text" });
const bus = openEmbeddedBus({ path: runPaths(folder).bus, lingerMs: 1, retainMiB: 256, log });
const gateway = Bun.spawn([process.execPath, join(import.meta.dir, "fan-out-gateway.ts"), folder, "512"], {
  stdout: "pipe",
  stderr: "inherit",
});
const port = Number(Buffer.from((await gateway.stdout.getReader().read()).value ?? []).toString());
const host = `127.0.0.1:${port}`;
const { webtransport } = (await (await fetch(`http://${host}/api/realtime`)).json()) as {
  webtransport: { port: number } | null;
};
const udpPort = webtransport?.port ?? port;
if (webtransport === null)
  process.stdout.write("WebTransport is off (native/ is not built): datagrams meet a closed port\n");

const rssMiB = () => (Number(readFileSync(`/proc/${gateway.pid}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES) / 2 ** 20;
const readers = Bun.spawn(
  [process.execPath, join(import.meta.dir, "fan-out-clients.ts"), "sandpiper", host, String(READERS)],
  { stdout: "pipe", stderr: "inherit" },
);
let said = "";
const reading = (async () => {
  for await (const bytes of readers.stdout) said += Buffer.from(bytes).toString();
})();
await eventually("the legitimate readers", () => (said.startsWith("open") ? true : undefined));

const seeds = new SeededEnvelopes("fuzz");
let published = 0;
const publishing = setInterval(() => {
  published++;
  void bus.publish("arbitrage-decisions-proto", "k", encodeEnvelope(seeds.next(Date.now()).decision));
}, PUBLISH_EVERY_MS);
const startMiB = rssMiB();
let mostMiB = startMiB;
const watching = setInterval(() => {
  if (gateway.exitCode === null) mostMiB = Math.max(mostMiB, rssMiB());
}, 250);

const startedMs = performance.now();
const planned = {
  datagrams: Math.floor(count * 0.9),
  frames: Math.floor(count * 0.09),
  handshakes: Math.ceil(count * 0.01),
};
const done = { datagrams: 0, frames: 0, handshakes: 0 };
await Promise.all([throwDatagrams(), talk()]);
const tookMs = performance.now() - startedMs;
clearInterval(publishing);
await Bun.sleep(SETTLE_MS);
clearInterval(watching);
const alive = gateway.exitCode === null && (await fetch(`http://${host}/api/realtime`)).ok;
const endMiB = alive ? rssMiB() : Number.NaN;
readers.kill("SIGTERM");
await reading;
const counted = JSON.parse(said.trim().split("\n").at(-1) ?? "{}") as Record<string, number>;
const lost = published * READERS - (counted["messages"] ?? 0);
const rows = [
  ...Object.entries(done).map(([name, number]) => [`hostile ${name}`, String(number)]),
  ["seconds", short(tookMs / 1_000)],
  ["gateway alive", String(alive)],
  ["its memory at the start, most, end, MiB", [startMiB, mostMiB, endMiB].map((mib) => mib.toFixed(0)).join(", ")],
  ["messages for legitimate readers", String(published * READERS)],
  ["of them lost", String(lost)],
  ["legitimate readers closed", String(counted["closed"])],
  ["age p50, p99, ms", `${short(counted["p50"] ?? Number.NaN)}, ${short(counted["p99"] ?? Number.NaN)}`],
];
process.stdout.write(`${table(["", ""], rows)}\n\n${machine()}\n`);
gateway.kill("SIGTERM");
await gateway.exited;
await bus.close();
rmSync(folder, { recursive: true, force: true });
process.exit(alive && lost === 0 && counted["closed"] === 0 && mostMiB - startMiB < GROWTH_MIB_MAX ? 0 : 1);

async function throwDatagrams(): Promise<void> {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  while (done.datagrams < planned.datagrams) {
    const some = Math.min(DATAGRAMS_AT_ONCE, planned.datagrams - done.datagrams);
    await Promise.all(
      Array.from(
        { length: some },
        () => new Promise<void>((sent) => socket.send(hostileDatagram(random), udpPort, "127.0.0.1", () => sent())),
      ),
    );
    done.datagrams += some;
  }
  socket.close();
}

async function talk(): Promise<void> {
  const lane = async () => {
    for (;;) {
      if (done.frames < planned.frames) {
        done.frames += FRAMES_AT_ONCE;
        await say(Buffer.concat([Buffer.from(goodHandshake(host)), hostileFrames(random, FRAMES_AT_ONCE)]));
      } else if (done.handshakes < planned.handshakes) {
        done.handshakes++;
        await say(hostileHandshake(random, host));
      } else return;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE }, lane));
}

/** One connection that says `bytes`, and waits for an answer or an end. */
function say(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => void socket.write(bytes));
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    };
    const timer = setTimeout(end, CONNECTION_MS_MAX);
    socket.on("error", end);
    socket.on("close", end);
    socket.once("data", () => setTimeout(end, 1));
  });
}
