import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "#core/log.ts";
import { startCheckpointRecords } from "./ledger-checkpoints.ts";
import { migrate } from "./migrate.ts";
import { startTestEngine, type TestEngine, until } from "./test-engine.ts";

const MS_MAX = 120_000;
const log = createLog({ process: "test", level: "error", format: "text" });
const folder = mkdtempSync(join(tmpdir(), "sandpiper-checkpoints-"));
const path = join(folder, "checkpoint");
let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
  await migrate(engine.store);
}, MS_MAX);
afterAll(async () => {
  await engine?.close();
  rmSync(folder, { recursive: true, force: true });
}, MS_MAX);

const rows = () =>
  engine.store.query<{ size: string; note: string }>(
    "SELECT size, root, note FROM sandpiper.control_ledger_checkpoints FINAL ORDER BY size",
  );

test(
  "startCheckpointRecords() records each checkpoint that it sees once, over a restart too",
  async () => {
    const note = (size: number) => `sandpiper/ledger\n${size}\ncm9vdA==\n\n\u2014 sandpiper/ledger c2lnbmF0dXJl\n`;
    writeFileSync(path, note(1));
    const first = startCheckpointRecords({ path, store: engine.store, log });
    await until(rows, (found) => found.length === 1);
    writeFileSync(path, note(9));
    await until(rows, (found) => found.length === 2);
    await first.stop();
    const next = startCheckpointRecords({ path, store: engine.store, log });
    await next.stop();
    expect(await rows()).toEqual(
      [1, 9].map((size) => ({ size: `${size}`, root: "cm9vdA==", note: note(size) })) as never,
    );
  },
  MS_MAX,
);
