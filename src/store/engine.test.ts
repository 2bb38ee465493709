import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readJsonFile } from "#core/atomic-file.ts";
import { connectStore } from "./client.ts";
import { startEngine } from "./engine.ts";
import { STORE_ERROR } from "./errors.ts";
import { freePort, startTestEngine, type TestEngine, testLog, until } from "./test-engine.ts";

const ROOT = join(import.meta.dir, "..", "..");
const hostCommand = [process.execPath, join(ROOT, "agents", "clickhouse.ts")];
let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(() => engine.close());

const anonymously = async (sql: string) =>
  (await fetch(`http://127.0.0.1:${engine.port}/`, { method: "POST", body: sql, keepalive: false })).text();

test("startEngine() makes a password that only its owner can read and that no command line shows", () => {
  const { app } = readJsonFile(engine.secretPath) as { app: string };
  expect(app.length).toBeGreaterThan(40);
  expect(statSync(engine.secretPath).mode & 0o777).toBe(0o600);
  for (const part of ["cmdline", "environ"])
    expect(readFileSync(`/proc/${engine.engine.pid}/${part}`, "latin1")).not.toContain(app);
  for (const file of ["config.xml", "users.xml"])
    expect(readFileSync(join(engine.folder, "clickhouse", "etc", file), "utf8")).not.toContain(app);
});

test("the engine is in a session of its own, so that a terminal's Ctrl-C does not reach it", () => {
  const afterName = readFileSync(`/proc/${engine.engine.pid}/stat`, "latin1").split(") ")[1] ?? "";
  const [, , group, session] = afterName.split(" ").map(Number);
  expect([group, session]).toEqual([engine.engine.pid, engine.engine.pid]);
});

test("the engine lets a caller without password neither see nor change nor read files", async () => {
  const path = join(engine.folder, "outside.txt");
  writeFileSync(path, "private");
  for (const sql of [
    `SELECT * FROM file('${path}', 'LineAsString')`,
    "CREATE TABLE x (a UInt8) ENGINE = MergeTree ORDER BY a",
    "CREATE TEMPORARY TABLE x (a UInt8)",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "KILL QUERY WHERE 1",
  ])
    expect(await anonymously(sql)).toContain("ACCESS_DENIED");
  await expect(engine.store.query(`SELECT * FROM file('${path}', 'LineAsString')`)).rejects.toMatchObject({
    code: STORE_ERROR.refused,
  });
});

test("query() keeps 64-bit integers exact, takes parameters, and names what ClickHouse refused", async () => {
  const rows = await engine.store.query("SELECT {big:UInt64} AS big, {text:String} AS text", {
    big: (2n ** 64n - 1n).toString(),
    text: "it's",
  });
  expect(rows).toEqual([{ big: "18446744073709551615", text: "it's" }]);
  await expect(engine.store.query("SELECT nonsense")).rejects.toThrow(/^Cannot run a statement: .*UNKNOWN_IDENTIFIER/);
});

test("connectStore() says what is missing when there is no password or nobody on the port", async () => {
  const noSecret = connectStore({ port: engine.port, secretPath: join(engine.folder, "nowhere.json") });
  await expect(noSecret.query("SELECT 1")).rejects.toMatchObject({ code: STORE_ERROR.secret, retry: "later" });
  expect(await noSecret.ping()).toBe(false);
  const nobody = connectStore({ port: 1, secretPath: engine.secretPath });
  await expect(nobody.query("SELECT 1")).rejects.toMatchObject({ code: STORE_ERROR.unreachable, retry: "later" });
  expect(await nobody.ping()).toBe(false);
});

test("startEngine() says in one line that the port is taken, or the folder locked", async () => {
  const start = (port: number, folder: string) =>
    startEngine({ port, folder, secretPath: engine.secretPath, hostCommand, log: testLog });
  await expect(start(engine.port, join(engine.folder, "other"))).rejects.toThrow(
    `Cannot start ClickHouse: clickhouse.port must be a free TCP port, was taken: ${engine.port}`,
  );
  const locked = join(engine.folder, "clickhouse");
  await expect(start(engine.port, locked)).rejects.toThrow(
    `Cannot start ClickHouse: a folder of its own, was locked by another instance: ${locked}`,
  );
  expect(await engine.store.ping()).toBe(true);
});

test("the engine keeps its rows and its password over a clean stop and over kill -9", async () => {
  const password = readFileSync(engine.secretPath, "utf8");
  await engine.store.command("CREATE DATABASE IF NOT EXISTS sandpiper");
  await engine.store.command("CREATE TABLE sandpiper.kept (a UInt32) ENGINE = MergeTree ORDER BY a");
  const rows = async () => (await engine.store.query<{ n: string }>("SELECT count() AS n FROM sandpiper.kept"))[0]?.n;
  await engine.store.command("INSERT INTO sandpiper.kept SELECT number FROM system.numbers LIMIT 1000");
  await engine.engine.stop();
  expect(await engine.store.ping()).toBe(false);
  await engine.restart();
  await engine.store.command("INSERT INTO sandpiper.kept SELECT number FROM system.numbers LIMIT 500");
  process.kill(engine.engine.pid, "SIGKILL");
  expect(await engine.engine.died).toContain("SIGKILL");
  await engine.restart();
  expect(await rows()).toBe("1500");
  expect(readFileSync(engine.secretPath, "utf8")).toBe(password);
});

test("the engine dies with the process that started it, so that port and folder are free again", async () => {
  const folder = join(engine.folder, "orphan");
  const port = await freePort();
  const script = `
    import { startEngine } from "#store/engine.ts";
    const [folder, port, secretPath, agent] = process.argv.slice(-4);
    const quiet = () => undefined;
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
    const hostCommand = [process.execPath, agent];
    const engine = await startEngine({ folder, port: Number(port), secretPath, hostCommand, log });
    console.log(engine.pid);
    setInterval(() => undefined, 1000);
  `;
  const parent = Bun.spawn(
    [process.execPath, "-e", script, folder, String(port), engine.secretPath, hostCommand[1] as string],
    { cwd: ROOT, stdout: "pipe", stderr: "inherit" },
  );
  const first = await parent.stdout.getReader().read();
  const pid = Number(new TextDecoder().decode(first.value));
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  parent.kill("SIGKILL");
  await parent.exited;
  await until(
    async () => existsSync(`/proc/${pid}`),
    (alive) => !alive,
  );
  const again = await startEngine({ folder, port, secretPath: engine.secretPath, hostCommand, log: testLog });
  await again.stop();
});

/** A file system too small for the tables, or undefined where this process may not mount one. */
function mountSmallDisk(): string | undefined {
  const mountPoint = mkdtempSync(join(tmpdir(), "sandpiper-small-disk-"));
  mkdirSync(mountPoint, { recursive: true });
  const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mountPoint]);
  if (exitCode === 0) return mountPoint;
  rmSync(mountPoint, { recursive: true });
  return undefined;
}

const smallDisk = mountSmallDisk();
if (smallDisk === undefined) console.warn("SKIPPED: the full disk test of the engine needs the right to mount a tmpfs");
afterAll(() => {
  if (smallDisk === undefined) return;
  Bun.spawnSync(["umount", smallDisk]);
  rmSync(smallDisk, { recursive: true, force: true });
});

test.skipIf(smallDisk === undefined)("startEngine() on a full disk fails with one clear line", async () => {
  const disk = smallDisk as string;
  const filler = new Uint8Array(1024);
  try {
    for (let i = 0; ; i++) writeFileSync(join(disk, `filler-${i % 8}`), filler, { flag: "a" });
  } catch {
    // Full now.
  }
  const starting = startEngine({
    folder: join(disk, "clickhouse"),
    port: await freePort(),
    secretPath: join(disk, "keys", "clickhouse.json"),
    hostCommand,
    log: testLog,
  });
  await expect(starting).rejects.toThrow(/^Cannot start ClickHouse: room on the disk, was full: /);
  await starting.catch(() => undefined);
});
