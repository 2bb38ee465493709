/** The README's command: npx starts everything, and a killed npx leaves nothing behind. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { eventually, SupervisedRun } from "./support/supervised-run.ts";

const ROOT = join(import.meta.dir, "..");

test("a run that npx started stops cleanly when npx is killed", async () => {
  const command = ["npx", "-y", "bun@1.4.5", join(ROOT, "src/cli/main.ts")];
  const run = await SupervisedRun.start([], command);
  try {
    const { processes } = await run.allReady();
    await run.stop("SIGKILL");
    const supervisor = processes.find(({ name }) => name === "supervisor")?.pid ?? 0;
    await eventually("the supervisor gone", async () => {
      return (await Bun.file(`/proc/${supervisor}/stat`).exists()) ? undefined : true;
    });
    expect(run.output()).toMatch(/supervisor stopped\n$/);
  } finally {
    await run.discard();
  }
}, 120_000);
