/** An agent's control service over the embedded bus: lives that end anywhere, and what a reader of the acks sees. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { Commander } from "#control/commander.ts";
import { ensureControlKeys, readAckKeys } from "#control/key-files.ts";
import { readSecretKeyFile } from "#control/sign.ts";
import { ManualClock } from "#core/clock.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { type RunPaths, runPaths } from "#core/paths.ts";
import { createPolicyTarget, Switchboard } from "#memory/switchboard.ts";
import { type Ack, decodeAck } from "#wire/ack.ts";
import { startControl } from "./start-control.ts";

const log = createLog({ process: "test", level: "error", format: "text" });
const clock = new ManualClock(1_790_000_000_000_000_000n);
const CONFIGURED = { killed: false, stopped: false, throttlePct: 0, evMinLamports: 1, tipLadderLamports: [1] };

let folder: string;
let paths: RunPaths;
let bus: Bus;
let operator: Commander;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sandpiper-control-"));
  paths = runPaths(folder);
  bus = openEmbeddedBus({ path: paths.bus, lingerMs: 0, retainMiB: 16, log });
  ensureControlKeys(paths, {});
  const key = readSecretKeyFile(paths.controlSecret);
  operator = new Commander({ bus, key, keyId: "operator", issuer: "test", noncesPath: join(folder, "nonces"), clock });
});
afterEach(async () => {
  operator.close();
  await bus.close();
  rmSync(folder, { recursive: true });
});

/** One life of the agent; `publish` stands in for a bus that fails. */
function live(publish: Bus["publish"] = bus.publish) {
  const board = new SharedArrayBuffer(Switchboard.bytes);
  const target = createPolicyTarget();
  const reader = new Switchboard(board);
  let restarts = 0;
  const service = startControl({
    agent: "arbitrage",
    module: "arbitrage",
    config: loadConfig({ environment: {}, flags: ["--dataDir", folder] }).config,
    paths,
    bus: { ...bus, publish },
    switchboard: new Switchboard(board),
    configured: CONFIGURED,
    clock,
    log: createLog({ process: "test", level: "error", format: "text", write: () => {} }),
    restart: () => {
      restarts += 1;
    },
  });
  const policy = () => {
    reader.readPolicyInto(target);
    return target;
  };
  return { ...service, policy, restarts: () => restarts };
}

async function acks(count: number): Promise<Ack[]> {
  const found: Ack[] = [];
  const consumer = bus.consumer({ group: crypto.randomUUID(), topics: ["control-acks-proto"], start: "first" });
  while (found.length < count) {
    await consumer.wait(1_000);
    found.push(...(await consumer.poll(1_000)).map(({ value }) => decodeAck(value)));
  }
  await consumer.close();
  return found;
}

describe("startControl()", () => {
  test("carries commands out and answers each once, over lives", async () => {
    const first = live();
    await operator.send({ module: "arbitrage", action: "kill" });
    expect(await acks(1)).toMatchObject([{ answer: "applied", trading: "killed" }]);
    await first.stop();
    const second = live();
    expect(second.policy().killed).toBe(true);
    await operator.send({ module: "mev", action: "start" });
    await operator.send({ module: "arbitrage", action: "start" });
    const all = await acks(2);
    await second.stop();
    expect(all.map(({ trading, sequence }) => [trading, sequence])).toEqual([
      ["killed", 1n],
      ["running", 2n],
    ]);
    expect(readAckKeys(paths.ackKeys).size).toBe(2);
  });

  test("a life that died before it said its ack leaves that to the next, and nobody hears it twice", async () => {
    let refusals = 0;
    const silent = live(async () => {
      refusals += 1;
      throw new Error("no bus");
    });
    await operator.send({ module: "arbitrage", action: "kill" });
    while (refusals === 0) await Bun.sleep(5);
    await silent.stop();
    const next = live();
    expect(next.policy().killed).toBe(true);
    expect(await acks(1)).toMatchObject([{ answer: "applied", sequence: 1n }]);
    await operator.send({ module: "arbitrage", action: "restart" });
    expect((await acks(2)).map(({ sequence }) => sequence)).toEqual([1n, 2n]);
    await next.stop();
    expect(next.restarts()).toBe(1);
  });

  test("takes a key that was revoked while it ran out of force", async () => {
    const { stop } = live();
    await operator.send({ module: "arbitrage", action: "stop" });
    expect(await acks(1)).toMatchObject([{ answer: "applied" }]);
    const file = JSON.parse(readFileSync(paths.controlKeys, "utf8"));
    file.keys[0].revoked = true;
    writeFileSync(paths.controlKeys, JSON.stringify(file));
    await operator.send({ module: "arbitrage", action: "start" });
    expect((await acks(2))[1]).toMatchObject({ answer: "refused", reason: "revokedKey", trading: "stopped" });
    await stop();
  });
});
