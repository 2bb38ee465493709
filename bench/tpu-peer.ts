/** The programs of native/tpu-peer as processes: leaders, a slow link to them, and the client in Rust. Needs cargo. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Subprocess, spawn } from "bun";
import { type Keypair, keypairFromSeed } from "#execute/keypair.ts";

export const TRANSACTION_BYTES = 1_232;
const NATIVE = join(import.meta.dir, "../native");

export type Counters = {
  readonly received: number;
  readonly distinct: number;
  readonly retries: number;
  readonly throttled: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly identities: Readonly<Record<string, number>>;
};
type LinkCounters = { readonly passed: number; readonly lost: number; readonly queueFull: number };

const folder = mkdtempSync(join(tmpdir(), "sandpiper-tpu-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const built = Bun.spawnSync(["cargo", "build", "--release", "--locked", "-p", "tpu-peer"], {
  cwd: NATIVE,
  stdout: "inherit",
  stderr: "inherit",
});
if (built.exitCode !== 0)
  throw new Error("Cannot bench the TPU client: a built native/tpu-peer, was an error of cargo");
const PEER = join(process.env["CARGO_TARGET_DIR"] ?? join(NATIVE, "target"), "release", "tpu-peer");

/** Whom the leaders see, and themselves too. */
export const identity: Keypair = keypairFromSeed(crypto.getRandomValues(new Uint8Array(32)));
export const identityHex = Buffer.from(identity.publicKey).toString("hex");
const [certificate, key] = [join(folder, "certificate.der"), join(folder, "key.der")];
writeFileSync(certificate, identity.tlsIdentity().certificateDer);
writeFileSync(key, identity.tlsIdentity().key.export({ format: "der", type: "pkcs8" }));

/** A process that prints its ports and answers each line with its counters. */
class Peer<Answer> {
  readonly #lines: AsyncIterator<string>;
  readonly #process: Subprocess<"pipe", "pipe", "inherit">;

  constructor(args: readonly string[]) {
    this.#process = spawn([PEER, ...args], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
    this.#lines = linesOf(this.#process.stdout);
  }
  async address(): Promise<string> {
    return `127.0.0.1:${(await this.#lines.next()).value}`;
  }
  /** `word`: a command, where the program has any. */
  async counters(word = ""): Promise<Answer> {
    this.#process.stdin.write(`${word}\n`);
    this.#process.stdin.flush();
    return JSON.parse((await this.#lines.next()).value as string) as Answer;
  }
  stop(): void {
    this.#process.kill();
  }
}

export type Leader = Peer<Counters> & { readonly at: string };
type Link = Peer<LinkCounters> & { readonly at: readonly string[] };

/** `options`: of tpu-peer serve. */
export async function openLeader(...options: readonly string[]): Promise<Leader> {
  const peer = new Peer<Counters>(["serve", certificate, key, "clock=1", ...options]);
  return Object.assign(peer, { at: await peer.address() });
}

/** One bottleneck for all: a way of its own to each address. `options`: of tpu-peer link. */
export async function openLink(to: readonly string[], ...options: readonly string[]): Promise<Link> {
  const peer = new Peer<LinkCounters>(["link", to.join(","), ...options]);
  const at: string[] = [];
  for (const _ of to) at.push(await peer.address());
  return Object.assign(peer, { at });
}

/** The same work by the client in Rust; its seconds. */
export async function sendInRust(addresses: readonly string[], count: number, inFlight: number): Promise<number> {
  const args = ["send", certificate, key, addresses.join(","), String(count), String(inFlight)];
  const rust = spawn([PEER, ...args], { stdout: "pipe" });
  return (JSON.parse(await new Response(rust.stdout).text()) as { readonly seconds: number }).seconds;
}

/** Stamped with its send time and its number, as the leaders read it with clock=1. */
export function transaction(number: number): Uint8Array {
  const wire = new Uint8Array(TRANSACTION_BYTES);
  const view = new DataView(wire.buffer);
  view.setBigUint64(0, BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6)), true);
  view.setBigUint64(8, BigInt(number), true);
  return wire;
}

/** Waits until the leaders read no more. */
export async function settled(leaders: readonly Leader[]): Promise<Counters[]> {
  for (let before = -1; ; ) {
    const counters = await Promise.all(leaders.map((leader) => leader.counters()));
    const received = counters.reduce((sum, one) => sum + one.received, 0);
    if (received === before) return counters;
    before = received;
    await Bun.sleep(500);
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
