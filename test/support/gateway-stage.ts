/**
 * A gateway on real parts, without a market: the embedded bus, the embedded ClickHouse with its tables and the recorder
 * between them. Tests publish seeded envelopes as agents would, and read as an operator would.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { writeFileAtomic } from "#core/atomic-file.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { type RunPaths, runPaths } from "#core/paths.ts";
import type { RunReport } from "#core/run-report.ts";
import { type Gateway, startGateway } from "#gateway/gateway.ts";
import { storeData } from "#gateway/store-data.ts";
import { connectStore, type Store } from "#store/client.ts";
import { type Engine, startEngine } from "#store/engine.ts";
import { type Ingest, startIngest } from "#store/ingest.ts";
import { migrate } from "#store/migrate.ts";
import { type Envelope, encodeEnvelope } from "#wire/envelope.ts";
import type { Topic } from "#wire/topics.ts";
import { freePorts } from "./supervised-run.ts";

const CLICKHOUSE_AGENT = join(import.meta.dir, "../../agents/clickhouse.ts");
const QUIET = createLog({ process: "test", level: "error", format: "text" });

const REPORT_EVERY_MS = 500;

const TOPIC_OF: Partial<Record<NonNullable<Envelope["payload"]["case"]>, Topic>> = {
  arb: "arbitrage-decisions-proto",
  outcome: "bundle-outcomes-proto",
  metrics: "metrics-proto",
};

export class GatewayStage {
  /** Of the account admin. */
  readonly password: string;
  readonly paths: RunPaths;
  readonly startedAtMs: number;
  readonly bus: Bus;
  readonly store: Store;
  engine: Engine;
  gateway: Gateway;
  readonly #folder: string;
  readonly clickhousePort: number;
  readonly #flags: readonly string[];
  readonly #ingest: Ingest;
  #reporting: ReturnType<typeof setInterval> | undefined;

  private constructor(parts: {
    password: string;
    folder: string;
    clickhousePort: number;
    flags: readonly string[];
    startedAtMs: number;
    bus: Bus;
    store: Store;
    engine: Engine;
    ingest: Ingest;
    gateway: Gateway;
  }) {
    this.password = parts.password;
    this.#folder = parts.folder;
    this.clickhousePort = parts.clickhousePort;
    this.#flags = parts.flags;
    this.#ingest = parts.ingest;
    this.paths = runPaths(parts.folder);
    this.startedAtMs = parts.startedAtMs;
    this.bus = parts.bus;
    this.store = parts.store;
    this.engine = parts.engine;
    this.gateway = parts.gateway;
  }

  static async start(startedAtMs: number, flags: readonly string[] = []): Promise<GatewayStage> {
    const folder = mkdtempSync(join(tmpdir(), "sandpiper-gateway-"));
    const paths = runPaths(folder);
    const [clickhousePort = 0] = await freePorts(1);
    const engine = await engineIn(paths, clickhousePort);
    const store = connectStore({ port: clickhousePort, secretPath: paths.clickhouseSecret });
    await migrate(store);
    const bus = openEmbeddedBus({ path: paths.bus, lingerMs: 1, retainMiB: 64, log: QUIET });
    const ingest = startIngest({ bus, store, log: QUIET });
    let password = "";
    const show = (text: string) => {
      password = text.match(/with the password (\S+)/)?.[1] ?? "";
    };
    const gateway = await gatewayOn({ folder, bus, store, flags, show });
    return new GatewayStage({
      password,
      folder,
      clickhousePort,
      flags,
      startedAtMs,
      bus,
      store,
      engine,
      ingest,
      gateway,
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.gateway.port}`;
  }

  async publish(envelope: Envelope): Promise<void> {
    const { payload } = envelope;
    const topic = payload.case && TOPIC_OF[payload.case];
    if (!topic) throw new Error(`Cannot publish: an arb, outcome or metrics, was ${payload.case}`);
    await this.bus.publish(topic, "test", encodeEnvelope(envelope));
  }

  /** From now on the supervisor reports this, twice a second. Given updatedAtMs, it was its last word. */
  report(changes: Partial<RunReport> = {}): void {
    const write = () =>
      writeFileAtomic(this.paths.runReport, JSON.stringify({ ...reportOf(this.startedAtMs, this.url), ...changes }));
    clearInterval(this.#reporting);
    this.#reporting = setInterval(write, REPORT_EVERY_MS);
    write();
  }

  /** On the same port, as after a crash. */
  async startGatewayAgain(): Promise<void> {
    const { port } = this.gateway;
    this.gateway = await gatewayOn({
      folder: this.#folder,
      bus: this.bus,
      store: this.store,
      flags: this.#flags,
      port,
    });
  }

  async startEngineAgain(): Promise<void> {
    this.engine = await engineIn(this.paths, this.clickhousePort);
  }

  async stop(): Promise<void> {
    clearInterval(this.#reporting);
    await this.gateway.stop();
    await this.#ingest.stop();
    await this.store.close();
    await this.bus.close();
    await this.engine.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const engineIn = (paths: RunPaths, port: number): Promise<Engine> =>
  startEngine({
    folder: paths.clickhouse,
    port,
    secretPath: paths.clickhouseSecret,
    hostCommand: [process.execPath, CLICKHOUSE_AGENT],
    log: QUIET,
  });

function gatewayOn(parts: {
  folder: string;
  bus: Bus;
  store: Store;
  flags: readonly string[];
  port?: number;
  show?: (text: string) => void;
}): Promise<Gateway> {
  const { config } = loadConfig({ environment: {}, flags: ["--dataDir", parts.folder, ...parts.flags] });
  return startGateway({
    config,
    paths: runPaths(parts.folder),
    runId: "test",
    bus: parts.bus,
    data: storeData(parts.store),
    log: QUIET,
    port: parts.port ?? 0,
    show: parts.show ?? (() => {}),
  });
}

const THREAD = { name: "feed", id: 4_121, core: "shared", ranMs: 5_210.4, waitedMs: 31.7, turns: 812 };

const reportOf = (startedAtMs: number, page: string): RunReport => ({
  version: "0.1.0",
  runId: "run-of-the-test",
  mode: "sim",
  startedAtMs,
  updatedAtMs: Date.now(),
  page,
  processes: (["supervisor", "clickhouse", "sim", "feed", "arbitrage", "mev", "recorder", "gateway"] as const).map(
    (name, i) => ({
      name,
      pid: 4_100 + i * 7,
      state: "ready",
      core: name === "arbitrage" ? "core 1" : "shared",
      restarts: name === "feed" ? 1 : 0,
      startedAtMs,
      heartbeatAgeMs: 0,
      stalls: { count: 0, totalMs: 0, longestMs: 0 },
      ...(name === "feed" && { threads: [THREAD] }),
      lastExit: name === "feed" ? "killed by SIGKILL 4 m ago" : "",
    }),
  ),
  off: [{ part: "mev detection", why: "it only counts swaps in this version" }],
});
