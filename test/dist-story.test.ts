/** A distribution: made once, installed by itself into an empty folder, it trades there without source tree or packages. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SupervisedRun } from "./support/supervised-run.ts";

const ROOT = join(import.meta.dir, "..");
const LONG_MS = 240_000;

test(
  "the folder that bun run dist makes reaches trading in an empty directory",
  async () => {
    const built = Bun.spawnSync([process.execPath, "scripts/dist.ts"], { cwd: ROOT, stdout: "pipe", stderr: "pipe" });
    expect(built.stderr.toString()).toBe("");
    expect(built.exitCode).toBe(0);
    const folder = mkdtempSync(join(tmpdir(), "sandpiper-dist-"));
    const dist = join(ROOT, "dist");
    const sums = Bun.spawnSync(["sha256sum", "--check", "--quiet", "SHA256SUMS"], { cwd: dist });
    expect(sums.exitCode).toBe(0);
    const installed = Bun.spawnSync([join(dist, "sandpiper"), "release", "install", dist, "--root", folder]);
    expect([installed.exitCode, installed.stdout.toString()]).toEqual([0, expect.stringContaining("is current")]);
    // With its QUIC door, whose module would say that it is experimental.
    const run = await SupervisedRun.start(["--execute.hedge", "both"], [join(folder, "current", "sandpiper")]);
    try {
      const status = await run.landed(1);
      expect(status.mode).toBe("sim");
      const page = await fetch(`${run.gateway}/`);
      expect(page.status).toBe(200);
      expect(await page.text()).toContain("<title>Sandpiper");
      expect(await run.stop("SIGINT")).toBe(0);
      expect(run.output()).not.toContain("Warning");
    } finally {
      await run.discard();
      rmSync(folder, { recursive: true, force: true });
    }
  },
  LONG_MS,
);
