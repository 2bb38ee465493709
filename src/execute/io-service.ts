/**
 * The io thread as a service: opens wallet, cluster and route, takes over what an earlier life left open, then runs some
 * small loops beside each other, none of which overlaps itself:
 *
 *   decisions      as they come              build, sign, send, record
 *   landing        every POLL_MS             follow open bundles to their end
 *   chain          twice a slot              blockhash, slot, wallet, nonces
 *   metrics, tip floor   every second
 *   recovery place every PLACE_MS            see recovery.ts
 *
 * In mode replay nothing is sent and nothing is asked for: every bundle fills on paper.
 */
import { join } from "node:path";
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import type { Address } from "#core/units.ts";
import type { Decision, OutcomeNote } from "#decide/decision-record.ts";
import { swapsOf } from "#decide/swaps.ts";
import type { RungStatistics } from "#decide/tips/tip-bandit.ts";
import { RAYDIUM_CPMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "#dex/program-addresses.ts";
import { encodeAudit } from "#wire/audit.ts";
import { encodeEnvelope, metricsEnvelope } from "#wire/envelope.ts";
import { AgentMetrics, type Telemetry } from "./agent-metrics.ts";
import { ChainState } from "./chain-state.ts";
import { Desk, type DeskParts, type DeskSimulation } from "./desk.ts";
import { endpointsOf } from "./endpoints.ts";
import { EXECUTE_ERROR } from "./errors.ts";
import { BundleJournal } from "./journal.ts";
import { readKeypairFile } from "./keypair.ts";
import { Leaders } from "./leaders.ts";
import { NonceAccounts } from "./nonce/nonce-accounts.ts";
import { Outbox, type Publish } from "./outbox.ts";
import { PoolDirectory } from "./pool-directory.ts";
import type { AgentIdentity } from "./records.ts";
import { moveRecoveryPlace, type RecordReader, recoverOpenBundles } from "./recovery.ts";
import { RiskDesk } from "./risk/risk-desk.ts";
import { RivalFinder } from "./rivals.ts";
import type { Route } from "./route.ts";
import { type JitoRegions, openJitoRegions } from "./routes/jito-regions.ts";
import { openRoutes } from "./routes/open-routes.ts";
import { createRpc, type Rpc } from "./rpc.ts";
import { BEFORE_MS_MAX, Simulator, simulationRpc } from "./simulate/simulator.ts";
import type { TpuEngine } from "./tpu/tpu-engine.ts";
import type { TpuRoute } from "./tpu/tpu-route.ts";
import { LandingTracker } from "./tracker.ts";
import { Wallet } from "./wallet.ts";

export type IoServiceParts = {
  readonly config: Config;
  readonly identity: AgentIdentity;
  /** Of the model at the start; each decision names its own. */
  readonly modelHash: string;
  /** The oldest decision that was not taken yet. */
  readonly nextDecision: () => Decision | undefined;
  /** Resolves when there may be one, at the latest after `timeoutMs`. */
  readonly waitForDecision: (timeoutMs: number) => Promise<unknown>;
  readonly note: (note: OutcomeNote) => void;
  /** The operator's kill switch. */
  readonly isKilled: () => boolean;
  readonly publish: Publish;
  readonly reader: RecordReader;
  readonly counters: Float64Array;
  readonly tipStatistics: () => readonly RungStatistics[];
  /** RISK_BYTES, shared with the hot thread. */
  readonly riskWords: ArrayBufferLike;
  readonly telemetry: Telemetry;
  readonly sloViolated: () => boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

export type IoService = { stop(): Promise<void> };

const POLL_MS = 100;
const METRICS_MS = 1_000;
const PLACE_MS = 10_000;
const TIP_FLOOR_MS = 1_000;
/** How long the cluster and its block engine may take to come up; then the supervisor tries again. */
const START_MS_MAX = 30_000;
const START_RETRY_MS = 200;
/** How long a stop waits for open bundles and unpublished records; the rest is in the journal. */
const STOP_MS_MAX = 2_000;
/** What every swap of the market at hand runs. */
const PROGRAMS = [TOKEN_PROGRAM, TOKEN_2022_PROGRAM, RAYDIUM_CPMM_PROGRAM];
/** Longest sleep of the decision loop: it looks for a stop in between. */
const DECISION_WAIT_MS = 100;

type Live = {
  readonly rpc: Rpc;
  readonly chain: ChainState;
  readonly jito: JitoRegions;
  readonly route: Route;
  readonly tpu: TpuRoute | undefined;
  readonly tpuEngine: TpuEngine | undefined;
  readonly rivals: RivalFinder;
  readonly nonces: NonceAccounts;
  readonly simulation: DeskSimulation | undefined;
};

export async function startIoService(parts: IoServiceParts): Promise<IoService> {
  const { config, identity, clock, log } = parts;
  const paths = runPaths(config.dataDir);
  const wallet = new Wallet(readKeypairFile(paths.walletKey));
  let leaders: Leaders | undefined;
  const live = config.mode === "replay" ? undefined : await openLive(parts, wallet, () => leaders?.nextName ?? "");
  const directory = new PoolDirectory(paths.poolCatalogue, wallet, clock);
  await directory.refresh();
  let { modelHash } = parts;
  const publish: Publish = async (topic, key, value) => {
    const place = await parts.publish(topic, key, value);
    parts.telemetry.figures.set("publishedNs", clock.monotonicNs());
    return place;
  };
  const outbox = new Outbox(publish, Bun.sleep);
  const journal = new BundleJournal(join(config.dataDir, "run", "arbitrage-open.ndjson"));
  const metrics = new AgentMetrics({ ...parts, modelHash: () => modelHash, publishDropped: () => outbox.dropped });
  leaders = live === undefined ? undefined : new Leaders(live.rpc);
  const unixNs = (monotonicNs: number) => clock.wallNs() - BigInt(Math.round(clock.monotonicNs() - monotonicNs));
  const risk = new RiskDesk({
    ...{ config, paths, log },
    words: parts.riskWords,
    pools: () => directory.all(),
    wallMs: () => Number(clock.wallNs() / 1_000_000n),
  });
  const deskParts: DeskParts = {
    risk,
    identity,
    wallet,
    pool: (index) => directory.get(index),
    journal,
    outbox,
    unixNs,
    wallNs: () => clock.wallNs(),
    wallQuality: () => clock.wallQuality(),
    nextLeader: () => leaders?.next ?? 0,
    leaderOf: async (slot) => (await leaders?.of(slot)) ?? "",
    isKilled: parts.isKilled,
    note: parts.note,
    onSendTook: (latencyNs) => metrics.sendTook(latencyNs),
    onSimulated: (built, simulation) => metrics.simulated(built, simulation, clock.monotonicNs()),
    onSettled: (settlement) => metrics.settled(settlement),
  };
  const desk = new Desk(live === undefined ? deskParts : { ...deskParts, live });
  const tracker =
    live && new LandingTracker({ ...live, clock, wallet: wallet.address, settled: (...end) => desk.settle(...end) });
  if (tracker !== undefined) desk.followWith(tracker);
  const taken = await recoverOpenBundles(parts.reader, journal, desk);
  if (taken > 0) log.info("took over open bundles of an earlier life", { bundles: taken });
  desk.walletChanged();

  const loops = new Loops(log);
  const sayModel = (before: string, after: string, reason: string) => {
    // A replay's model is the recording's, and its bus nobody's record.
    if (config.mode === "replay") return;
    const event = { case: "model", value: { module: identity.agent, before, after, reason } } as const;
    outbox.offer("control-audit-proto", { key: identity.agent, bytes: encodeAudit(clock.wallNs(), event) });
  };
  sayModel("", modelHash, "began with it");
  const nextDecision = () => {
    const decision = parts.nextDecision();
    const hash = decision?.terms.modelHash ?? modelHash;
    if (hash !== modelHash) sayModel(modelHash, hash, "decided with it from then on");
    modelHash = hash;
    return decision;
  };
  loops.run(() => takeDecisions({ ...parts, nextDecision }, desk, directory), 0);
  if (tracker !== undefined) loops.run(() => tracker.poll(), POLL_MS);
  if (live !== undefined) {
    const readChain = async () => {
      await Promise.all([refreshChain(live.chain, desk), live.nonces.refresh()]);
      if (live.chain.failures === 0) parts.telemetry.figures.set("chainReadNs", clock.monotonicNs());
    };
    loops.run(readChain, config["sim.slotMs"] / 2);
    loops.run(() => live.route.refreshTipFloor(), TIP_FLOOR_MS);
    const { tpu } = live;
    if (tpu !== undefined) loops.run(() => tpu.follow(live.chain.slot + 1), config["sim.slotMs"]);
    loops.run(async () => leaders?.learn(live.chain.slot + 1), config["sim.slotMs"]);
  }
  const publishMetrics = () => {
    const fields = metrics.take(clock.wallNs(), clock.monotonicNs(), METRICS_MS);
    outbox.offer("metrics-proto", {
      key: identity.agent,
      bytes: encodeEnvelope(metricsEnvelope(fields), clock.wallQuality()),
    });
  };
  loops.run(async () => publishMetrics(), METRICS_MS);
  loops.run(async () => risk.look(), METRICS_MS);
  loops.run(() => moveRecoveryPlace(parts.reader, outbox), PLACE_MS);
  return {
    stop: async () => {
      const deadlineNs = clock.monotonicNs() + STOP_MS_MAX * 1e6;
      while ((desk.openCount > 0 || outbox.owed > 0) && clock.monotonicNs() < deadlineNs) await Bun.sleep(POLL_MS / 4);
      if (desk.openCount > 0) log.info("left open bundles to the next start", { bundles: desk.openCount });
      publishMetrics();
      await loops.stop();
      live?.jito.close();
      await live?.tpuEngine?.close();
      journal.close();
    },
  };
}

/** Waits until cluster and block engine answer; throws a SandpiperError (retry later) when they do not. */
async function openLive(parts: IoServiceParts, wallet: Wallet, leader: () => string): Promise<Live> {
  const { config, clock, random, log } = parts;
  const { rpcUrl, blockEngineUrls: urls, tipFloorUrl } = endpointsOf(config);
  const rpc = createRpc({ url: rpcUrl });
  const baseAccount = await wallet.baseAccount();
  const chain = new ChainState(rpc, clock, baseAccount);
  const token = config["execute.blockEngineToken"];
  const deadlineNs = clock.monotonicNs() + START_MS_MAX * 1e6;
  for (;;) {
    await chain.refresh();
    try {
      const route = await openJitoRegions({ urls, tipFloorUrl, token, clock, random });
      if (chain.blockhash() !== undefined && chain.baseUnits !== undefined) {
        const rivals = new RivalFinder(rpc, new Set(route.tipAccounts));
        const simulation = await openSimulation(config, clock, rpcUrl, baseAccount);
        const nonces = new NonceAccounts({
          ...{ rpc, clock, wallet: wallet.keypair },
          count: config["execute.nonceAccounts"],
        });
        await nonces.refresh();
        const routes = openRoutes(parts, wallet, rpc, route, leader);
        return { rpc, chain, jito: route, rivals, nonces, simulation, ...routes };
      }
      route.close();
    } catch (thrown) {
      log.debug("waiting for the block engine", { why: errorText(thrown) });
    }
    if (clock.monotonicNs() > deadlineNs)
      throw new SandpiperError(
        EXECUTE_ERROR.route,
        `Cannot trade: a cluster that tells a blockhash and the wallet's wSOL within ${START_MS_MAX / 1e3} s, was ${chain.blockhash() === undefined ? "silent" : `without a block engine at ${urls.join(", ")} or a wSOL account of ${wallet.address}`}`,
        "later",
      );
    await Bun.sleep(START_RETRY_MS);
  }
}

/** Programs are read ahead: compiling one while a bundle waits would be the slowest thing this thread does. */
async function openSimulation(
  config: Config,
  clock: Clock,
  rpcUrl: string,
  baseAccount: Address,
): Promise<DeskSimulation | undefined> {
  const mode = config["arbitrage.simulate"];
  if (mode === "off") return undefined;
  const simulator = new Simulator(simulationRpc(rpcUrl), clock);
  await simulator.learn(PROGRAMS);
  return { simulator, baseAccount, sendWaitsMs: mode === "before" ? BEFORE_MS_MAX : 0 };
}

async function refreshChain(chain: ChainState, desk: Desk): Promise<void> {
  const before = chain.baseUnits;
  await chain.refresh();
  if (chain.baseUnits !== before) desk.walletChanged();
}

async function takeDecisions(parts: IoServiceParts, desk: Desk, directory: PoolDirectory): Promise<void> {
  await parts.waitForDecision(DECISION_WAIT_MS);
  for (let decision = parts.nextDecision(); decision !== undefined; decision = parts.nextDecision()) {
    if (!directory.covers(swapsOf(decision).map(({ hop }) => hop))) await directory.refresh();
    desk.take(decision);
  }
}

/** Repeats work, each turn after the one before it is done; a turn that throws is logged and the next one comes. */
class Loops {
  readonly #running: Promise<void>[] = [];
  #stopped = false;

  constructor(private readonly log: Log) {}

  run(work: () => Promise<void>, pauseMs: number): void {
    this.#running.push(this.#repeat(work, pauseMs));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.race([Promise.all(this.#running), Bun.sleep(POLL_MS * 3)]);
  }

  async #repeat(work: () => Promise<void>, pauseMs: number): Promise<void> {
    while (!this.#stopped) {
      try {
        await work();
      } catch (thrown) {
        this.log.error(errorText(thrown));
        await Bun.sleep(POLL_MS);
      }
      if (pauseMs > 0) await Bun.sleep(pauseMs);
    }
  }
}
