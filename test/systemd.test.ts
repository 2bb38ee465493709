/**
 * The units, judged by systemd itself: they parse without a complaint, and their exposure is at most 2.0. systemd need
 * not run for that.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SERVICE_PATHS, serviceFiles } from "#supervise/service/units.ts";

const ROOT = join(import.meta.dir, "..");
const folder = mkdtempSync(join(tmpdir(), "sandpiper-systemd-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const services = Object.keys(serviceFiles())
  .filter((name) => name.endsWith(".service"))
  .map((name) => name.slice("system/".length));

function analyze(...args: string[]) {
  const ran = Bun.spawnSync(["systemd-analyze", ...args], { env: { ...process.env, SYSTEMD_COLORS: "0" } });
  return { code: ran.exitCode, text: ran.stdout.toString() + ran.stderr.toString() };
}

describe("the units of systemd/", () => {
  test("are those that the table makes", () => {
    const committed = Object.keys(serviceFiles()).map((name) => [
      name,
      readFileSync(join(ROOT, "systemd", name), "utf8"),
    ]);
    expect(Object.fromEntries(committed)).toEqual(serviceFiles());
  });

  test("are started again however often they end, where they are started again at all", () => {
    for (const [name, text] of Object.entries(serviceFiles()).filter(([, one]) => one.includes("Restart=always")))
      expect([name, /^StartLimitIntervalSec=(.*)$/m.exec(text)?.[1]]).toEqual([name, "0"]);
  });

  test("are clean by systemd-analyze verify", () => {
    // verify wants the program to be there: a stand-in, at the same path under a folder.
    const program = join(folder, SERVICE_PATHS.program);
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, "#!/bin/sh\n");
    chmodSync(program, 0o755);
    const units = join(folder, "system");
    cpSync(join(ROOT, "systemd", "system"), units, { recursive: true });
    for (const name of readdirSync(units)) {
      const text = readFileSync(join(units, name), "utf8");
      writeFileSync(join(units, name), text.replaceAll(SERVICE_PATHS.program, program));
    }
    const { text } = analyze("verify", "--man=no", ...readdirSync(units).map((name) => join(units, name)));
    // Of other people's units it complains, too.
    expect(text.split("\n").filter((line) => line.includes("sandpiper"))).toEqual([]);
  }, 60_000);

  /** Whose work it is to change the machine, and to look into its kernel. */
  const exempt = ["sandpiper-tune.service", "sandpiper-trace.service"];
  const exposed = services.filter((name) => !exempt.includes(name));
  test.each(exposed)(
    "%s has an exposure of at most 2.0",
    (name) => {
      const { text } = analyze("security", "--offline=yes", "--no-pager", join(ROOT, "systemd", "system", name));
      const exposure = Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(text)?.[1]);
      expect(exposure).toBeGreaterThan(0);
      expect(exposure).toBeLessThanOrEqual(2);
    },
    60_000,
  );
});

test("service install writes every unit, list shows them, uninstall takes them away", () => {
  const run = (...args: string[]) => {
    const command = [process.execPath, join(ROOT, "src/cli/main.ts"), "service", ...args];
    const ran = Bun.spawnSync(command);
    return ran.stdout.toString() + ran.stderr.toString();
  };
  const root = join(folder, "machine");
  expect(run("install", "--root", root)).toContain("files written");
  expect(run("list", "--root", root)).not.toContain("absent");
  expect(readFileSync(join(root, "etc/systemd/system/sandpiper.service"), "utf8")).toContain("WatchdogSec=10s");
  run("uninstall", "--root", root);
  expect(run("list", "--root", root)).not.toContain("installed");
  expect(run("prepare", "--dataDir", join(folder, "data"))).toContain("shared memory in /dev/shm/sandpiper-");
  const shm = /shared memory in (\S+),/.exec(run("prepare", "--dataDir", join(folder, "data")))?.[1] ?? "";
  rmSync(shm, { recursive: true });
  expect(run("dance")).toContain("Cannot run service");
}, 120_000);
