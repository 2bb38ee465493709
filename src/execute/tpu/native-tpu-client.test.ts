/**
 * The native TPU engine against the local cluster's QUIC door, which is another QUIC (node:quic). Without the module it is
 * skipped, loudly, but never in CI. Its congestion controller has tests of its own: cargo test -p sandpiper-congestion.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import { startTpuDoor } from "#sim/tpu/tpu-door.ts";
import { NativeTpuClient, type NativeTpuOptions, nativeTpuMissing } from "./native-tpu-client.ts";
import { openTpuEngine } from "./open-tpu-engine.ts";
import { identity, openTestDoor, type TestDoor, until } from "./test-door.ts";

const CI = process.env["CI"] === "true";
const missing = CI && Bun.which("cargo") !== null ? undefined : nativeTpuMissing();
if (missing !== undefined) process.stderr.write(`SKIPPED: the native TPU engine, because ${missing}\n`);

const openClient = (keys = identity, controller: NativeTpuOptions["controller"] = "phase") =>
  new NativeTpuClient({ identity: keys.tlsIdentity(), controller, reconnectMs: 0 });

describe.skipIf(missing !== undefined)("NativeTpuClient on the local cluster's QUIC door", () => {
  let { world, address, payment, isInLedger, stop } = {} as TestDoor;
  beforeAll(async () => {
    ({ world, address, payment, isInLedger, stop } = await openTestDoor());
  }, 120_000);
  afterAll(async () => await stop?.());

  for (const [at, controller] of (["cubic", "bbr", "newreno", "phase"] as const).entries())
    test(`lands transactions, each on a stream of its own, over one connection: ${controller}`, async () => {
      const client = openClient(identity, controller);
      const wires = Array.from({ length: 25 }, (_, i) => payment(1_000_000n + BigInt(100 * at + i)));
      const answers = await Promise.all(wires.map((wire) => client.send(address, wire)));
      expect(answers.filter(({ kind }) => kind !== "accepted")).toEqual([]);
      await until(() => wires.every(isInLedger));
      expect([client.handshakes, client.inFlight, client.sent, client.failed]).toEqual([1, 0, 25, 0]);
      expect(client.isConnected(address)).toBe(true);
      expect(client.handshakeNs).toBeGreaterThan(0);
      expect(client.path(address)?.sentPackets).toBeGreaterThanOrEqual(25);
      await client.close();
      expect(client.isConnected(address)).toBe(false);
    }, 120_000);

  test("gives the leader whose slots it is a wider window than another one", async () => {
    const client = openClient();
    await client.prepare(address);
    client.lead(address);
    await client.send(address, payment(50n));
    const inPhase = client.path(address)?.windowBytes ?? 0;
    client.lead(undefined);
    await until(() => {
      void client.send(address, payment(51n));
      return (client.path(address)?.windowBytes ?? inPhase) < inPhase;
    });
    await client.close();
  }, 120_000);

  test("is not let in with another key", async () => {
    const stranger = openClient(keypairFromSeed(new Uint8Array(32).fill(9)));
    const wire = payment(3n);
    expect((await stranger.send(address, wire)).kind).not.toBe("accepted");
    expect(isInLedger(wire)).toBe(false);
    await stranger.close();
  }, 120_000);

  test("says so when nobody is at the address, and goes on when somebody is again", async () => {
    const client = openClient();
    const gone = await startTpuDoor(world.cluster, { port: 0 });
    const at = `127.0.0.1:${gone.port}`;
    await gone.stop();
    expect(await client.prepare(at)).toBe(false);
    expect((await client.send(at, payment(4n))).kind).toBe("rejected");
    expect(await client.send("nowhere", payment(4n))).toMatchObject({ kind: "rejected" });
    const back = await startTpuDoor(world.cluster, { port: gone.port });
    const wire = payment(5n);
    await until(() => {
      void client.send(at, wire);
      return isInLedger(wire);
    });
    await client.close();
    await back.stop();
  }, 120_000);

  test("close() leaves nobody waiting", async () => {
    const client = openClient();
    const sending = Array.from({ length: 50 }, (_, i) => client.send(address, payment(100n + BigInt(i))));
    await client.close();
    expect((await Promise.all(sending)).length).toBe(50);
    expect(client.inFlight).toBe(0);
  }, 120_000);

  test("openTpuEngine() opens the engine that the options name", async () => {
    const log = createLog({ process: "test", level: "error", format: "text" });
    const open = (engine: string) => {
      const { config } = loadConfig({ environment: {}, flags: ["--execute.tpuEngine", engine] });
      return openTpuEngine(identity.tlsIdentity(), { config, clock: { monotonicNs: () => Bun.nanoseconds() }, log });
    };
    for (const name of ["native", "builtin"]) {
      const engine = open(name);
      expect(String(engine.name)).toBe(name);
      await engine.close();
    }
  });
});

test.skipIf(missing !== undefined)("NativeTpuClient refuses a controller that does not exist", () => {
  expect(() => openClient(identity, "reno" as "cubic")).toThrow("no congestion controller is named reno");
});
