/**
 * Follows every sent bundle to exactly one final state. `poll` is one round over all open bundles, called on a timer:
 *
 *   sent ─▸ open ─┬─ its signature is in the ledger ─▸ meta read ─▸ landed | failed
 *                 ├─ the route gave it up, or does not know it ─▸ given up ─▸ a slot later: explained ─▸ outbid, state_moved …
 *                 ├─ its blockhash died, its nonce moved on ────▸ given up ─▸ explained ─▸ expired
 *                 └─ OPEN_NS_MAX passed without any of that ────▸ unknown
 *
 * What rests on a nonce can execute until that has moved on: given up, its nonce is ended (nonce/nonce-accounts.ts) before
 * it is explained, and what that cost is in its settlement. It stays open until the cluster shows it, so that nothing that
 * still could land is ever called final; there are as many of them at most as nonce accounts.
 *
 * The landed question is asked of the cluster, not of the route: only the ledger knows. A round asks a bounded number of
 * questions; nothing here throws, and a cluster that is away only delays, until the last line of the picture.
 */
import type { Clock } from "#core/clock.ts";
import type { Address } from "#core/units.ts";
import { notLanded, type SentBundle, type Settlement } from "./bundle.ts";
import type { ChainState } from "./chain-state.ts";
import { explainMiss } from "./explain.ts";
import type { NonceAccounts } from "./nonce/nonce-accounts.ts";
import { settleLanded } from "./realised.ts";
import type { RivalFinder } from "./rivals.ts";
import type { Route } from "./route.ts";
import { field, list, type Rpc } from "./rpc.ts";

/** Bundles followed at once; more are refused before they are sent. */
export const OPEN_BUNDLES_MAX = 256;
/** Landed bundles whose meta is read, and given-up ones that are explained, in one round. */
const SETTLED_PER_ROUND_MAX = 32;
/** How long a landed transaction's meta may stay away. */
const META_NS_MAX = 20e9;
/** A route that does not know a bundle may just be slow to list it. */
const UNKNOWN_GRACE_NS = 2e9;
/** Slots that must have ended after a bundle was given up, so that the blocks it lost in can be read. */
const EXPLAIN_SLOTS_AFTER = 2;
const EXPLAIN_WAIT_NS_MAX = 5e9;
/** Longer than a blockhash lives: after this nothing can be learnt any more. */
const OPEN_NS_MAX = 90e9;

type GivenUp = { readonly why: string; readonly routeFailed: boolean; readonly slot: number; readonly atNs: number };

type Followed = {
  readonly bundle: SentBundle;
  readonly sinceNs: number;
  landedNs: number;
  givenUp: GivenUp | undefined;
};

export type TrackerParts = {
  readonly rpc: Rpc;
  readonly route: Pick<Route, "statuses">;
  readonly rivals: RivalFinder;
  readonly chain: Pick<ChainState, "slot" | "blockHeight">;
  /** Without it no bundle may rest on a nonce. */
  readonly nonces?: NonceAccounts | undefined;
  readonly clock: Pick<Clock, "monotonicNs">;
  readonly wallet: Address;
  /** Called once for each bundle. */
  readonly settled: (bundle: SentBundle, settlement: Settlement) => void;
};

export class LandingTracker {
  readonly #open = new Map<string, Followed>();

  constructor(private readonly parts: TrackerParts) {}

  get openCount(): number {
    return this.#open.size;
  }

  /** Begins to follow a bundle that was accepted, or that nobody answered for, or that an earlier life sent. */
  follow(bundle: SentBundle): void {
    this.#open.set(bundle.decisionId, {
      bundle,
      sinceNs: this.parts.clock.monotonicNs(),
      landedNs: 0,
      givenUp: undefined,
    });
  }

  /** One round. Must not be called again before it is done. */
  async poll(): Promise<void> {
    if (this.#open.size === 0) return;
    await this.#findLanded();
    await this.#askRoute();
    await this.#explainGivenUp();
    const now = this.parts.clock.monotonicNs();
    for (const { bundle, sinceNs } of [...this.#open.values()])
      if (bundle.nonce === undefined && now - sinceNs > OPEN_NS_MAX)
        this.#settle(bundle, notLanded("unknown", `nothing could be learnt of it within ${OPEN_NS_MAX / 1e9} s`));
  }

  #settle(bundle: SentBundle, settlement: Settlement): void {
    if (this.#open.delete(bundle.decisionId)) this.parts.settled(bundle, settlement);
  }

  async #findLanded(): Promise<void> {
    const { rpc, clock } = this.parts;
    const all = [...this.#open.values()].slice(0, OPEN_BUNDLES_MAX);
    // One on a nonce may have landed while nobody looked, longer ago than nodes remember without searching.
    const searchTransactionHistory = all.some(({ bundle }) => bundle.nonce !== undefined);
    const signatures = all.map(({ bundle }) => bundle.signature);
    const answer = await rpc("getSignatureStatuses", [signatures, { searchTransactionHistory }]);
    if (!answer.ok) return;
    const statuses = list(field(answer.value, "value"));
    const landed = all.filter((_, i) => (statuses[i] ?? null) !== null);
    for (const followed of landed) if (followed.landedNs === 0) followed.landedNs = clock.monotonicNs();
    await Promise.all(landed.slice(0, SETTLED_PER_ROUND_MAX).map((followed) => this.#readMeta(followed)));
  }

  async #readMeta({ bundle, landedNs }: Followed): Promise<void> {
    const { rpc, clock, wallet } = this.parts;
    const transaction = await rpc("getTransaction", [
      bundle.signature,
      { encoding: "json", commitment: "confirmed", maxSupportedTransactionVersion: 0 },
    ]);
    const settlement = transaction.ok ? settleLanded(bundle, wallet, transaction.value) : undefined;
    if (settlement !== undefined) this.#settle(bundle, settlement);
    else if (clock.monotonicNs() - landedNs > META_NS_MAX)
      this.#settle(bundle, notLanded("landed", "in the ledger, but the cluster did not tell what it changed"));
  }

  async #askRoute(): Promise<void> {
    const { route, chain, clock } = this.parts;
    const asked = [...this.#open.values()].filter(({ landedNs, givenUp }) => landedNs === 0 && givenUp === undefined);
    if (asked.length === 0) return;
    const statuses = await route.statuses(asked.map(({ bundle }) => bundle.routeId));
    const now = clock.monotonicNs();
    asked.forEach((followed, i) => {
      const status = statuses?.[i];
      const giveUp = (why: string) => {
        followed.givenUp = { why, routeFailed: status?.kind === "failed", slot: chain.slot, atNs: now };
      };
      if (status?.kind === "failed") giveUp(status.why);
      else if (this.#ended(followed.bundle) !== undefined) giveUp("nobody took it before");
      // Nothing bounds its life, but the trade it is for is long gone.
      else if (chain.blockHeight > followed.bundle.lastValidBlockHeight)
        giveUp("nobody took it as long as a blockhash lives");
      else if (status?.kind === "unknown" && now - followed.sinceNs > UNKNOWN_GRACE_NS)
        giveUp("the route does not know it");
    });
  }

  async #explainGivenUp(): Promise<void> {
    const { rpc, rivals, wallet, chain, clock, nonces } = this.parts;
    const now = clock.monotonicNs();
    const due = [...this.#open.values()].filter(
      ({ landedNs, givenUp }) =>
        landedNs === 0 &&
        givenUp !== undefined &&
        (chain.slot >= givenUp.slot + EXPLAIN_SLOTS_AFTER || now - givenUp.atNs > EXPLAIN_WAIT_NS_MAX),
    );
    await Promise.all(
      due.slice(0, SETTLED_PER_ROUND_MAX).map(async ({ bundle, givenUp }) => {
        const { why, routeFailed } = givenUp ?? { why: "", routeFailed: false };
        const ended = this.#ended(bundle);
        if (bundle.nonce !== undefined && ended === undefined) return nonces?.end(bundle.nonce);
        const evidence = { rpc, rivals, wallet, slot: chain.slot, ended, routeFailed, why };
        const settlement = await explainMiss(bundle, evidence);
        const complete = settlement && (await this.#withCostOfEnd(bundle, settlement));
        if (complete !== undefined) this.#settle(bundle, complete);
      }),
    );
  }

  /** Why it can execute no more; undefined while it can. */
  #ended({ nonce, lastValidBlockHeight }: SentBundle): string | undefined {
    const { blockHeight } = this.parts.chain;
    if (nonce !== undefined) return this.parts.nonces?.ended(nonce);
    return blockHeight > lastValidBlockHeight
      ? `the block height ${blockHeight} passed ${lastValidBlockHeight}, the last one its blockhash was valid for`
      : undefined;
  }

  /** Undefined where one on a nonce landed after all, or nobody can tell yet. */
  async #withCostOfEnd({ nonce, signature }: SentBundle, settlement: Settlement): Promise<Settlement | undefined> {
    if (nonce === undefined) return settlement;
    const feeLamports = await this.parts.nonces?.costOfEnd(nonce, signature);
    return feeLamports === undefined ? undefined : { ...settlement, feeLamports, realisedNetLamports: -feeLamports };
  }
}
