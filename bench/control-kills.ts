/**
 * Commands while processes die: `bun bench/control-kills.ts [commands = 10000]` sends signed commands to a real agent's control
 * service over the embedded bus, and kills it and the ledger's writer with SIGKILL at random moments. One in ten commands is
 * one that must be refused (an old nonce). At the end each command must have exactly one ack, the ledger must verify, and hold each
 * command and each ack once.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { Commander } from "#control/commander.ts";
import { ensureControlKeys } from "#control/key-files.ts";
import { readSecretKeyFile, signCommand } from "#control/sign.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { seededRandom } from "#core/random.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { decodeEntry } from "#ledger/entry.ts";
import { ledgerFiles } from "#ledger/files.ts";
import { inspectLedger } from "#ledger/inspect.ts";
import { readVerifierKey } from "#ledger/note.ts";
import { LedgerReader } from "#ledger/reader.ts";
import { decodeAck } from "#wire/ack.ts";
import { machine, table } from "./report.ts";

const COUNT = Number(process.argv[2] ?? 10_000);
/** Sent and not answered at a time. */
const OPEN_MAX = 256;
const KILL_EVERY_MS = [1_500, 5_000] as const;
const FINISH_MS_MAX = 120_000;

const folder = mkdtempSync(join(tmpdir(), "sandpiper-kills-"));
const paths = runPaths(folder);
const log = createLog({ process: "bench", level: "error", format: "text" });
const random = seededRandom("kills");
ensureControlKeys(paths, {});
const bus = openEmbeddedBus({ path: paths.bus, lingerMs: 1, retainMiB: 1_024, log });
const key = readSecretKeyFile(paths.controlSecret);
const clock = createSystemClock();
const commander = new Commander({ bus, key, keyId: "operator", issuer: "bench", noncesPath: join(folder, "n"), clock });

let running = true;
const kills = { agent: 0, ledger: 0 };
async function keepKilling(role: "agent" | "ledger"): Promise<void> {
  while (running) {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "control-peer.ts"), role, folder], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    const lifeMs = KILL_EVERY_MS[0] + random.unit() * (KILL_EVERY_MS[1] - KILL_EVERY_MS[0]);
    for (let livedMs = 0; running && livedMs < lifeMs; livedMs += 50) await Bun.sleep(50);
    if (!running) {
      last.push(child);
      return;
    }
    child.kill("SIGKILL");
    await child.exited;
    kills[role] += 1;
  }
}
const last: Bun.Subprocess[] = [];

const acks = new Map<string, { answer: string; count: number }>();
const reader = bus.consumer({ group: "bench", topics: ["control-acks-proto"], start: "first" });
async function readAcks(): Promise<void> {
  if (!(await reader.wait(100))) return;
  for (const { value } of await reader.poll(1_000)) {
    const ack = decodeAck(value);
    const sha256 = Buffer.from(ack.commandSha256).toString("hex");
    acks.set(sha256, { answer: ack.reason || ack.answer, count: (acks.get(sha256)?.count ?? 0) + 1 });
  }
}

const startedMs = performance.now();
const killing = [keepKilling("agent"), keepKilling("ledger")];
const sent: string[] = [];
while (sent.length < COUNT) {
  for (let i = 0; i < 32 && sent.length < COUNT && sent.length - acks.size < OPEN_MAX; i++) sent.push(await send());
  await readAcks();
}
const deadline = performance.now() + FINISH_MS_MAX;
while (acks.size < sent.length && performance.now() < deadline) await readAcks();
running = false;
await Promise.all(killing);
const ackTotal = () => [...acks.values()].reduce((sum, { count }) => sum + count, 0);
const files = ledgerFiles(paths.ledger);
const verifier = readVerifierKey(readFileSync(files.verifier, "utf8").trimEnd());
while (performance.now() < deadline && leafKinds().ack < ackTotal()) await Promise.all([Bun.sleep(1_000), readAcks()]);
for (const child of last) child.kill("SIGKILL");
await Promise.all(last.map(({ exited }) => exited));

const counts = (name: string) => sent.filter((sha256) => acks.get(sha256)?.answer === name).length;
const { findings } = inspectLedger(files, verifier);
const kinds = leafKinds();
const wrong = sent.filter((sha256) => acks.get(sha256)?.count !== 1).length;
const rows = [
  ["commands sent", `${sent.length}`],
  ["kills of the agent / of the ledger's writer", `${kills.agent} / ${kills.ledger}`],
  ["applied", `${counts("applied")}`],
  ["refused for their nonce", `${counts("nonce")}`],
  ["without exactly one ack", `${wrong}`],
  [
    "leaves: commands / acks / changes of limits / twice",
    `${kinds.command} / ${kinds.ack} / ${kinds.policy} / ${kinds.twice}`,
  ],
  ["what the ledger's check found", findings.join("; ") || "nothing"],
  ["seconds", ((performance.now() - startedMs) / 1_000).toFixed(1)],
];
process.stdout.write(`${table(["", ""], rows)}\n\n${machine()}\n`);
await bus.close();
rmSync(folder, { recursive: true });
process.exit(wrong === 0 && findings.length === 0 && kinds.twice === 0 && kinds.ack === sent.length ? 0 : 1);

async function send(): Promise<string> {
  const throttle = new Map([["throttle_pct", String(random.between(0, 100))]]);
  const target = { module: "arbitrage", action: "throttle", args: throttle } as const;
  if (random.unit() >= 0.1) return (await commander.send(target)).sha256;
  const tsSeconds = clock.wallNs() / 1_000_000_000n;
  const old = {
    ...target,
    tsSeconds,
    requestId: crypto.randomUUID(),
    issuer: "bench",
    schemaVersion: "ctrl-v1",
    nonce: 1n,
  };
  // A first command must have been taken, or 1 would be a good number.
  if (sent.length === 0) return (await commander.send(target)).sha256;
  const bytes = signCommand(old, key, "operator");
  await bus.publish("control-commands-proto", "arbitrage", bytes);
  return createHash("sha256").update(bytes).digest("hex");
}

function leafKinds() {
  const ledger = new LedgerReader(paths.ledger, verifier);
  const found = { command: 0, ack: 0, policy: 0, twice: 0 };
  const sources = new Set<string>();
  for (let index = 0; index < ledger.checkpoint.size; index++) {
    const { kind, source } = decodeEntry(ledger.leaf(index).bytes);
    if (kind === "command" || kind === "ack" || kind === "policy") found[kind] += 1;
    if (sources.has(source)) found.twice += 1;
    sources.add(source);
  }
  ledger.close();
  return found;
}
