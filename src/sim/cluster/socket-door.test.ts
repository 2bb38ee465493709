import { afterEach, describe, expect, test } from "bun:test";
import { ManualClock } from "#core/clock.ts";
import { funded, keyOf, SOL, testCluster, transfer } from "./fixture.ts";
import type { LocalCluster } from "./local-cluster.ts";
import { type SocketDoor, startSocketDoor } from "./socket-door.ts";

const WAIT_MS_MAX = 5_000;
type Message = {
  id?: number;
  method?: string;
  result?: unknown;
  error?: { code: number; message: string };
  params?: { subscription: number; result: never };
};

/** A raw client that keeps what it hears. */
class Client {
  readonly heard: Message[] = [];
  closed: number | undefined;
  #lastId = 0;
  constructor(readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => void this.heard.push(JSON.parse(String(data)));
    socket.onclose = ({ code }) => {
      this.closed = code;
    };
  }
  static async to(url: string): Promise<Client> {
    const client = new Client(new WebSocket(url));
    await until(() => client.socket.readyState === WebSocket.OPEN);
    return client;
  }
  async call(method: string, ...params: unknown[]): Promise<Message> {
    const id = ++this.#lastId;
    this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    await until(() => this.heard.some((message) => message.id === id));
    return this.heard.find((message) => message.id === id) as Message;
  }
  results<T>(method: string): T[] {
    return this.heard.filter((message) => message.method === method).map((message) => message.params?.result as T);
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS_MAX} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const doors: SocketDoor[] = [];
afterEach(async () => {
  for (const door of doors.splice(0)) await door.stop();
});
function open(cluster: LocalCluster, backlogBytesMax?: number): SocketDoor {
  const options = {
    port: 0,
    clock: new ManualClock(7n),
    ...(backlogBytesMax === undefined ? {} : { backlogBytesMax }),
  };
  const door = startSocketDoor(cluster, options);
  doors.push(door);
  return door;
}
const bob = keyOf("bob").address;

describe("the socket door", () => {
  test("answers what it does not know, and unsubscribes once", async () => {
    const door = open(testCluster());
    const client = await Client.to(door.url);
    expect((await client.call("voteSubscribe")).error?.code).toBe(-32601);
    expect((await client.call("accountSubscribe", "nonsense")).error?.code).toBe(-32602);
    const { result: number } = await client.call("slotSubscribe");
    expect(door.subscriptions).toBe(1);
    expect((await client.call("rootUnsubscribe", number)).error?.message).toBe("Invalid subscription id.");
    expect((await client.call("slotUnsubscribe", number)).result).toBe(true);
    expect((await client.call("slotUnsubscribe", number)).error?.code).toBe(-32602);
    await client.call("slotSubscribe");
    client.socket.close();
    await until(() => door.subscriptions === 0);
  });

  test("tells of an account at each commitment, once per slot when not processed", async () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice", 100n * SOL);
    const client = await Client.to(open(cluster).url);
    const numbers = new Map<unknown, string>();
    for (const commitment of ["processed", "confirmed", "finalized"])
      numbers.set((await client.call("accountSubscribe", bob, { commitment, encoding: "base64" })).result, commitment);
    const heard = () =>
      client.heard
        .filter(({ method }) => method === "accountNotification")
        .map(({ params }) => {
          const result: unknown = params?.result;
          const { context, value } = result as { context: { slot: number }; value: { lamports: number } };
          return `${numbers.get(params?.subscription)} ${context.slot} ${value.lamports / 1e9}`;
        });
    cluster.submit(transfer(cluster, alice, bob, SOL));
    cluster.submit(transfer(cluster, alice, bob, 2n * SOL));
    await until(() => heard().length === 2);
    expect(heard()).toEqual(["processed 1 1", "processed 1 3"]);
    cluster.nextSlot();
    await until(() => heard().length === 3);
    for (let i = 0; i < 31; i++) cluster.nextSlot();
    await until(() => heard().length === 4);
    expect(heard().slice(2)).toEqual(["confirmed 1 3", "finalized 1 3"]);
  });

  test("follows a signature: received, then done once, also when it was done before", async () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const door = open(cluster);
    const client = await Client.to(door.url);
    const wire = transfer(cluster, alice, bob, SOL);
    const simulated = testCluster();
    funded(simulated, "alice");
    const result = simulated.submit(wire);
    if (result.kind !== "executed") throw new Error("refused");
    const { signature } = result.executed;
    await client.call("signatureSubscribe", signature, { commitment: "confirmed", enableReceivedNotification: true });
    cluster.submit(wire);
    cluster.nextSlot();
    await until(() => client.results("signatureNotification").length === 2);
    await client.call("signatureSubscribe", signature, { commitment: "processed" });
    await until(() => client.results("signatureNotification").length === 3);
    expect(client.results("signatureNotification")).toMatchObject([
      { value: "receivedSignature" },
      { value: { err: null } },
      { value: { err: null } },
    ]);
    expect(door.subscriptions).toBe(0);
  });

  test("streams every transaction as one group with the accounts it wrote, and slot starts between", async () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice");
    const [all, ofBob, ofNobody] = [
      await Client.to(open(cluster).url),
      await Client.to(open(cluster).url),
      await Client.to(open(cluster).url),
    ];
    await all.call("geyserSubscribe", { owners: [], accounts: [] });
    await ofBob.call("geyserSubscribe", { owners: [], accounts: [bob] });
    await ofNobody.call("geyserSubscribe", { owners: ["TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"], accounts: [] });
    const wire = transfer(cluster, alice, bob, SOL);
    cluster.submit(wire);
    cluster.submit(transfer(cluster, alice, bob, 100n * SOL));
    cluster.nextSlot();
    await until(
      () => all.results("geyserNotification").length === 3 && ofNobody.results("geyserNotification").length === 1,
    );
    const [first, second, slot] = all.results<Record<string, unknown>>("geyserNotification");
    expect(first).toMatchObject({
      slot: 1,
      transactionIndex: 0,
      error: null,
      timeNs: "7",
      transaction: Buffer.from(wire).toString("base64"),
      innerInstructions: [],
      accounts: [
        { pubkey: alice.address, lamports: String(9n * SOL - 5_000n), writeVersion: "1", data: "" },
        { pubkey: bob, owner: "11111111111111111111111111111111", lamports: String(SOL), writeVersion: "2" },
      ],
    });
    expect(second).toMatchObject({
      transactionIndex: 1,
      error: { InstructionError: [0, { Custom: 1 }] },
      accounts: [{ pubkey: alice.address }],
    });
    expect(slot).toEqual({ slot: 2, slotStartMs: 1_700_000_000_000 });
    await until(() => ofBob.results("geyserNotification").length === 2);
    expect(ofNobody.results("geyserNotification")).toEqual([slot]);
  });

  test("closes a socket that does not read, counts it, and goes on with the others", async () => {
    const cluster = testCluster();
    const alice = funded(cluster, "alice", 1_000_000n * SOL);
    const door = open(cluster, 64 * 1024);
    const slow = await Bun.connect({
      hostname: "127.0.0.1",
      port: door.port,
      socket: {
        data: () => {},
        open: (socket) =>
          void socket.write(
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
          ),
      },
    });
    const quick = await Client.to(door.url);
    await quick.call("slotSubscribe");
    // A text frame with the mask 0.
    const text = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"geyserSubscribe","params":[{}]}');
    slow.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
    await until(() => door.subscriptions === 2);
    slow.pause();
    for (let i = 0; door.counters.slowSocketsClosed === 0 && i < 200_000; i++) {
      cluster.submit(transfer(cluster, alice, bob, BigInt(1_000_000 + i)));
      if (i % 100 === 99) {
        cluster.nextSlot();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect(door.counters.slowSocketsClosed).toBe(1);
    expect(door.subscriptions).toBe(1);
    const slots = quick.results("slotNotification").length;
    cluster.nextSlot();
    await until(() => quick.results("slotNotification").length > slots);
    slow.end();
  });
});
