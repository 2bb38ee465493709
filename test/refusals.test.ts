/**
 * What a person sees when a start cannot work: one clear line, an exit code that is not 0, nothing half-written.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fillDisk, smallDisk } from "./support/small-disk.ts";
import { eventually, freePorts, SupervisedRun } from "./support/supervised-run.ts";

const MAIN = join(import.meta.dir, "../src/cli/main.ts");
const LONG_MS = 120_000;

/** The command's exit code and what it wrote, for a start that must not come up. */
async function refused(args: readonly string[], environment: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: mkdtempSync(join(tmpdir(), "sandpiper-refused-")),
    env: { ...process.env, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [exitCode, out, error] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { exitCode, out, lines: error.trim().split("\n") };
}

const scratch = () => mkdtempSync(join(tmpdir(), "sandpiper-data-"));

const disk = smallDisk(24);
disk?.remove();
const canMount = disk !== undefined;
if (!canMount) console.warn("SKIPPED: the full-disk tests need the right to mount a tmpfs");

describe("sandpiper supervisor", () => {
  const cleanUps: (() => void)[] = [];
  afterEach(() => {
    for (const cleanUp of cleanUps.splice(0)) cleanUp();
  });

  test("names an unknown option, and makes no data folder", async () => {
    const dataDir = join(scratch(), "data");
    const { exitCode, lines, out } = await refused(["supervisor", "--dataDir", dataDir, "--gateway.prot", "1"]);
    expect(lines).toEqual(["Cannot read --gateway.prot: a known key, was gateway.prot"]);
    expect(exitCode).toBe(65);
    expect(out).toBe("");
    expect(existsSync(dataDir)).toBe(false);
  });

  test("names an unknown key of the file", async () => {
    const file = join(scratch(), "desk.toml");
    writeFileSync(file, "[sim]\nslotms = 400\n");
    const { exitCode, lines } = await refused(["config", "--config", file]);
    expect(lines).toEqual([`Cannot read ${file}: a known key, was sim.slotms (did you mean sim.slotMs?)`]);
    expect(exitCode).toBe(65);
  });

  test("names an unknown variable", async () => {
    const { exitCode, lines } = await refused(["config"], { SANDPIPER_SIM_SED: "1" });
    expect(lines).toEqual(["Cannot read SANDPIPER_SIM_SED: a known key, was SANDPIPER_SIM_SED"]);
    expect(exitCode).toBe(65);
  });

  test("names a taken port, and starts nothing", async () => {
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    cleanUps.push(() => taken.stop(true));
    const dataDir = scratch();
    const { exitCode, lines } = await refused([
      "supervisor",
      "--dataDir",
      dataDir,
      "--gateway.port",
      String(taken.port),
    ]);
    expect(lines).toEqual([`Cannot start: gateway.port must be a free TCP port, was ${taken.port} (EADDRINUSE)`]);
    expect(exitCode).toBe(65);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test.skipIf(!canMount)("refuses a disk without room, and writes nothing on it", async () => {
    const full = smallDisk(24);
    cleanUps.push(() => full?.remove());
    const dataDir = join(full?.folder ?? "", "data");
    const { exitCode, lines } = await refused(["supervisor", "--dataDir", dataDir]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/at least 256 MiB must be free \(data\.freeMiBMin\), was \d+ MiB$/);
    expect(exitCode).toBe(65);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test.skipIf(!canMount)(
    "stops a run whose disk fills up, says why, and keeps what was acknowledged",
    async () => {
      const small = smallDisk(600);
      cleanUps.push(() => small?.remove());
      const folder = small?.folder ?? "";
      const run = await SupervisedRun.start(["--sim.slotMs", "200"], undefined, folder);
      try {
        await run.landed(1);
        const filler = fillDisk(folder);
        expect(await run.exited()).toBe(1);
        expect(run.output()).toContain("MiB must stay free under");
        rmSync(filler);
        expect((await run.onBus("bundle-outcomes-proto")).length).toBeGreaterThan(0);
        expect(half(folder)).toEqual([]);
      } finally {
        await run.discard();
      }
    },
    LONG_MS,
  );

  test(
    "ends a replay of a corrupt recording with one line that names the file",
    async () => {
      const recording = join(scratch(), "slot_1.json");
      writeFileSync(recording, '{"blockhash":"x","transactions":[{]}');
      const dataDir = scratch();
      const ports = await freePorts(2);
      const flags = ["--gateway.port", String(ports[0]), "--clickhouse.port", String(ports[1])];
      const { exitCode, lines } = await refused([
        ...["supervisor", "--mode", "replay", "--replay.path", recording, "--dataDir", dataDir, ...flags],
      ]);
      const errors = lines.filter((line) => line.includes(recording));
      expect(errors).toHaveLength(1);
      expect(errors[0]).toMatch(/Cannot read/);
      expect(exitCode).toBe(65);
    },
    LONG_MS,
  );
});

/** Files that an atomic write left unfinished. */
function half(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return (readdirSync(folder, { recursive: true }) as string[]).filter((path) => path.endsWith(".new"));
}

test("eventually() gives up with the name of what did not come true", async () => {
  await expect(eventually("never", () => undefined, 60)).rejects.toThrow("never did not come true in 60 ms");
});
