import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { createLog } from "#core/log.ts";
import type { Bus, Message } from "./bus.ts";
import { openEmbeddedBus } from "./embedded.ts";
import { BUS_ERROR } from "./errors.ts";

const folders: string[] = [];
const buses: Bus[] = [];
const lines: string[] = [];
const log = createLog({ process: "test", level: "warn", format: "text", write: (line) => void lines.push(line) });

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-bus-"));
  folders.push(folder);
  return join(folder, "bus.sqlite");
}

function open(path: string, retainMiB = 64): Bus {
  const bus = openEmbeddedBus({ path, lingerMs: 0, retainMiB, log });
  buses.push(bus);
  return bus;
}

afterEach(async () => {
  for (const bus of buses.splice(0)) await bus.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  lines.length = 0;
});

const numbered = (i: number) => new TextEncoder().encode(String(i));
const numberOf = (message: Message) => Number(new TextDecoder().decode(message.value));

test("publish() answers consecutive offsets of the topic once the message can be read", async () => {
  const path = newPath();
  const bus = open(path);
  const offsets = await Promise.all([1, 2, 3].map((i) => bus.publish("metrics-proto", `key${i}`, numbered(i))));
  expect(offsets).toEqual([0, 1, 2].map((i) => (offsets[0] as number) + i));
  const read = await open(path)
    .consumer({ group: "g", topics: ["metrics-proto"], start: "first" })
    .poll(10);
  expect(read.map((message) => [message.key, numberOf(message), message.offset])).toEqual([
    ["key1", 1, offsets[0] as number],
    ["key2", 2, offsets[1] as number],
    ["key3", 3, offsets[2] as number],
  ]);
});

test("publish() to several topics keeps the order over all of them for a consumer of all", async () => {
  const bus = open(newPath());
  for (let i = 0; i < 6; i++) await bus.publish(i % 2 ? "metrics-proto" : "train-acks-proto", "k", numbered(i));
  const consumer = bus.consumer({ group: "g", topics: ["metrics-proto", "train-acks-proto"], start: "first" });
  expect((await consumer.poll(4)).map(numberOf)).toEqual([0, 1, 2, 3]);
  expect((await consumer.poll(4)).map(numberOf)).toEqual([4, 5]);
  expect(await consumer.poll(4)).toEqual([]);
});

test("publish() refuses a message over the limit and an open bus that was closed", async () => {
  const bus = open(newPath());
  const large = bus.publish("metrics-proto", "k", new Uint8Array(1024 * 1024 + 1));
  await expect(large).rejects.toMatchObject({ code: BUS_ERROR.messageTooLarge, retry: "never" });
  await bus.close();
  await expect(bus.publish("metrics-proto", "k", numbered(1))).rejects.toMatchObject({ code: BUS_ERROR.closed });
});

test("publish() refuses and counts what its queue has no room for, and keeps what it took", async () => {
  const path = newPath();
  const bus = open(path);
  const megabyte = new Uint8Array(1024 * 1024);
  const published = Array.from({ length: 70 }, () => bus.publish("metrics-proto", "k", megabyte));
  const results = await Promise.allSettled(published);
  const refused = results.filter((result) => result.status === "rejected");
  expect(refused.length).toBe(6);
  expect(refused[0]).toMatchObject({ reason: { code: BUS_ERROR.queueFull, retry: "later" } });
  expect(bus.stats()).toMatchObject({ published: 64, refused: 6, failed: 0 });
});

test("consumer() starts a new group at the first or at the next message, and a known one where it committed", async () => {
  const path = newPath();
  const bus = open(path);
  await bus.publish("metrics-proto", "k", numbered(1));
  const topics = ["metrics-proto"] as const;
  const next = bus.consumer({ group: "next", topics, start: "next" });
  const first = bus.consumer({ group: "first", topics, start: "first" });
  await bus.publish("metrics-proto", "k", numbered(2));
  await bus.publish("metrics-proto", "k", numbered(3));
  expect((await next.poll(1)).map(numberOf)).toEqual([2]);
  await next.commit();
  await next.poll(1);
  expect((await first.poll(9)).map(numberOf)).toEqual([1, 2, 3]);
  expect([next.lag(), first.lag()]).toEqual([1, 3]);
  const reopened = open(path);
  const again = reopened.consumer({ group: "next", topics, start: "next" });
  expect((await again.poll(9)).map(numberOf)).toEqual([3]);
  const onlooker = reopened.consumer({ group: "next", topics, start: "first", ephemeral: true });
  expect((await onlooker.poll(9)).map(numberOf)).toEqual([1, 2, 3]);
  await onlooker.commit();
  expect(again.lag()).toBe(1);
});

test("pollFixed() gives the same batch again until it is committed, whatever came after", async () => {
  const path = newPath();
  const bus = open(path);
  const options = { group: "g", topics: ["metrics-proto"], start: "first" } as const;
  for (let i = 0; i < 3; i++) await bus.publish("metrics-proto", "k", numbered(i));
  expect((await bus.consumer(options).pollFixed(2)).map(numberOf)).toEqual([0, 1]);
  for (let i = 3; i < 6; i++) await bus.publish("metrics-proto", "k", numbered(i));
  const later = open(path).consumer(options);
  expect((await later.pollFixed(100)).map(numberOf)).toEqual([0, 1]);
  await later.commit();
  expect((await later.pollFixed(100)).map(numberOf)).toEqual([2, 3, 4, 5]);
  const both = bus.consumer({ group: "h", topics: ["metrics-proto", "train-acks-proto"], start: "first" });
  await expect(both.pollFixed(1)).rejects.toMatchObject({ code: BUS_ERROR.consumer });
});

test("poll() and pollFixed() hand out at most 16 MiB at a time, and the rest afterwards", async () => {
  const bus = open(newPath());
  const megabyte = new Uint8Array(1024 * 1024);
  await Promise.all(Array.from({ length: 20 }, () => bus.publish("metrics-proto", "k", megabyte)));
  const topics = ["metrics-proto"] as const;
  const consumer = bus.consumer({ group: "g", topics, start: "first" });
  expect([(await consumer.poll(100)).length, (await consumer.poll(100)).length]).toEqual([16, 4]);
  const fixed = bus.consumer({ group: "h", topics, start: "first" });
  expect([(await fixed.pollFixed(100)).length, (await fixed.pollFixed(100)).length]).toEqual([16, 4]);
});

test("wait() says true for a message of another connection and false when the time is over", async () => {
  const path = newPath();
  const consumer = open(path).consumer({ group: "g", topics: ["metrics-proto"], start: "first" });
  expect(await consumer.poll(1)).toEqual([]);
  expect(await consumer.wait(1)).toBe(false);
  const waiting = consumer.wait(10_000);
  await open(path).publish("metrics-proto", "k", numbered(7));
  expect(await waiting).toBe(true);
  expect((await consumer.poll(1)).map(numberOf)).toEqual([7]);
});

test("offsets of a bus that was made anew never meet those of its forerunner", async () => {
  const path = newPath();
  const first = openEmbeddedBus({ path, lingerMs: 0, retainMiB: 64, log, nowMs: () => 1_000_000 });
  const offsets = await Promise.all(
    Array.from({ length: 999 }, () => first.publish("metrics-proto", "k", numbered(1))),
  );
  await first.close();
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
  const second = openEmbeddedBus({ path, lingerMs: 0, retainMiB: 64, log, nowMs: () => 1_000_001 });
  buses.push(second);
  expect(await second.publish("metrics-proto", "k", numbered(1))).toBeGreaterThan(Math.max(...offsets));
});

test("retention trims what every group has committed and keeps what one still needs", async () => {
  const bus = open(newPath(), 1);
  const topics = ["metrics-proto"] as const;
  const quick = bus.consumer({ group: "quick", topics, start: "first" });
  const slow = bus.consumer({ group: "slow", topics, start: "first" });
  const kilobytes = new Uint8Array(100 * 1024);
  for (let i = 0; i < 15; i++) await bus.publish("metrics-proto", "k", kilobytes);
  await quick.poll(100);
  await quick.commit();
  await bus.publish("metrics-proto", "k", kilobytes);
  expect(bus.stats()).toMatchObject({ trimmed: 0, trimmedUnread: 0 });
  expect((await slow.poll(3)).length).toBe(3);
  await slow.commit();
  await bus.publish("metrics-proto", "k", kilobytes);
  expect(bus.stats()).toMatchObject({ trimmed: 3, trimmedUnread: 0 });
  expect((await slow.poll(100)).length).toBe(14);
});

test("retention beyond twice the size removes unread messages, counts them and says so", async () => {
  const bus = open(newPath(), 1);
  const consumer = bus.consumer({ group: "g", topics: ["metrics-proto"], start: "first" });
  for (let i = 0; i < 30; i++) await bus.publish("metrics-proto", "k", new Uint8Array(100 * 1024));
  const { trimmedUnread } = bus.stats();
  expect(trimmedUnread).toBeGreaterThan(0);
  expect((await consumer.poll(100)).length).toBe(30 - trimmedUnread);
  expect(lines.join("\n")).toContain("removed messages that not every group had read");
});

test("openEmbeddedBus() refuses a file of a newer version and one that is no bus", () => {
  const newer = newPath();
  const database = new Database(newer, { create: true });
  database.run("PRAGMA user_version = 99");
  database.close();
  expect(() => open(newer)).toThrow(/schema version 1 or older, was 99/);
  const foreign = newPath();
  writeFileSync(foreign, "this is no database, but it is long enough to be taken for one ".repeat(20));
  expect(() => open(foreign)).toThrow(/^Cannot open the bus .*bus.sqlite: a writable SQLite file/);
});

test("poll() and commit() in any mixture lose nothing, double nothing, and keep the order", async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("publish" as const), count: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ kind: fc.constant("poll" as const), count: fc.integer({ min: 1, max: 15 }) }),
    fc.record({ kind: fc.constant("restart" as const), count: fc.constant(0) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const bus = open(newPath());
      const options = { group: "g", topics: ["metrics-proto"], start: "first" } as const;
      let consumer = bus.consumer(options);
      let published = 0;
      const seen: number[] = [];
      const take = async (count: number) => {
        const messages = await consumer.pollFixed(count);
        seen.push(...messages.map(numberOf));
        await consumer.commit();
        return messages.length;
      };
      for (const { kind, count } of steps) {
        if (kind === "restart") consumer = bus.consumer(options);
        else if (kind === "poll") await take(count);
        else
          await Promise.all(
            Array.from({ length: count }, () => bus.publish("metrics-proto", "k", numbered(published++))),
          );
      }
      while ((await take(7)) > 0);
      expect(seen).toEqual(Array.from({ length: published }, (_, i) => i));
    }),
    { numRuns: 25 },
  );
});

test("groupLags() tells how far each remembered group is behind, whatever another process or retention did", async () => {
  const path = newPath();
  const bus = open(path, 1);
  const options = { group: "g", topics: ["metrics-proto", "train-acks-proto"], start: "first" } as const;
  const consumer = bus.consumer(options);
  bus.consumer({ group: "looker", topics: ["metrics-proto"], start: "next", ephemeral: true });
  const lags = () =>
    open(path)
      .groupLags()
      .map(({ group, topic, messages }) => [group, topic, messages]);
  expect(lags()).toEqual([
    ["g", "metrics-proto", 0],
    ["g", "train-acks-proto", 0],
  ]);
  for (let i = 0; i < 5; i++) await bus.publish("metrics-proto", "k", numbered(i));
  expect(lags()[0]).toEqual(["g", "metrics-proto", 5]);
  await consumer.poll(3);
  await consumer.commit();
  expect(lags()[0]).toEqual(["g", "metrics-proto", 2]);
  expect(lags()[0]?.[2]).toBe(consumer.lag());
  // Far over what is kept: the oldest go unread, and what is gone is no lag.
  for (let i = 0; i < 8; i++) await bus.publish("metrics-proto", "k", new Uint8Array(512 * 1024));
  expect(bus.stats().trimmedUnread).toBeGreaterThan(0);
  expect(lags()[0]?.[2]).toBe(consumer.lag());
});
