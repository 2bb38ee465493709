/**
 * The live stream over real sockets and a real bus. The tables are away throughout: the stream must not need them.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import type { PageText } from "#gateway/dashboard/parts/status.ts";
import { type Gateway, startGateway } from "#gateway/gateway.ts";
import { storeData } from "#gateway/store-data.ts";
import { connectStore } from "#store/client.ts";
import { arbEnvelope, decodeBatch, type Envelope, encodeEnvelope, metricsEnvelope } from "#wire/envelope.ts";
import { eventually } from "./support/supervised-run.ts";

const CLIENTS_MAX = 3;
const QUIET = createLog({ process: "test", level: "error", format: "text" });
const folder = mkdtempSync(join(tmpdir(), "sandpiper-live-"));
const paths = runPaths(folder);
const config = loadConfig({
  environment: {},
  flags: ["--dataDir", folder, "--gateway.liveClientsMax", `${CLIENTS_MAX}`],
}).config;
const store = connectStore({ port: 1, secretPath: paths.clickhouseSecret });
const startOn = (port: number) =>
  startGateway({ config, paths, runId: "test", bus, data: storeData(store), log: QUIET, port });
let bus: Bus;
let gateway: Gateway;

beforeAll(async () => {
  bus = openEmbeddedBus({ path: paths.bus, lingerMs: 1, retainMiB: 256, log: QUIET });
  gateway = await startOn(0);
});
afterAll(async () => {
  await gateway.stop();
  await bus.close();
  rmSync(folder, { recursive: true, force: true });
});

const decision = (number: number, bytes = 0) =>
  encodeEnvelope(
    arbEnvelope({
      decisionId: `${number}`,
      reason: randomBytes(bytes).toString("base64url"),
      sequence: BigInt(number),
    }),
  );
const publishDecisions = (count: number, bytes = 0) =>
  Promise.all(
    Array.from({ length: count }, (_, i) => bus.publish("arbitrage-decisions-proto", "k", decision(i, bytes))),
  );

/** A page: what it got, in order. */
class Reader {
  readonly envelopes: Envelope[] = [];
  readonly batches: number[] = [];
  readonly texts: PageText[] = [];
  accept(data: Uint8Array<ArrayBuffer>): void {
    const { items, text } = decodeBatch(Bun.zstdDecompressSync(data));
    if (text !== "") this.texts.push(JSON.parse(text) as PageText);
    if (items.length > 0) this.batches.push(items.length);
    this.envelopes.push(...items);
  }
  get dropped(): number {
    const counts = this.texts.flatMap((text) => (text.kind === "dropped" ? Object.values(text.drops) : []));
    return counts.reduce((sum, count) => sum + count, 0);
  }
  get sequences(): number[] {
    return this.envelopes.flatMap(({ payload }) => (payload.case === "arb" ? [Number(payload.value.sequence)] : []));
  }
}

async function open(): Promise<{ reader: Reader; socket: WebSocket; closed: Promise<number> }> {
  const reader = new Reader();
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/live`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => reader.accept(new Uint8Array(data as ArrayBuffer));
  const closed = new Promise<number>((resolve) => {
    socket.onclose = ({ code }) => resolve(code);
  });
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("the socket was refused"));
  });
  return { reader, socket, closed };
}

const metric = async (name: string) => {
  const text = await (await fetch(`http://127.0.0.1:${gateway.port}/metrics`)).text();
  return Number(new RegExp(`^sandpiper_${name} (\\d+)$`, "m").exec(text)?.[1]);
};
const noClients = () =>
  eventually("no clients", async () => ((await metric("websocket_clients")) === 0 ? true : undefined));

describe("WebSocket /live", () => {
  test("sends every envelope once, in order, in batches, and the status beside them", async () => {
    const { reader, socket } = await open();
    await publishDecisions(300);
    await bus.publish("metrics-proto", "arbitrage", encodeEnvelope(metricsEnvelope({ agent: "arbitrage", slot: 5n })));
    await eventually("all of it", () => (reader.envelopes.length === 301 ? true : undefined));
    expect(reader.sequences).toEqual(Array.from({ length: 300 }, (_, i) => i));
    expect(Math.max(...reader.batches)).toBeLessThanOrEqual(256);
    expect(reader.batches.length).toBeLessThan(301);
    const status = await eventually("a status", () => reader.texts.find(({ kind }) => kind === "status"));
    expect(status).toMatchObject({ kind: "status", status: { mode: "sim", store: { reachable: false } } });
    expect(reader.dropped).toBe(0);
    socket.close();
    await noClients();
  });

  test("starts with now: what was published before a page came is not sent again", async () => {
    await publishDecisions(5);
    const first = await open();
    await publishDecisions(1);
    await eventually("the new one", () => (first.reader.envelopes.length > 0 ? true : undefined));
    expect(first.reader.envelopes.length).toBeLessThanOrEqual(6);
    first.socket.close();
    await noClients();
  });

  test("passes by what is no envelope, and counts it", async () => {
    const { reader, socket } = await open();
    await bus.publish("arbitrage-decisions-proto", "k", Uint8Array.of(0xff, 0xff, 0xff));
    await publishDecisions(1);
    await eventually("the good one", () => (reader.envelopes.length === 1 ? true : undefined));
    expect(await metric("bus_poison_total")).toBe(1);
    socket.close();
    await noClients();
  });

  test("refuses one page too many, and lets it in when another has gone", async () => {
    const pages = await Promise.all(Array.from({ length: CLIENTS_MAX }, open));
    await expect(open()).rejects.toThrow("refused");
    expect(await metric("websocket_refused_total")).toBeGreaterThanOrEqual(1);
    pages[0]?.socket.close();
    const late = await eventually("a free place", () => open());
    for (const { socket } of [...pages, late]) socket.close();
    await noClients();
  });

  test("closes a page that talks, whatever it says", async () => {
    for (const words of ["hello", new Uint8Array(100), "x".repeat(100_000)]) {
      const { socket, closed } = await open();
      socket.send(words);
      expect([1006, 1008, 1009]).toContain(await closed);
    }
    await noClients();
  });

  test("a page that stops reading loses only its own messages, and is told how many", async () => {
    const count = 20_000;
    const slow = await openRaw(gateway.port);
    const fast = await open();
    await publishDecisions(count, 1_000);
    await eventually("the reading page has all", () =>
      fast.reader.envelopes.length + fast.reader.dropped === count ? true : undefined,
    );
    expect(await metric("websocket_dropped_total")).toBeGreaterThan(fast.reader.dropped);
    slow.socket.resume();
    await eventually("the slow page knows", () =>
      slow.reader.envelopes.length + slow.reader.dropped === count ? true : undefined,
    );
    expect(slow.reader.dropped).toBeGreaterThan(0);
    for (const { reader } of [fast, slow]) {
      const { sequences } = reader;
      expect(sequences).toEqual([...sequences].sort((left, right) => left - right));
      // The oldest go: the newest is always there.
      expect(sequences.at(-1)).toBe(count - 1);
    }
    slow.socket.destroy();
    fast.socket.close();
    await noClients();
  }, 60_000);
});

describe("startGateway()", () => {
  test("says in one line that its port is taken, and may be tried again", async () => {
    const starting = startOn(gateway.port);
    await expect(starting).rejects.toThrow(
      `Cannot listen on 127.0.0.1:${gateway.port}: a free port (gateway.port), was `,
    );
    await expect(starting).rejects.toMatchObject({ code: 1802, retry: "later" });
  });

  test("refuses an address that others can reach", async () => {
    const open = { ...config, "gateway.host": "0.0.0.0" };
    const starting = startGateway({
      config: open,
      paths,
      runId: "t",
      bus,
      data: storeData(store),
      log: QUIET,
      port: 0,
    });
    await expect(starting).rejects.toThrow("Cannot listen on gateway.host: a loopback address");
  });

  test("stop() closes the pages with a word, and the port is free again", async () => {
    const own = await startOn(0);
    const socket = new WebSocket(`ws://127.0.0.1:${own.port}/live`);
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const closed = new Promise<number>((resolve) => {
      socket.onclose = ({ code }) => resolve(code);
    });
    await own.stop();
    expect(await closed).toBe(1001);
    const again = await startOn(own.port);
    expect(again.port).toBe(own.port);
    await again.stop();
  });
});

/** A page that shook hands and then does not read; resume() makes it read on. */
async function openRaw(port: number): Promise<{ socket: Socket; reader: Reader }> {
  const socket = connect(port, "127.0.0.1");
  socket.write(
    `GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  const reader = new Reader();
  let buffered = Buffer.alloc(0);
  let greeted = false;
  await new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      if (!greeted) {
        const end = buffered.indexOf("\r\n\r\n");
        if (end < 0) return;
        greeted = true;
        buffered = buffered.subarray(end + 4);
        socket.pause();
        resolve();
      }
      buffered = readFrames(buffered, reader);
    });
  });
  return { socket, reader };
}

/** RFC 6455 section 5.2, frames of a server: not masked. Answers the bytes that are no whole frame yet. */
function readFrames(bytes: Buffer, reader: Reader): Buffer<ArrayBuffer> {
  let at = 0;
  while (bytes.length - at >= 2) {
    const opcode = bytes.readUInt8(at) & 0x0f;
    const short = bytes.readUInt8(at + 1);
    const head = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length - at < head) break;
    const length =
      short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short;
    if (bytes.length - at < head + length) break;
    const payload = bytes.subarray(at + head, at + head + length);
    if (opcode === 2) reader.accept(new Uint8Array(payload));
    at += head + length;
  }
  return Buffer.from(bytes.subarray(at));
}
