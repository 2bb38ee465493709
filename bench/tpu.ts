/**
 * Our TPU client over node:quic against three leaders of native/tpu-peer (Rust, quinn), beside the same work done by a
 * client in Rust, in one run and on the same leaders.
 *
 *   bun bench/tpu.ts [transactions = 100000]          needs cargo; the first build takes minutes
 *
 * Every transaction carries its number and the time of its send: the leaders say how many different ones they read and how
 * long each took, one way. Then the ways of a validator: what it saw as our identity, Retry, stream credit of an unstaked
 * peer, and two routes for the same bytes over a lossy link (a UDP proxy that delays and drops: network namespaces work
 * here where root is, but netem is a kernel module that many machines lack).
 */

import { createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Subprocess, spawn } from "bun";
import { keypairFromSeed } from "#execute/keypair.ts";
import { TpuClient } from "#execute/tpu/tpu-client.ts";
import { LossyLink } from "./lossy-link.ts";
import { machine, short, table } from "./report.ts";

const COUNT = Number(process.argv[2] ?? 100_000);
const LEADERS = 3;
const IN_FLIGHT = 64;
const SAMPLES = 10;
const TRANSACTION_BYTES = 1_232;
const CRATE = join(import.meta.dir, "../native/tpu-peer");

type Counters = {
  readonly received: number;
  readonly distinct: number;
  readonly retries: number;
  readonly throttled: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly identities: Readonly<Record<string, number>>;
};

const folder = mkdtempSync(join(tmpdir(), "sandpiper-tpu-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const built = Bun.spawnSync(["cargo", "build", "--release", "--locked"], {
  cwd: CRATE,
  stdout: "inherit",
  stderr: "inherit",
});
if (built.exitCode !== 0)
  throw new Error("Cannot bench the TPU client: a built native/tpu-peer, was an error of cargo");
const PEER = join(process.env["CARGO_TARGET_DIR"] ?? join(CRATE, "target"), "release", "tpu-peer");

const identity = keypairFromSeed(crypto.getRandomValues(new Uint8Array(32)));
const identityHex = Buffer.from(identity.publicKey).toString("hex");
const [certificate, key] = [join(folder, "certificate.der"), join(folder, "key.der")];
writeFileSync(certificate, identity.tlsIdentity().certificateDer);
writeFileSync(
  key,
  createPrivateKey({ key: identity.tlsIdentity().key.export({ format: "pem", type: "pkcs8" }), format: "pem" }).export({
    format: "der",
    type: "pkcs8",
  }),
);

class Leader {
  readonly #lines: AsyncIterator<string>;
  readonly #process: Subprocess<"pipe", "pipe", "inherit">;
  address = "";

  constructor(...options: readonly string[]) {
    this.#process = spawn([PEER, "serve", certificate, key, "clock=1", ...options], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#lines = linesOf(this.#process.stdout);
  }
  async start(): Promise<this> {
    this.address = `127.0.0.1:${(await this.#lines.next()).value}`;
    return this;
  }
  async counters(): Promise<Counters> {
    this.#process.stdin.write("\n");
    this.#process.stdin.flush();
    return JSON.parse((await this.#lines.next()).value as string) as Counters;
  }
  stop(): void {
    this.#process.kill();
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}

const openClient = () => new TpuClient({ identity: identity.tlsIdentity(), monotonicNs: () => Bun.nanoseconds() });

function transaction(number: number): Uint8Array {
  const wire = new Uint8Array(TRANSACTION_BYTES);
  const view = new DataView(wire.buffer);
  view.setBigUint64(0, BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)), true);
  view.setBigUint64(8, BigInt(number), true);
  return wire;
}

type Sent = { readonly seconds: number; readonly accepted: number; readonly rssMiB: readonly number[] };

async function sendAll(client: TpuClient, addresses: readonly string[], count: number): Promise<Sent> {
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

/** Waits until the leaders read no more. */
async function settled(leaders: readonly Leader[]): Promise<Counters[]> {
  for (let before = -1; ; ) {
    const counters = await Promise.all(leaders.map((leader) => leader.counters()));
    const received = counters.reduce((sum, one) => sum + one.received, 0);
    if (received === before) return counters;
    before = received;
    await Bun.sleep(500);
  }
}

const rowOf = (name: string, seconds: number, counters: readonly Counters[]) => [
  name,
  short(COUNT / seconds),
  String(counters.reduce((sum, { distinct }) => sum + distinct, 0)),
  short(Math.max(...counters.map(({ p50Us }) => p50Us)) / 1e3),
  short(Math.max(...counters.map(({ p99Us }) => p99Us)) / 1e3),
];

const openLeaders = () =>
  Promise.all(Array.from({ length: LEADERS }, () => new Leader(`staked=${identityHex}`).start()));
const rows: string[][] = [];

const ours = await openLeaders();
const client = openClient();
const sent = await sendAll(
  client,
  ours.map(({ address }) => address),
  COUNT,
);
const counters = await settled(ours);
rows.push(rowOf("Sandpiper, node:quic", sent.seconds, counters));
await client.close();
for (const leader of ours) leader.stop();

const theirs = await openLeaders();
const rust = spawn(
  [PEER, "send", certificate, key, theirs.map(({ address }) => address).join(","), String(COUNT), String(IN_FLIGHT)],
  { stdout: "pipe" },
);
const { seconds } = JSON.parse(await new Response(rust.stdout).text()) as { readonly seconds: number };
rows.push(rowOf("Rust, quinn", seconds, await settled(theirs)));
for (const leader of theirs) leader.stop();

console.log(`${COUNT} transactions of ${TRANSACTION_BYTES} bytes to ${LEADERS} leaders, ${IN_FLIGHT} in flight\n`);
console.log(table(["client", "tx/s", "read by the leaders", "one way p50, ms", "p99, ms"], rows));
const seen = new Set(counters.flatMap(({ identities }) => Object.keys(identities)));
console.log(
  `\nAccepted ${sent.accepted}. Identity seen: ${[...seen].map((hex) => (hex === identityHex ? "the key's" : hex)).join(", ")}.`,
);
console.log(`Resident memory of the client at each tenth, MiB: ${sent.rssMiB.join(" ")}`);

const retrying = await new Leader("retry=1", "unstaked_streams=16", "unstaked_per_100ms=20").start();
const stranger = openClient();
const slow = await sendAll(stranger, [retrying.address], 500);
const [behaviour] = (await settled([retrying])) as [Counters];
console.log(
  `\nUnstaked, 20 per 100 ms, Retry: ${slow.accepted} of 500 accepted in ${short(slow.seconds)} s, ${behaviour.distinct} read, ${behaviour.retries} retries, ${behaviour.throttled} waits`,
);
await stranger.close();
retrying.stop();

const RUNS = 2_000;
const links: string[][] = [];
for (const [name, modes] of [
  ["one way, 20 ms, 2 % loss", ["lossy"]],
  ["one way, black hole", ["hole"]],
  ["hedged: black hole first, then 20 ms, 2 %", ["hole", "lossy"]],
  ["hedged: 20 ms, 2 % first, then the same", ["lossy", "lossy"]],
] as const) {
  const leader = await new Leader(`staked=${identityHex}`).start();
  const ways = await Promise.all(
    modes.map((mode) => LossyLink.open(leader.address, { delayMs: 20, lossShare: mode === "hole" ? 1 : 0.02 })),
  );
  const sender = openClient();
  await Promise.all(ways.map((way) => sender.prepare(way.address)));
  let extra = 0;
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < RUNS) {
        const wire = transaction(next++);
        const first = sender.send((ways[0] as LossyLink).address, wire);
        const answer = await Promise.race([first, Bun.sleep(15)]);
        const second = ways[1];
        if (second === undefined || answer?.kind === "accepted") await first;
        else {
          extra++;
          await Promise.all([first, sender.send(second.address, wire)]);
        }
      }
    }),
  );
  const [end] = (await settled([leader])) as [Counters];
  links.push([
    name,
    `${short((100 * end.distinct) / RUNS)} %`,
    short(end.p50Us / 1e3),
    short(end.p99Us / 1e3),
    `${short((100 * extra) / RUNS)} %`,
  ]);
  void sender.close();
  for (const way of ways) way.close();
  leader.stop();
}
console.log(`\n${RUNS} transactions over a lossy link, hedge delay 15 ms\n`);
console.log(table(["ways", "read by the leader", "one way p50, ms", "p99, ms", "extra load"], links));
console.log(`\n${machine()}`);
process.exit(0);
