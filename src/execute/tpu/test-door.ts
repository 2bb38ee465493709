/** The local cluster's QUIC door, which lets one identity in, and payments to send through it: for the tests of both engines. */
import { keypairFromSeed } from "#execute/keypair.ts";
import { startWorld, type World } from "#execute/test-world.ts";
import { signatureOf } from "#execute/transaction.ts";
import { transfer } from "#sim/cluster/fixture.ts";
import { startTpuDoor, type TpuDoor } from "#sim/tpu/tpu-door.ts";
import { pemOf } from "./certificate.ts";

const WAIT_MS = 60_000;

export const identity = keypairFromSeed(new Uint8Array(32).fill(8));

export type TestDoor = {
  readonly world: World;
  readonly door: TpuDoor;
  readonly address: string;
  /** Of the wallet's to the identity; each amount has another signature. */
  readonly payment: (lamports: bigint) => Uint8Array;
  readonly isInLedger: (wire: Uint8Array) => boolean;
  readonly stop: () => Promise<void>;
};

export async function openTestDoor(): Promise<TestDoor> {
  const world = await startWorld();
  // Only this certificate is let in: what opens a session, or lands, proves that the client has its key.
  const door = await startTpuDoor(world.cluster, { port: 0, clients: [pemOf(identity.tlsIdentity().certificateDer)] });
  return {
    world,
    door,
    address: `127.0.0.1:${door.port}`,
    payment: (lamports) => transfer(world.cluster, world.wallet.keypair, identity.address, lamports),
    isInLedger: (wire) => world.cluster.ledger.transaction(signatureOf(wire)) !== undefined,
    stop: async () => {
      await door.stop();
      await world.stop();
    },
  };
}

export async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!what()) {
    if (Date.now() > deadline) throw new Error("it did not come about");
    await Bun.sleep(2);
  }
}
