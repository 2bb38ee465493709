/** A real engine for tests: a folder and a port of its own, the same host process as in production. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "#core/log.ts";
import { connectStore, type Store } from "./client.ts";
import { type Engine, startEngine } from "./engine.ts";
import type { ColdStorage } from "./engine-files.ts";

export const testLog = createLog({ process: "test", level: "error", format: "text" });
const AGENT = join(import.meta.dir, "..", "..", "agents", "clickhouse.ts");

export type TestEngine = {
  readonly folder: string;
  readonly port: number;
  readonly secretPath: string;
  readonly store: Store;
  /** The engine that runs now; another one after restart(). */
  engine: Engine;
  restart(): Promise<void>;
  close(): Promise<void>;
};

export async function startTestEngine(cold?: ColdStorage): Promise<TestEngine> {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-engine-"));
  const port = await freePort();
  const secretPath = join(folder, "keys", "clickhouse.json");
  const start = () =>
    startEngine({
      folder: join(folder, "clickhouse"),
      port,
      secretPath,
      hostCommand: [process.execPath, AGENT],
      cold,
      log: testLog,
    });
  const store = connectStore({ port, secretPath });
  const test: TestEngine = {
    folder,
    port,
    secretPath,
    store,
    engine: await start(),
    restart: async () => {
      test.engine = await start();
    },
    close: async () => {
      await store.close();
      await test.engine.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return test;
}

/** A TCP port that nobody held a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Looks until it holds; fails after the deadline with what was seen last. */
export async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean, withinMs = 20_000): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms, last seen ${JSON.stringify(seen)}`);
    await Bun.sleep(20);
  }
}
