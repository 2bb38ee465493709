/**
 * The io thread's desk: takes decisions from the hot thread, builds and signs what is to be sent, sends it, has it
 * followed, and puts all of it on record. In this order for a bundle: journal, send, Arb record; and at its end: hot
 * thread told, Outcome record, journal. Nothing here throws for a bad day; a decision that cannot be built goes on record
 * as skipped, with why.
 */
import { errorText, SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Address, Signature } from "#core/units.ts";
import { type Decision, decisionId, type OutcomeNote } from "#decide/decision-record.ts";
import { notLanded, paperSettlement, type SentBundle, type Settlement } from "./bundle.ts";
import type { ChainState } from "./chain-state.ts";
import { EXECUTE_ERROR } from "./errors.ts";
import type { BundleJournal, JournalEntry } from "./journal.ts";
import { compileMessage } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { planInstructions } from "./plan.ts";
import { RecentOutcomes } from "./recent.ts";
import { type AgentIdentity, type ArbRecordParts, arbRecord, outcomeRecord } from "./records.ts";
import { bundleIdOf, type Route, type SendAnswer } from "./route.ts";
import { type LandingTracker, OPEN_BUNDLES_MAX } from "./tracker.ts";
import { signatureOf, signTransaction } from "./transaction.ts";
import type { Wallet } from "./wallet.ts";

/** A blockhash older than this (half its life) is not built on: the cluster has not answered for long. */
const BLOCKHASH_AGE_NS_MAX = 30e9;

export type DeskParts = {
  readonly identity: AgentIdentity;
  readonly wallet: Wallet;
  readonly pool: (index: number) => PoolFacts | undefined;
  /** Undefined in a paper run: nothing is sent, and every bundle fills as predicted. */
  readonly live?: { readonly route: Route; readonly chain: ChainState };
  readonly journal: BundleJournal;
  readonly outbox: Outbox;
  readonly unixNs: (monotonicNs: number) => bigint;
  readonly wallNs: () => bigint;
  readonly leaderOf: (slot: number) => Promise<string>;
  /** To the hot thread. */
  readonly note: (note: OutcomeNote) => void;
  /** For the metrics. */
  readonly onAccepted: (latencyNs: number) => void;
  readonly onSettled: (settlement: Settlement) => void;
};

type TransactionFacts = Pick<SentBundle, "route" | "signature" | "wireBase64" | "blockhash" | "lastValidBlockHeight">;
/** Nothing is built for a paper fill: a recording need not know every account of a swap. */
const PAPER: TransactionFacts = {
  route: "paper",
  signature: "" as Signature,
  wireBase64: "",
  blockhash: "",
  lastValidBlockHeight: 0,
};

type Built = { readonly bundle: SentBundle; readonly wire: Uint8Array };

export class Desk {
  readonly #recent = new RecentOutcomes();
  #tracker: LandingTracker | undefined;
  #sending = 0;

  constructor(private readonly parts: DeskParts) {}

  /** The tracker reports to this desk, so it can only be made after it. */
  followWith(tracker: LandingTracker): void {
    this.#tracker = tracker;
  }

  /** Bundles without a final state. */
  get openCount(): number {
    return this.#sending + (this.#tracker?.openCount ?? 0);
  }

  take(decision: Decision): void {
    const { identity, pool, unixNs, outbox } = this.parts;
    const base: ArbRecordParts = { identity, pool, unixNs };
    if (decision.action === "skip") {
      outbox.offer("arbitrage-decisions-proto", arbRecord(decision, base));
      return;
    }
    let built: Built;
    try {
      built = this.#build(decision);
    } catch (thrown) {
      const notSentBecause = `not_built: ${errorText(thrown)}`;
      outbox.offer("arbitrage-decisions-proto", arbRecord(decision, { ...base, notSentBecause }));
      this.#tellHotThread(decision.sequence);
      return;
    }
    const { bundle, wire } = built;
    const record = arbRecord(decision, { ...base, sent: bundle });
    const entry = { bundle, arbKey: record.key, arbBase64: Buffer.from(record.bytes).toString("base64") };
    this.parts.journal.opened(entry);
    void this.#send(bundle, wire);
    void outbox.must("arbitrage-decisions-proto", record, () => this.parts.journal.recorded(bundle.decisionId));
  }

  /** Takes over what an earlier life sent; `recorded` says that its Arb record is already on the bus. */
  resume(entry: JournalEntry, recorded: boolean): void {
    const { outbox, journal, live } = this.parts;
    // Sequence numbers begin anew with each life: this one's must not free a decision of the present life.
    const bundle = { ...entry.bundle, sequence: 0 };
    const record = { key: entry.arbKey, bytes: new Uint8Array(Buffer.from(entry.arbBase64, "base64")) };
    if (recorded) journal.recorded(bundle.decisionId);
    else void outbox.must("arbitrage-decisions-proto", record, () => journal.recorded(bundle.decisionId));
    if (live !== undefined && bundle.route === live.route.name) this.#tracker?.follow(bundle);
    else this.settle(bundle, notLanded("unknown", "the agent began anew in another mode while it was open"));
  }

  /** The end of a bundle, called once for each. */
  settle(bundle: SentBundle, settlement: Settlement): void {
    this.#recent.add(bundle, settlement);
    this.#tellHotThread(bundle.sequence);
    this.parts.onSettled(settlement);
    void this.#record(bundle, settlement, this.parts.wallNs());
  }

  /** Tells the hot thread how the wallet stands; `sequence` 0 settles nothing. */
  #tellHotThread(sequence: number): void {
    const { live, note } = this.parts;
    const { tipMedianLamports, landedShare, outbidShare } = this.#recent;
    const walletLamports = live === undefined ? Number.MAX_SAFE_INTEGER : Number(live.chain.baseUnits ?? 0n);
    note({ sequence, walletLamports, tipMedianLamports, landedShare, outbidShare });
  }

  walletChanged(): void {
    this.#tellHotThread(0);
  }

  async #record(bundle: SentBundle, settlement: Settlement, landNs: bigint): Promise<void> {
    const { identity, outbox, journal, leaderOf } = this.parts;
    const leader = await leaderOf(settlement.landedSlot || bundle.decidedSlot);
    const record = outcomeRecord(bundle, settlement, { identity, landNs, leader });
    await outbox.must("bundle-outcomes-proto", record, () => journal.closed(bundle.decisionId));
  }

  #build(decision: Decision): Built {
    const { wallet, pool, live } = this.parts;
    if (this.openCount >= OPEN_BUNDLES_MAX)
      throw cannotBuild(`fewer than ${OPEN_BUNDLES_MAX} open bundles`, `${this.openCount}`);
    if (live === undefined) return { bundle: this.#describe(decision, PAPER), wire: new Uint8Array() };
    const chain = live.chain.blockhash();
    if (chain === undefined || chain.ageNs > BLOCKHASH_AGE_NS_MAX)
      throw cannotBuild(
        `a blockhash younger than ${BLOCKHASH_AGE_NS_MAX / 1e9} s`,
        chain === undefined ? "none" : `one of ${Math.round(chain.ageNs / 1e9)} s`,
      );
    const instructions = planInstructions(decision, {
      owner: wallet.address,
      pool,
      tokenAccount: (mint) => wallet.tokenAccount(mint),
      tipAccount: live.route.tipAccount() as Address,
    });
    const { blockhash, lastValidBlockHeight } = chain;
    const wire = signTransaction(compileMessage({ payer: wallet.address, blockhash, instructions }), [wallet.keypair]);
    const signature = signatureOf(wire);
    const wireBase64 = Buffer.from(wire).toString("base64");
    const transaction = { route: live.route.name, signature, wireBase64, blockhash, lastValidBlockHeight };
    return { bundle: this.#describe(decision, transaction), wire };
  }

  #describe(decision: Decision, transaction: TransactionFacts): SentBundle {
    const { identity, pool, unixNs, wallNs } = this.parts;
    const id = decisionId(identity.agent, identity.runStartMs, decision.sequence);
    const bundleId = transaction.route === "paper" ? `paper-${id}` : bundleIdOf([transaction.signature]);
    return {
      ...transaction,
      decisionId: id,
      sequence: decision.sequence,
      bundleId,
      routeId: bundleId,
      decidedSlot: Number(decision.slot),
      pools: decision.hops.map((hop) => pool(hop.pool)?.address ?? ("" as Address)),
      tipLamports: decision.tipLamports,
      feeLamports: decision.feeLamports,
      predictedNetLamports: decision.netLamports,
      eventNs: unixNs(decision.eventNs),
      decideNs: unixNs(decision.decideNs),
      sendNs: wallNs(),
      acceptedNs: 0n,
    };
  }

  async #send(bundle: SentBundle, wire: Uint8Array): Promise<void> {
    const { live, wallNs, onAccepted } = this.parts;
    if (live === undefined) {
      this.settle(bundle, paperSettlement(bundle));
      return;
    }
    this.#sending++;
    const answer: SendAnswer = await live.route.send(wire);
    this.#sending--;
    if (answer.kind === "rejected") this.settle(bundle, notLanded("rejected", answer.why));
    else if (answer.kind === "unanswered") this.#tracker?.follow(bundle);
    else {
      const acceptedNs = wallNs();
      onAccepted(Number(acceptedNs - bundle.decideNs));
      this.#tracker?.follow({ ...bundle, routeId: answer.routeId, acceptedNs });
    }
  }
}

const cannotBuild = (must: string, was: string): SandpiperError =>
  new SandpiperError(EXECUTE_ERROR.plan, `Cannot build a bundle: ${must}, was ${was}`, "later");
