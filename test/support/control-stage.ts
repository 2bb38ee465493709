/**
 * The control river on real parts without a market: bus, gateway, and the control service of both agents, in one process.
 * Tests give commands as an operator or an attacker would, and look at the switchboards as the hot thread does.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bus } from "#bus/bus.ts";
import { openEmbeddedBus } from "#bus/embedded.ts";
import { type ControlService, startControl } from "#control/agent/start-control.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { type RunPaths, runPaths } from "#core/paths.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import type { GatewayData } from "#gateway/data.ts";
import { type Gateway, startGateway } from "#gateway/gateway.ts";
import { decodeEntry, type LedgerEntry } from "#ledger/entry.ts";
import { ledgerFiles } from "#ledger/files.ts";
import { keepLedger, type LedgerKeeper } from "#ledger/keep.ts";
import { readVerifierKey } from "#ledger/note.ts";
import { LedgerReader } from "#ledger/reader.ts";
import { createPolicyTarget, type PolicyTarget, Switchboard } from "#memory/switchboard.ts";
import type { ModuleName } from "#wire/command.ts";

const QUIET = createLog({ process: "test", level: "error", format: "text", write: () => {} });
const CONFIGURED = {
  killed: false,
  stopped: false,
  throttlePct: 0,
  evMinLamports: 10_000,
  tipLadderLamports: [10_000],
};
/** Nothing of the control river is asked of the tables. */
const NO_TABLES: GatewayData = {
  totals: async () => ({ decisions: 0, attempts: 0, landed: 0, exact: 0, profitLamports: 0n }),
  decisions: async () => [],
  decision: async () => undefined,
  outcomes: async () => [],
  profit: async () => [],
  sandwiches: async () => [],
  routes: async () => [],
  calibration: async () => [],
};

type Answer = { readonly status: number; readonly body: Record<string, unknown> };

export class ControlStage {
  readonly folder = mkdtempSync(join(tmpdir(), "sandpiper-control-"));
  readonly paths: RunPaths = runPaths(this.folder);
  readonly bus: Bus = openEmbeddedBus({ path: this.paths.bus, lingerMs: 0, retainMiB: 64, log: QUIET });
  /** Moves the gateway's clock. */
  laterMs = 0;
  password = "";
  token = "";
  gateway!: Gateway;
  #ledger!: LedgerKeeper;
  readonly #readers = new Map<ModuleName, { board: Switchboard; target: PolicyTarget; service: ControlService }>();
  #shown = 0;

  static async start(flags: readonly string[] = [], environment: Record<string, string> = {}): Promise<ControlStage> {
    const stage = new ControlStage();
    await stage.#start(flags, environment);
    return stage;
  }

  async #start(flags: readonly string[], environment: Record<string, string>): Promise<void> {
    const { config } = loadConfig({ environment: {}, flags: ["--dataDir", this.folder, ...flags] });
    const clock = createSystemClock();
    const { ledger: folder, ledgerSecret: secretPath } = this.paths;
    this.#ledger = await keepLedger({ bus: this.bus, folder, secretPath, log: QUIET });
    this.gateway = await startGateway({
      ...{ config, paths: this.paths, runId: "test", bus: this.bus, data: NO_TABLES, log: QUIET, port: 0, environment },
      nowMs: () => Date.now() + this.laterMs,
      show: (text) => {
        this.#shown += 1;
        this.password = /password (\S+)/.exec(text)?.[1] ?? "";
      },
    });
    for (const module of ["arbitrage", "mev"] as const) {
      const buffer = new SharedArrayBuffer(Switchboard.bytes);
      const service = startControl({
        ...{
          agent: module,
          module,
          config,
          paths: this.paths,
          bus: this.bus,
          clock,
          log: QUIET,
          configured: CONFIGURED,
        },
        switchboard: new Switchboard(buffer),
        restart: () => {},
      });
      this.#readers.set(module, { board: new Switchboard(buffer), target: createPolicyTarget(), service });
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.gateway.port}`;
  }

  /** How often a password was shown. */
  get shown(): number {
    return this.#shown;
  }

  policy(module: ModuleName = "arbitrage"): PolicyTarget {
    const reader = this.#readers.get(module);
    if (reader === undefined) throw new Error(`no ${module}`);
    reader.board.readPolicyInto(reader.target);
    return reader.target;
  }

  async signIn(name = "admin", password = this.password): Promise<Answer> {
    const answer = await this.post("/api/auth/sign-in", { name, password }, "");
    if (answer.status === 200) this.token = String(answer.body["access_token"]);
    return answer;
  }

  async post(path: string, body: unknown, token = this.token): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(token === "" ? {} : { Authorization: `Bearer ${token}` }) },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  command(target: string, body: Record<string, unknown> = {}, token = this.token): Promise<Answer> {
    return this.post(`/api/control/module/${target}`, { wait_ms: 20_000, ...body }, token);
  }

  /** Every leaf that is signed now, each with its proof checked. */
  leaves(): LedgerEntry[] {
    const files = ledgerFiles(this.paths.ledger);
    const reader = new LedgerReader(this.paths.ledger, readVerifierKey(readFileSync(files.verifier, "utf8").trimEnd()));
    try {
      return Array.from({ length: reader.checkpoint.size }, (_, index) => decodeEntry(reader.leaf(index).bytes));
    } finally {
      reader.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#readers.values()].map(({ service }) => service.stop()));
    await this.gateway.stop();
    await this.#ledger.stop();
    await this.bus.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
