/**
 * Where a running instance keeps its files. Everything that must survive the process is under dataDir; the rings are in
 * shared memory, in a folder named after dataDir so that two instances on one box never meet.
 */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

export type RunPaths = {
  /** Lamport key of the trading wallet, Solana CLI format (64 numbers), mode 0600. */
  readonly walletKey: string;
  /** Public keys of those who may give commands (control/keys.ts). */
  readonly controlKeys: string;
  /** Secret of the operator's key that the API signs with, and of the guard's: hexadecimal digits, mode 0600. */
  readonly controlSecret: string;
  readonly guardSecret: string;
  /** Where the API keeps the nonces of what it signs. */
  readonly apiNonces: string;
  /** People who sign in with a password, their sessions, and the key of their access tokens: mode 0600. */
  readonly accounts: string;
  readonly sessions: string;
  readonly tokenKey: string;
  /** Public keys of the agents' acks, by agent, and the secret of one. */
  readonly ackKeys: string;
  readonly ackSecret: (agent: string) => string;
  /** What commands made of an agent, and the nonces it has taken. */
  readonly controlState: (agent: string) => string;
  readonly controlNonces: (agent: string) => string;
  /** Folder of the ledger, and the secret that signs its checkpoints. */
  readonly ledger: string;
  readonly ledgerSecret: string;
  /** The embedded bus (SQLite). */
  readonly bus: string;
  /** Folder of what producers keep while Kafka is away, a file each. */
  readonly spool: string;
  /** Folder of the embedded ClickHouse. */
  readonly clickhouse: string;
  /** Passwords of the embedded ClickHouse, mode 0600: {"app": "…"}. */
  readonly clickhouseSecret: string;
  /** Folder of model libraries and their symlinks. */
  readonly models: string;
  /** Folder of the training jobs (train/job.ts). */
  readonly training: string;
  /** Folder of the environments of the Python that fits models; half a gigabyte each. */
  readonly trainingPython: string;
  /** What the supervisor says about the run (RunReport), replaced by rename. */
  readonly runReport: string;
  /** The pools the feed follows (PoolCatalogue), replaced by rename. */
  readonly poolCatalogue: string;
  /** What their tokens call themselves (TokenNames), replaced by rename. */
  readonly tokenNames: string;
  /** What the sim carries over a restart of its process: the last slot. */
  readonly simState: string;
  /** How the feed hears the market (MarketReport), replaced by rename every second. */
  readonly marketReport: string;
  /** What transactions on a fork changed (ForkReport), replaced by rename every second. */
  readonly forkReport: string;
  /** Folder of the shared mappings. */
  readonly shm: string;
  /** Ring from the feed to one agent. */
  readonly marketRing: (agent: "arbitrage" | "mev") => string;
  /** What a trading agent measures about itself. */
  readonly telemetry: (agent: "arbitrage") => string;
  /** What the guard says to a trading agent. */
  readonly guardLine: (agent: "arbitrage") => string;
  /** What the guard sees and has done (GuardReport), replaced by rename every second. */
  readonly guardReport: string;
  /** What the probes of `sandpiper trace` measure (TraceReport), replaced by rename every second. */
  readonly traceReport: string;
  /** The books of the risk limits (execute/risk/risk-book.ts), replaced by rename. */
  readonly risk: string;
  /** When an operator last lifted a halt of the risk limits. */
  readonly riskResumed: string;
  /** Until when live transactions may leave. */
  readonly armed: string;
  /** Heartbeats of all processes. */
  readonly heartbeats: string;
};

export function runPaths(dataDir: string): RunPaths {
  const root = resolve(dataDir);
  const shm = `/dev/shm/sandpiper-${createHash("sha256").update(root).digest("hex").slice(0, 12)}`;
  return {
    walletKey: join(root, "keys", "wallet.json"),
    controlKeys: join(root, "keys", "control.json"),
    controlSecret: join(root, "keys", "control.hex"),
    guardSecret: join(root, "keys", "guard.hex"),
    apiNonces: join(root, "control", "api.nonces"),
    accounts: join(root, "keys", "accounts.json"),
    sessions: join(root, "keys", "sessions.json"),
    tokenKey: join(root, "keys", "token.hex"),
    ackKeys: join(root, "keys", "acks.json"),
    ackSecret: (agent) => join(root, "keys", `ack-${agent}.hex`),
    controlState: (agent) => join(root, "control", `${agent}.json`),
    controlNonces: (agent) => join(root, "control", `${agent}.nonces`),
    ledger: join(root, "ledger"),
    ledgerSecret: join(root, "keys", "ledger.key"),
    bus: join(root, "bus", "bus.sqlite"),
    spool: join(root, "bus", "spool"),
    clickhouse: join(root, "clickhouse"),
    clickhouseSecret: join(root, "keys", "clickhouse.json"),
    models: join(root, "models"),
    training: join(root, "training"),
    trainingPython: join(root, "training", "python"),
    runReport: join(root, "run", "report.json"),
    poolCatalogue: join(root, "run", "pools.json"),
    tokenNames: join(root, "run", "tokens.json"),
    simState: join(root, "run", "sim.json"),
    marketReport: join(root, "run", "market.json"),
    forkReport: join(root, "run", "fork.json"),
    shm,
    marketRing: (agent) => join(shm, `feed-${agent}.ring`),
    telemetry: (agent) => join(shm, `telemetry-${agent}`),
    guardLine: (agent) => join(shm, `guard-${agent}`),
    guardReport: join(root, "run", "guard.json"),
    traceReport: join(root, "run", "trace.json"),
    risk: join(root, "run", "risk.json"),
    riskResumed: join(root, "run", "risk-resumed.json"),
    armed: join(root, "run", "armed.json"),
    heartbeats: join(shm, "heartbeats"),
  };
}
