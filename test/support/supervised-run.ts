/**
 * A whole Sandpiper for a story test: the real supervisor with all its processes, in a folder and on ports of its own.
 * Everything a story sees, it sees as an operator would: the API, the tables, the bus, signals and exit codes.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { readJsonFile } from "#core/atomic-file.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { type RunPaths, runPaths } from "#core/paths.ts";
import { PROCESS_NAMES, type ProcessName, type RunReport } from "#core/run-report.ts";
import { readHeartbeat } from "#memory/heartbeat.ts";
import { openRegion } from "#memory/region.ts";
import { connectStore, type Store } from "#store/client.ts";
import { decodeEnvelope, type Envelope } from "#wire/envelope.ts";
import type { Topic } from "#wire/topics.ts";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");
const PORT_KEYS = ["gateway.port", "clickhouse.port", "sim.rpcPort", "sim.wsPort", "sim.blockEnginePort"] as const;

const ENDED = Symbol("the run has ended");
/** Lines of the run's output that a failure shows. */
const LAST_LINES = 15;

export type Status = {
  readonly mode: string;
  readonly landed: number;
  readonly attempts: number;
  readonly profit_lamports: string | number;
  readonly processes: readonly {
    readonly name: ProcessName;
    readonly pid: number;
    readonly state: string;
    readonly restarts: number;
  }[];
  readonly off: readonly { readonly part: string; readonly why: string }[];
};

/** Waits for `condition` to answer something; the limit is far above what it takes on a busy machine. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined> | T | undefined,
  limitMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await condition();
      if (value !== undefined) return value;
    } catch (thrown) {
      last = thrown;
    }
    await Bun.sleep(50);
  }
  throw new Error(`${what} did not come true in ${limitMs} ms${last === undefined ? "" : `: ${last}`}`);
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, "127.0.0.1", done))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

export class SupervisedRun {
  readonly dataDir: string;
  readonly paths: RunPaths;
  readonly gateway: string;
  readonly store: Store;
  readonly clickhousePort: number;
  /** What each port option was set to. */
  readonly ports: Readonly<Record<(typeof PORT_KEYS)[number], number>>;
  readonly #child: Bun.Subprocess;
  readonly #output: string;

  private constructor(dataDir: string, ports: readonly number[], child: Bun.Subprocess, output: string) {
    this.dataDir = dataDir;
    this.paths = runPaths(dataDir);
    this.gateway = `http://127.0.0.1:${ports[0]}`;
    this.clickhousePort = ports[1] as number;
    this.ports = Object.fromEntries(PORT_KEYS.map((key, i) => [key, ports[i]])) as typeof this.ports;
    this.store = connectStore({ port: this.clickhousePort, secretPath: this.paths.clickhouseSecret });
    this.#child = child;
    this.#output = output;
  }

  /** Starts the supervisor; `command` runs something else than the source tree, for example a distribution. */
  static async start(
    flags: readonly string[] = [],
    command: readonly string[] = [process.execPath, MAIN],
    dataDir = mkdtempSync(join(tmpdir(), "sandpiper-run-")),
  ): Promise<SupervisedRun> {
    const ports = await freePorts(PORT_KEYS.length);
    const own = PORT_KEYS.flatMap((key, i) => [`--${key}`, String(ports[i])]);
    const all = ["--dataDir", dataDir, ...own, ...flags];
    // A test machine is as slow as it likes: only a story about the guard lets it act on that.
    if (!flags.some((flag) => flag.startsWith("--guard."))) all.push("--guard.acts", "no");
    loadConfig({ environment: {}, flags: all });
    const output = `${dataDir}.log`;
    const file = openSync(output, "a");
    const child = Bun.spawn([...command, "supervisor", ...all], {
      stdin: "ignore",
      stdout: file,
      stderr: file,
      cwd: dataDir,
      // A process group of its own, as a shell gives to what it runs.
      detached: true,
    });
    closeSync(file);
    return new SupervisedRun(dataDir, ports, child, output);
  }

  output(): string {
    return readFileSync(this.#output, "utf8");
  }

  /** The supervisor's own report, at most a second old. */
  report(): RunReport {
    return readJsonFile(this.paths.runReport) as RunReport;
  }

  /** What the process says of itself in shared memory, this moment. */
  heartbeat(name: ProcessName): ReturnType<typeof readHeartbeat> {
    return readHeartbeat(openRegion(this.paths.heartbeats), PROCESS_NAMES.indexOf(name));
  }

  isReady(name: ProcessName): boolean {
    return this.heartbeat(name).state === "ready";
  }

  /** The administrator's password, which the first start says once. */
  get password(): string {
    const said = /password (\S+)/.exec(this.output())?.[1];
    if (said === undefined) throw new Error("the run has said no password yet");
    return said;
  }

  /** Asks the API as JSON; without a token as a stranger. */
  async post<T = Record<string, unknown>>(path: string, body: unknown, token = ""): Promise<T> {
    const headers = { "Content-Type": "application/json", ...(token !== "" && { Authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${this.gateway}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return (await answer.json()) as T;
  }

  /** What the administrator's requests carry. */
  async signIn(): Promise<string> {
    const asked = { name: "admin", password: this.password };
    return String((await this.post("/api/auth/sign-in", asked))["access_token"]);
  }

  async status(): Promise<Status> {
    return (await (await fetch(`${this.gateway}/api/status`)).json()) as Status;
  }

  /** Waits as eventually() does; a failure shows what the run said last, and is told at once when the run has ended. */
  async #eventually<T>(what: string, condition: () => Promise<T | undefined>, limitMs?: number): Promise<T> {
    const lastWords = () => this.output().split("\n").slice(-LAST_LINES).join("\n");
    const ended = () => this.#child.exitCode !== null || this.#child.signalCode !== null;
    try {
      const value = await eventually<T | typeof ENDED>(what, () => (ended() ? ENDED : condition()), limitMs);
      if (value === ENDED) throw new Error(`the run ended before: ${what}`);
      return value;
    } catch (cause) {
      throw new Error(`${cause}\n${lastWords()}`, { cause });
    }
  }

  /** All processes serve. */
  async allReady(): Promise<Status> {
    return await this.#eventually("every process ready", async () => {
      const status = await this.status();
      return status.processes.length > 1 && status.processes.every(({ state }) => state === "ready")
        ? status
        : undefined;
    });
  }

  async landed(atLeast: number): Promise<Status> {
    return await this.#eventually(
      `${atLeast} bundles landed`,
      async () => {
        const status = await this.status();
        return status.landed >= atLeast ? status : undefined;
      },
      120_000,
    );
  }

  /** Everything of a topic that was ever acknowledged. */
  async onBus(topic: Topic): Promise<Envelope[]> {
    const log = createLog({ process: "test", level: "error", format: "text" });
    const bus = openEmbeddedBus({ path: this.paths.bus, lingerMs: 1, retainMiB: 2_048, log });
    const consumer = bus.consumer({ group: `story-${crypto.randomUUID()}`, topics: [topic], start: "first" });
    const found: Envelope[] = [];
    for (;;) {
      const messages = await consumer.poll(1_000);
      if (messages.length === 0) break;
      found.push(...messages.map(({ value }) => decodeEnvelope(value)));
    }
    await consumer.close();
    await bus.close();
    return found;
  }

  /** Stops it as an operator would (SIGINT goes to every process, like Ctrl-C in a terminal); answers the exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number> {
    if (signal === "SIGINT") process.kill(-this.#child.pid, signal);
    else this.#child.kill(signal);
    return await this.#child.exited;
  }

  exited(): Promise<number> {
    return this.#child.exited;
  }

  async discard(): Promise<void> {
    if (this.#child.exitCode === null) await this.stop("SIGKILL");
    await this.store.close();
    // A mount point cannot be removed itself; what is in it goes with the mount.
    if (statSync(this.dataDir).dev === statSync(dirname(this.dataDir)).dev)
      rmSync(this.dataDir, { recursive: true, force: true });
    rmSync(this.#output, { force: true });
    rmSync(this.paths.shm, { recursive: true, force: true });
  }
}
