/** Straight to a leader: our client against the local cluster's QUIC door, and hedging by it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { base58Encode } from "#core/base58.ts";
import { RouteManager } from "#decide/routes/route-manager.ts";
import { keypairFromSeed } from "#execute/keypair.ts";
import type { Route, RouteName, SendAnswer } from "#execute/route.ts";
import { HedgedRoute, type HedgedRouteParts } from "#execute/routes/hedged-route.ts";
import { RpcRoute } from "#execute/routes/rpc-route.ts";
import { createRpc } from "#execute/rpc.ts";
import { signatureOf } from "#execute/transaction.ts";
import { startTpuDoor } from "#sim/tpu/tpu-door.ts";
import { pemOf } from "./certificate.ts";
import { identity, openTestDoor, type TestDoor, until } from "./test-door.ts";
import { TpuClient } from "./tpu-client.ts";
import { TpuRoute } from "./tpu-route.ts";

let { world, door, address, payment, isInLedger, stop } = {} as TestDoor;
let client: TpuClient;

beforeAll(async () => {
  ({ world, door, address, payment, isInLedger, stop } = await openTestDoor());
  client = openClient();
});
afterAll(async () => {
  await client.close();
  await stop();
});

const openClient = (keys = identity) =>
  new TpuClient({ identity: keys.tlsIdentity(), monotonicNs: () => Bun.nanoseconds(), reconnectMs: 0 });

test("selfSigned() makes an X.509 certificate of the key, signed by the key", () => {
  const certificate = new X509Certificate(identity.tlsIdentity().certificateDer);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  const key = certificate.publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  expect(base58Encode(key)).toBe(identity.address as string);
  expect(certificate.subject).toBe("CN=Solana node");
  expect(new X509Certificate(pemOf(certificate.raw)).fingerprint256).toBe(certificate.fingerprint256);
});

describe("TpuClient on the local cluster's QUIC door", () => {
  test("lands transactions, each on a stream of its own, over one connection", async () => {
    const wires = Array.from({ length: 40 }, (_, i) => payment(1_000_000n + BigInt(i)));
    const answers = await Promise.all(wires.map((wire) => client.send(address, wire)));
    expect(answers.every(({ kind }) => kind === "accepted")).toBe(true);
    await until(() => wires.every(isInLedger));
    expect([client.handshakes, client.inFlight, client.sent]).toEqual([1, 0, 40]);
    expect(client.isConnected(address)).toBe(true);
  }, 120_000);

  test("is not let in with another key", async () => {
    const stranger = openClient(keypairFromSeed(new Uint8Array(32).fill(9)));
    const wire = payment(3n);
    await stranger.send(address, wire);
    expect(stranger.isConnected(address)).toBe(false);
    expect(isInLedger(wire)).toBe(false);
    await stranger.close();
  }, 120_000);

  test("says so when nobody is at the address, and goes on when somebody is again", async () => {
    const other = openClient();
    const gone = await startTpuDoor(world.cluster, { port: 0 });
    const at = `127.0.0.1:${gone.port}`;
    expect(await other.prepare(at)).toBe(true);
    await gone.stop();
    await until(() => !other.isConnected(at));
    expect((await other.send(at, payment(4n))).kind).toBe("rejected");
    const back = await startTpuDoor(world.cluster, { port: gone.port });
    const wire = payment(5n);
    await until(() => {
      void other.send(at, wire);
      return isInLedger(wire);
    });
    expect(other.handshakes).toBeGreaterThan(1);
    await other.close();
    await back.stop();
  }, 120_000);

  test("drops what is no transaction or longer than one, and goes on", async () => {
    const before = door.counters.dropped;
    await client.send(address, new Uint8Array(4_000).fill(1));
    await client.send(address, new Uint8Array(10));
    await until(() => door.counters.dropped === before + 2);
    const wire = payment(6n);
    await client.send(address, wire);
    await until(() => isInLedger(wire));
  }, 120_000);
});

test("TpuRoute finds the leaders of the next slots by the cluster's schedule", async () => {
  const leader = String(world.cluster.identity);
  const rpc = async (method: string) => ({
    ok: true as const,
    value: method === "getClusterNodes" ? [{ pubkey: leader, tpuQuic: address }, null, {}] : [leader, leader, "else"],
  });
  const route = new TpuRoute(rpc, client);
  const wire = payment(7n);
  expect((await route.send(wire)).kind).toBe("rejected");
  await route.follow(1);
  expect(route.health.healthy).toBe(true);
  expect(await route.send(wire)).toEqual({ kind: "accepted", routeId: signatureOf(wire) });
  await until(() => isInLedger(wire));
  expect(await route.statuses(["x"])).toEqual([{ kind: "pending" }]);
}, 120_000);

describe("HedgedRoute", () => {
  const moment = { leader: "leader", hour: 3 };
  const main = (send: () => Promise<SendAnswer>): Route => ({
    name: "jito",
    health: { healthy: true, rttNs: 0, inFlight: 0, sent: 0, failed: 0 },
    tipAccount: () => "",
    tipFloorLamports: 0,
    refreshTipFloor: async () => {},
    send,
    statuses: async (ids) => ids.map(() => ({ kind: "failed", why: "gave up" })),
  });
  const hedge = (first: Route, change: Partial<HedgedRouteParts> = {}) => {
    const rpc = new RpcRoute(createRpc({ url: world.rpcDoor.url }), world.clock);
    const manager = new RouteManager<RouteName>(["jito", "rpc"], () => 0.5, { jito: { pLand: 0.9 } });
    const parts = { main: first, routes: [first, rpc], manager, moment: () => moment };
    const limits = { hedgeMsMin: 8, hedgeMsMax: 15, extraPctMax: 100, sleep: async () => {}, clock: world.clock };
    return { manager, route: new HedgedRoute({ ...parts, ...limits, ...change }) };
  };

  test("sends the same bytes by two ways, and they execute once", async () => {
    const slow = main(async () => {
      await Bun.sleep(5);
      return { kind: "accepted", routeId: "jito-id" };
    });
    let executed = 0;
    const stop = world.cluster.onTransaction(() => executed++);
    const { route } = hedge(slow);
    for (let i = 0; i < 50; i++) {
      const wire = payment(10_000n + BigInt(i));
      const also = client.send(address, wire);
      expect(await route.send(wire, `id-${i}`)).toEqual({ kind: "accepted", routeId: `id-${i}` });
      await also;
      await until(() => isInLedger(wire));
    }
    // Whatever is still on its way over QUIC is of the same signatures.
    await until(() => door.counters.received >= 50);
    stop();
    expect([executed, route.counters.hedged]).toEqual([50, 50]);
    // Not given up because the first way gave it up.
    expect(await route.statuses(["id-1", "else"])).toEqual([{ kind: "pending" }, { kind: "failed", why: "gave up" }]);
  }, 120_000);

  test("keeps to its budget for extra load", async () => {
    const never = main(async () => ({ kind: "unanswered", why: "silence" }));
    const { route } = hedge(never, { extraPctMax: 20 });
    for (let i = 0; i < 20; i++) await route.send(payment(20_000n + BigInt(i)), `b-${i}`);
    expect(route.counters).toEqual({ sends: 20, hedged: 4, overBudget: 16 });
  }, 120_000);

  test("learns from what went one way only", async () => {
    const accepts = () => main(async () => ({ kind: "accepted", routeId: "x" }));
    const alone = hedge(accepts(), { sleep: () => new Promise(() => {}) });
    await alone.route.send(payment(30_000n), "one");
    alone.route.settled("one", false);
    alone.route.settled("one", false);
    expect(alone.route.counters.hedged).toBe(0);
    expect(alone.manager.estimate("jito", moment)).toMatchObject({ attempts: 1, pLand: 0.765 });
    const both = hedge(main(async () => ({ kind: "unanswered", why: "silence" })));
    await both.route.send(payment(30_001n), "two");
    both.route.settled("two", true);
    expect(both.route.counters.hedged).toBe(1);
    expect(both.manager.estimate("jito", moment).attempts).toBe(0);
  }, 120_000);
});
