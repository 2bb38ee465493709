/**
 * The io thread's desk: takes decisions from the hot thread, builds and signs what is to be sent, sends it, has it
 * followed, and puts all of it on record. In this order for a bundle: journal, send, Arb record; and at its end: hot
 * thread told, Outcome record (after the Arb record), journal. Nothing here throws for a bad day; a decision that cannot
 * be built goes on record as skipped, with why.
 *
 * The simulation of a bundle begins just before its send, and the Arb record waits for its figures. The send waits for
 * it only when it was told to, and not for longer than it was told.
 */
import type { Clock } from "#core/clock.ts";
import { errorText } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import type { Decision, OutcomeNote } from "#decide/decision-record.ts";
import { TIP_RESULT, type TipResult } from "#decide/tips/tip-table.ts";
import { type BuilderParts, type Built, BundleBuilder, cannotBuild } from "./builder.ts";
import { type BundleState, notLanded, paperSettlement, type SentBundle, type Settlement } from "./bundle.ts";
import type { ChainState } from "./chain-state.ts";
import type { BundleJournal, JournalEntry } from "./journal.ts";
import type { NonceAccounts } from "./nonce/nonce-accounts.ts";
import type { Outbox } from "./outbox.ts";
import { RecentOutcomes } from "./recent.ts";
import { type ArbRecordParts, arbRecord, type KeyedRecord, outcomeRecord } from "./records.ts";
import type { RiskDesk } from "./risk/risk-desk.ts";
import type { Route, SendAnswer } from "./route.ts";
import type { Simulation, Simulator } from "./simulate/simulator.ts";
import { type LandingTracker, OPEN_BUNDLES_MAX } from "./tracker.ts";

export type DeskParts = Omit<BuilderParts, "live"> & {
  /** Undefined in a paper run: nothing is sent, and every bundle fills as predicted. */
  readonly live?: DeskLive;
  readonly journal: BundleJournal;
  readonly outbox: Outbox;
  readonly leaderOf: (slot: number) => Promise<string>;
  /** The operator's kill switch: looked at last of all before a send. */
  readonly isKilled: () => boolean;
  /** Has the last word before a send, and counts what ended; a paper run may go without. */
  readonly risk?: Pick<RiskDesk, "refusal" | "settled">;
  /** Of the clock behind wallNs and unixNs. */
  readonly wallQuality: Clock["wallQuality"];
  /** A number that stands for the leader of the next slot; 0 unknown. */
  readonly nextLeader: () => number;
  /** To the hot thread. */
  readonly note: (note: OutcomeNote) => void;
  /** For the metrics. */
  readonly onSendTook: (latencyNs: number) => void;
  readonly onSimulated: (built: Pick<Built, "instructions" | "hops">, simulation: Simulation) => void;
  readonly onSettled: (settlement: Settlement) => void;
};

type DeskLive = {
  readonly route: Route;
  readonly chain: ChainState;
  readonly simulation?: DeskSimulation | undefined;
  /** To send on; no such part, no nonces. */
  readonly nonces?: NonceAccounts | undefined;
};

/** How built transactions are simulated; no such part, no simulation. */
export type DeskSimulation = {
  readonly simulator: Simulator;
  /** The wallet's wSOL account. */
  readonly baseAccount: Address;
  /** How long a send waits for the verdict, and is called off when it is bad; 0 does not wait. */
  readonly sendWaitsMs: number;
};

export class Desk {
  readonly #recent = new RecentOutcomes();
  readonly #builder: BundleBuilder;
  /** Arb records that are not durable yet, by decision: as many as bundles are open at most. */
  readonly #recording = new Map<string, Promise<void>>();
  #tracker: LandingTracker | undefined;
  #sending = 0;

  constructor(private readonly parts: DeskParts) {
    this.#builder = new BundleBuilder(parts);
  }

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
    const wallClock = this.parts.wallQuality();
    const base: ArbRecordParts = { identity, pool, unixNs, tipFloorLamports: this.#tipFloorLamports, wallClock };
    if (decision.action === "skip") {
      outbox.offer("arbitrage-decisions-proto", arbRecord(decision, base));
      return;
    }
    let built: Built;
    try {
      if (this.openCount >= OPEN_BUNDLES_MAX)
        throw cannotBuild(`fewer than ${OPEN_BUNDLES_MAX} open bundles`, `${this.openCount}`);
      built = this.#builder.build(decision);
    } catch (thrown) {
      this.#callOff(decision, { ...base, notSentBecause: `not_built: ${errorText(thrown)}` });
      return;
    }
    void this.#dispatch(decision, built, base);
  }

  #callOff(decision: Decision, parts: ArbRecordParts, bundle?: SentBundle): void {
    if (bundle !== undefined) this.#giveBack(bundle);
    this.parts.outbox.offer("arbitrage-decisions-proto", arbRecord(decision, parts));
    this.#tellHotThread(decision.sequence);
  }

  /** Nothing waits in here before the send has begun, unless the send is to wait for the simulation. */
  async #dispatch(decision: Decision, built: Built, base: ArbRecordParts): Promise<void> {
    const waitMs = this.parts.live?.simulation?.sendWaitsMs ?? 0;
    this.#sending++;
    const simulating = this.#simulate(built);
    if (simulating === undefined || waitMs === 0) {
      this.#launch(decision, built, base, simulating);
      return;
    }
    const simulation = await Promise.race([simulating, Bun.sleep(waitMs)]);
    if (simulation?.kind === "failed") {
      this.#sending--;
      this.#callOff(decision, { ...base, notSentBecause: "simulation_failed", simulation }, built.bundle);
    } else {
      const bundle = { ...built.bundle, sendNs: this.parts.wallNs() };
      this.#launch(decision, { ...built, bundle }, base, simulating);
    }
  }

  /** Journal, send, Arb record: the journal has the record without the simulation's figures, for a kill in between. */
  #launch(
    decision: Decision,
    { bundle, wire }: Built,
    base: ArbRecordParts,
    simulating: Promise<Simulation> | undefined,
  ): void {
    const notSentBecause = this.parts.isKilled() ? "killed" : this.parts.risk?.refusal(this.openCount);
    if (notSentBecause !== undefined) {
      this.#sending--;
      this.#callOff(decision, { ...base, notSentBecause }, bundle);
      return;
    }
    const record = arbRecord(decision, { ...base, sent: bundle });
    try {
      const arbBase64 = Buffer.from(record.bytes).toString("base64");
      this.parts.journal.opened({ bundle, arbKey: record.key, arbBase64 });
    } catch (thrown) {
      // What is not in the journal must not leave: nobody would follow it after a kill.
      this.#sending--;
      this.#callOff(decision, { ...base, notSentBecause: `not_built: ${errorText(thrown)}` }, bundle);
      return;
    }
    void this.#send(bundle, wire);
    const complete = async () => arbRecord(decision, { ...base, sent: bundle, simulation: await simulating });
    this.#recordDecision(bundle.decisionId, simulating === undefined ? record : complete());
  }

  /** Its nonce serves the next one: this one did not leave, or nobody took it. */
  #giveBack({ nonce }: SentBundle): void {
    if (nonce !== undefined) this.parts.live?.nonces?.giveBack(nonce);
  }

  /** Begins at once; undefined where nothing is simulated. */
  #simulate(built: Built): Promise<Simulation> | undefined {
    const { live, wallet } = this.parts;
    if (live?.simulation === undefined) return undefined;
    const { wire, instructions, hops } = built;
    const { simulator, baseAccount } = live.simulation;
    const simulating = simulator.simulate({ wire, instructions, wallet: wallet.address, baseAccount });
    void simulating.then((simulation) => {
      this.#builder.limits.learn(hops, simulation);
      this.parts.onSimulated(built, simulation);
    });
    return simulating;
  }

  #recordDecision(decisionId: string, record: KeyedRecord | Promise<KeyedRecord>): void {
    const { outbox, journal } = this.parts;
    const recording = (async () => {
      await outbox.must("arbitrage-decisions-proto", await record, () => journal.recorded(decisionId));
      this.#recording.delete(decisionId);
    })();
    this.#recording.set(decisionId, recording);
  }

  /** Takes over what an earlier life sent; `recorded` says that its Arb record is already on the bus. */
  resume(entry: JournalEntry, recorded: boolean): void {
    const { journal, live } = this.parts;
    // Sequence numbers begin anew with each life: this one's must not free a decision of the present life.
    const bundle = { ...entry.bundle, sequence: 0 };
    const record = { key: entry.arbKey, bytes: new Uint8Array(Buffer.from(entry.arbBase64, "base64")) };
    if (recorded) journal.recorded(bundle.decisionId);
    else this.#recordDecision(bundle.decisionId, record);
    if (bundle.nonce !== undefined) live?.nonces?.hold(bundle.nonce);
    // One on a nonce does not end by itself: it is followed whatever way it went.
    const isFollowed = bundle.nonce === undefined ? bundle.route === live?.route.name : live?.nonces !== undefined;
    if (isFollowed) this.#tracker?.follow(bundle);
    else this.settle(bundle, notLanded("unknown", "the agent began anew in another mode while it was open"));
  }

  /** The end of a bundle, called once for each. */
  settle(bundle: SentBundle, settlement: Settlement): void {
    this.#recent.add(bundle, settlement);
    const { state, rivalTipLamports } = settlement;
    // In the books before the Outcome is on the bus: after a kill in between it comes here again and is known.
    this.parts.risk?.settled(bundle, settlement);
    if (settlement.state !== "rejected") this.parts.live?.route.settled?.(bundle.routeId, state === "landed");
    this.#tellHotThread(bundle.sequence, tipResultOf(state), Number(rivalTipLamports));
    this.parts.onSettled(settlement);
    void this.#record(bundle, settlement, this.parts.wallNs());
  }

  /** Tells the hot thread how the wallet stands; `sequence` 0 settles nothing. */
  #tellHotThread(sequence: number, result: TipResult = TIP_RESULT.none, rivalTipLamports = 0): void {
    const { live, note, nextLeader } = this.parts;
    const { tipMedianLamports, landedShare, outbidShare } = this.#recent;
    const walletLamports = live === undefined ? Number.MAX_SAFE_INTEGER : Number(live.chain.baseUnits ?? 0n);
    note({
      sequence,
      walletLamports,
      tipMedianLamports,
      landedShare,
      outbidShare,
      result,
      rivalTipLamports,
      tipFloorLamports: this.#tipFloorLamports,
      leader: nextLeader(),
    });
  }

  get #tipFloorLamports(): number {
    return this.parts.live?.route.tipFloorLamports ?? 0;
  }

  walletChanged(): void {
    this.#tellHotThread(0);
  }

  async #record(bundle: SentBundle, settlement: Settlement, landNs: bigint): Promise<void> {
    const { identity, outbox, journal, leaderOf } = this.parts;
    const wallClock = this.parts.wallQuality();
    const leader = await leaderOf(settlement.landedSlot || bundle.decidedSlot);
    // Recovery takes an Outcome on the bus for the end of a bundle: its decision must be there before.
    await this.#recording.get(bundle.decisionId);
    const record = outcomeRecord(bundle, settlement, { identity, landNs, leader, wallClock });
    await outbox.must("bundle-outcomes-proto", record, () => journal.closed(bundle.decisionId));
  }

  async #send(bundle: SentBundle, wire: Uint8Array): Promise<void> {
    const { live, wallNs, onSendTook } = this.parts;
    if (live === undefined) {
      this.#sending--;
      this.settle(bundle, paperSettlement(bundle));
      return;
    }
    const answer: SendAnswer = await live.route.send(wire, bundle.routeId);
    this.#sending--;
    if (answer.kind === "rejected") {
      this.#giveBack(bundle);
      this.settle(bundle, notLanded("rejected", answer.why));
    } else {
      const endedNs = wallNs();
      onSendTook(Number(endedNs - bundle.decideNs));
      const accepted = answer.kind === "accepted" ? { routeId: answer.routeId, acceptedNs: endedNs } : {};
      this.#tracker?.follow({ ...bundle, ...accepted });
    }
  }
}

/** What an end says about the tip; a refused bundle was in no auction. */
function tipResultOf(state: BundleState): TipResult {
  if (state === "landed") return TIP_RESULT.landed;
  if (state === "outbid") return TIP_RESULT.outbid;
  return state === "rejected" || state === "unknown" ? TIP_RESULT.none : TIP_RESULT.lost;
}
