/** What the embedded bus promises when several processes write at once, are killed, or run out of disk. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "#core/log.ts";
import { openEmbeddedBus } from "./embedded.ts";
import { BUS_ERROR } from "./errors.ts";

const ROOT = join(import.meta.dir, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "sandpiper-bus-processes-"));
const log = createLog({ process: "test", level: "error", format: "text" });

/** Publishes "<name>:<number>" for ever, and says on stdout, a line each, what was acknowledged. */
const PUBLISHER = `
  import { openEmbeddedBus } from "#bus/embedded.ts";
  import { writeSync } from "node:fs";
  const [path, name] = process.argv.slice(-2);
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const bus = openEmbeddedBus({ path, lingerMs: 1, retainMiB: 64, log });
  let next = 0;
  const write = async (key) => {
    for (;;) {
      const number = next++;
      await bus.publish("metrics-proto", name + key, new TextEncoder().encode(name + ":" + number));
      writeSync(1, name + ":" + number + "\\n");
    }
  };
  await Promise.all([write("a"), write("b"), write("c")]);
`;

async function runPublisher(path: string, name: string, killAfterLines: number): Promise<string[]> {
  const child = Bun.spawn([process.execPath, "-e", PUBLISHER, path, name], { cwd: ROOT, stdout: "pipe" });
  const lines: string[] = [];
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    if (lines.length >= killAfterLines) child.kill("SIGKILL");
  }
  await child.exited;
  return lines;
}

test("every message that was acknowledged to a process that was then killed is there exactly once, in key order", async () => {
  const path = join(folder, "killed.sqlite");
  const names = ["ant", "bee", "cat", "dog"];
  const acknowledged = (await Promise.all(names.map((name, i) => runPublisher(path, name, 400 + i * 200)))).flat();
  const bus = openEmbeddedBus({ path, lingerMs: 1, retainMiB: 64, log });
  const consumer = bus.consumer({ group: "g", topics: ["metrics-proto"], start: "first" });
  const found: { key: string; value: string }[] = [];
  for (;;) {
    const messages = await consumer.poll(1_000);
    if (messages.length === 0) break;
    for (const { key, value } of messages) found.push({ key, value: new TextDecoder().decode(value) });
  }
  await bus.close();
  expect(acknowledged.length).toBeGreaterThanOrEqual(400 * 4);
  const times = Map.groupBy(found, ({ value }) => value);
  expect(acknowledged.filter((value) => times.get(value)?.length !== 1)).toEqual([]);
  expect(times.size).toBe(found.length);
  for (const [, messages] of Map.groupBy(found, ({ key }) => key)) {
    const numbers = messages.map(({ value }) => Number(value.split(":")[1]));
    expect(numbers).toEqual(numbers.toSorted((left, right) => left - right));
  }
});

/** A file system of 4 MiB, or undefined where this process may not mount one. */
function mountSmallDisk(): string | undefined {
  const mountPoint = join(folder, "small-disk");
  mkdirSync(mountPoint);
  const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", mountPoint]);
  return exitCode === 0 ? mountPoint : undefined;
}

const smallDisk = mountSmallDisk();
if (smallDisk === undefined) console.warn("SKIPPED: the full disk test of the bus needs the right to mount a tmpfs");
afterAll(() => {
  if (smallDisk !== undefined) Bun.spawnSync(["umount", smallDisk]);
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(smallDisk === undefined)(
  "publish() on a full disk rejects with what is wrong, keeps what it acknowledged, and goes on when there is room",
  async () => {
    const disk = smallDisk as string;
    const filler = join(disk, "filler");
    writeFileSync(filler, new Uint8Array(2 * 1024 * 1024));
    const path = join(disk, "bus.sqlite");
    const bus = openEmbeddedBus({ path, lingerMs: 0, retainMiB: 64, log });
    const publish = (i: number) => bus.publish("metrics-proto", "k", new Uint8Array(10_000).fill(i));
    const results: PromiseSettledResult<number>[] = [];
    for (let i = 0; i < 200; i++) results.push(...(await Promise.allSettled([publish(i % 256)])));
    const rejected = results.filter((result) => result.status === "rejected");
    expect(rejected.length).toBeGreaterThan(0);
    expect(rejected[0]).toMatchObject({ reason: { code: BUS_ERROR.diskFull, retry: "later" } });
    expect(String(rejected[0]?.reason)).toMatch(/^SandpiperError: Cannot write to the bus: room on its disk, was /);
    rmSync(filler);
    const afterwards = await publish(99);
    const acknowledged = results.flatMap((result, i) =>
      result.status === "fulfilled" ? [{ offset: result.value, first: i % 256 }] : [],
    );
    const read = await bus.consumer({ group: "g", topics: ["metrics-proto"], start: "first" }).poll(1_000);
    expect(read.map(({ offset, value }) => ({ offset, first: value[0] as number }))).toEqual([
      ...acknowledged,
      { offset: afterwards, first: 99 },
    ]);
    expect(bus.stats().failed).toBe(rejected.length);
    await bus.close();
  },
);
