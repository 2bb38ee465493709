/** What a subscription of the socket door is, and the waiting for a commitment that most of them share. */
import type { Clock } from "#core/clock.ts";
import { type Commitment, slotAt } from "#sim/cluster/commitment.ts";
import type { LocalCluster, MovedAccount, RecordedTransaction } from "#sim/cluster/local-cluster.ts";

/** Notices that wait for their commitment in one subscription; beyond, the oldest are dropped and counted. */
const WAITING_MAX = 16_384;

export type SocketCounters = {
  /** Notices dropped because too many waited for their commitment. */
  noticesDropped: number;
  /** Sockets closed because they did not read what was sent. */
  slowSocketsClosed: number;
};

export type SubscriptionContext = {
  readonly cluster: LocalCluster;
  readonly clock: Clock;
  readonly counters: SocketCounters;
  /** Sends the `result` of a notification. */
  notify(result: unknown): void;
  /** Ends the subscription from this side. */
  end(): void;
};

export type Subscription = {
  /** Called once the client knows the subscription's number. */
  readonly start?: () => void;
  readonly onTransaction?: (transaction: RecordedTransaction) => void;
  /** Accounts that changed outside of the cluster. */
  readonly onAccounts?: (accounts: readonly MovedAccount[]) => void;
  /** The slot that now begins. */
  readonly onSlot?: (slot: bigint) => void;
};

/** Reads the parameters, throwing RpcError, and makes the subscription. */
export type Subscribe = (context: SubscriptionContext, params: readonly unknown[]) => Subscription;

/** `{context, value}`, as most notifications have it. */
export const atSlot = (slot: bigint, value: unknown): unknown => ({ context: { slot }, value });

type Waiting<Notice> = { readonly slot: bigint; notice: Notice };

/** Holds notices of a slot back until the slot has the commitment. Of notices with one key only the last is sent. */
export class CommitmentQueue<Notice> {
  readonly #waiting: Waiting<Notice>[] = [];
  /** What waits under each key of the newest slot. */
  readonly #newest = new Map<string, Waiting<Notice>>();

  constructor(
    readonly context: SubscriptionContext,
    readonly commitment: Commitment,
    readonly deliver: (slot: bigint, notice: Notice) => void,
  ) {}

  push(slot: bigint, notice: Notice, key?: string): void {
    if (this.commitment === "processed") {
      this.deliver(slot, notice);
      return;
    }
    const same = key === undefined ? undefined : this.#newest.get(key);
    if (same?.slot === slot) {
      same.notice = notice;
      return;
    }
    if (this.#waiting.length >= WAITING_MAX) {
      this.#waiting.shift();
      this.context.counters.noticesDropped++;
    }
    const waiting = { slot, notice };
    this.#waiting.push(waiting);
    if (key !== undefined) this.#newest.set(key, waiting);
  }

  release(): void {
    this.#newest.clear();
    const committed = slotAt(this.commitment, this.context.cluster);
    const ready = this.#waiting.findIndex(({ slot }) => slot > committed);
    for (const { slot, notice } of this.#waiting.splice(0, ready < 0 ? this.#waiting.length : ready))
      this.deliver(slot, notice);
  }
}
