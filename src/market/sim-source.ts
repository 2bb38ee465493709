/**
 * The local cluster as a market source: its geyser door for what happens, its RPC for where to start. The stream is
 * subscribed first and held back while the snapshot is read, then let through: every write after the subscription is in
 * it, so nothing falls between the two.
 *
 * The cluster may go away and come back at any time, also from genesis: nothing of an old connection (write versions,
 * slots) is compared with a new one, and each connection begins with a snapshot of its own.
 *
 * A feed that was away, or lost its connection, reads the transactions that it missed from the cluster's blocks. Until it has
 * them (the block of the subscription must end first) states go on as bare writes, and transactions wait, so that they
 * come in the market's order.
 */
import type { Clock } from "#core/clock.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Random } from "#core/random.ts";
import { type MarketPosition, transactionsSince } from "./catch-up.ts";
import { MARKET_ERROR } from "./errors.ts";
import { type GeyserMessage, readGeyserMessage } from "./geyser-message.ts";
import { Retry, type RetryLimits } from "./live/retry.ts";
import { RpcNode } from "./live/rpc-node.ts";
import type { PoolFilter } from "./pool-filter.ts";
import { readRpcSnapshot } from "./rpc-snapshot.ts";
import type { MarketEvent, MarketSink, MarketSource } from "./source.ts";

type SimSourceLimits = RetryLimits & {
  /** Longest time without a connection that got as far as its snapshot. */
  readonly missingMsMax: number;
  readonly connectMsMax: number;
  /** A stream that says nothing for so long is dead: a slot starts at least every ten seconds. */
  readonly silenceMsMax: number;
  /** Messages held back while the snapshot is read. */
  readonly heldMax: number;
};

const SIM_SOURCE_LIMITS: SimSourceLimits = {
  retryMsMin: 50,
  retryMsMax: 1_000,
  missingMsMax: 60_000,
  connectMsMax: 5_000,
  silenceMsMax: 30_000,
  heldMax: 100_000,
};

export type SimSourceOptions = {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Which pools are let through; all when left out. */
  readonly filter?: PoolFilter;
  /** What was passed on last, by whoever followed the cluster before; asked at the start of each connection. */
  readonly since?: () => MarketPosition | undefined;
  readonly limits?: Partial<SimSourceLimits>;
};

export type SimSource = MarketSource & {
  readonly counters: { connections: number; malformedMessages: number; caughtUp: number };
};

export function createSimSource(options: SimSourceOptions): SimSource {
  const limits = { ...SIM_SOURCE_LIMITS, ...options.limits };
  const counters = { connections: 0, malformedMessages: 0, caughtUp: 0 };
  const { clock, log } = options;
  let stopped = false;
  let close: (() => void) | undefined;
  const retry = new Retry(limits, options.random);
  // The whole connection is tried again, not a single call.
  const node = new RpcNode(options.rpcUrl, options.random, { triesMax: 1 });

  const run = async (sink: MarketSink) => {
    let goodNs = clock.monotonicNs();
    while (!stopped) {
      const reason = await new Connection(options, node, limits, counters, sink, (end) => {
        close = end;
      }).live(() => retry.succeeded());
      if (stopped) return;
      if (reason.hadSnapshot) goodNs = clock.monotonicNs();
      const missingMs = (clock.monotonicNs() - goodNs) / 1e6;
      if (missingMs > limits.missingMsMax)
        throw new SandpiperError(
          MARKET_ERROR.sourceMissing,
          `Cannot follow the local cluster at ${options.wsUrl}: an answer within ${limits.missingMsMax} ms, was ${reason.text}`,
          "later",
        );
      log.debug("market source lost", { reason: reason.text });
      await retry.pause();
    }
  };
  return {
    counters,
    run,
    stop: () => {
      stopped = true;
      close?.();
      retry.wake();
    },
  };
}

type Ended = { readonly text: string; readonly hadSnapshot: boolean };

type Transaction = MarketEvent & { kind: "transaction" };

/** One connection, from the handshake to its end. */
class Connection {
  #held: MarketEvent[] | undefined = [];
  /** Transactions that wait, without their states, for those that were missed before them. */
  #waiting: Transaction[] | undefined;
  /** The slot of the first message: what it holds from the subscription on is heard. */
  #firstSlot: bigint | undefined;
  #firstSlotEnded = Promise.withResolvers<void>();
  #heardNs: number;
  /** Nothing goes into the sink any more: the next connection has it. */
  #over = false;
  #end: (text: string) => void = () => {};

  constructor(
    readonly options: SimSourceOptions,
    readonly node: RpcNode,
    readonly limits: SimSourceLimits,
    readonly counters: SimSource["counters"],
    readonly sink: MarketSink,
    readonly onOpen: (close: () => void) => void,
  ) {
    this.#heardNs = options.clock.monotonicNs();
  }

  /** Settles with the reason when the connection is over; never rejects. */
  async live(onSnapshot: () => void): Promise<Ended> {
    const socket = new WebSocket(this.options.wsUrl);
    let hadSnapshot = false;
    const ended = new Promise<string>((resolve) => {
      this.#end = resolve;
    });
    this.onOpen(() => this.#end("stopped"));
    socket.onopen = () =>
      socket.send(
        // Everything: the cluster is ours and small, and new pools come with their vaults in one transaction.
        JSON.stringify({ jsonrpc: "2.0", id: 1, method: "geyserSubscribe", params: [{ owners: [], accounts: [] }] }),
      );
    socket.onmessage = (message) => {
      const subscribed = this.#hear(String(message.data));
      if (!subscribed) return;
      this.#start().then(
        () => {
          hadSnapshot = true;
          this.counters.connections++;
          onSnapshot();
        },
        (thrown: unknown) => this.#end(errorText(thrown)),
      );
    };
    socket.onerror = () => this.#end("no connection");
    socket.onclose = () => this.#end("connection closed");
    const watch = setInterval(() => this.#watch(hadSnapshot), 100);
    const text = await ended;
    clearInterval(watch);
    this.#over = true;
    socket.onmessage = null;
    socket.close();
    return { text, hadSnapshot };
  }

  /** Takes one message; true when it was the answer to the subscription. */
  #hear(text: string): boolean {
    this.#heardNs = this.options.clock.monotonicNs();
    let message: GeyserMessage;
    try {
      message = readGeyserMessage(text);
    } catch (thrown) {
      if (!(thrown instanceof SandpiperError)) throw thrown;
      this.counters.malformedMessages++;
      return false;
    }
    if (message.kind === "answer") {
      if (message.error !== undefined) this.#end(`subscription refused: ${message.error}`);
      return message.error === undefined;
    }
    const event: MarketEvent = { ...message, arrivedNs: this.#heardNs };
    const slot = message.kind === "transaction" ? message.transaction.slot : message.slot;
    this.#firstSlot ??= slot;
    if (slot > this.#firstSlot) this.#firstSlotEnded.resolve();
    if ((this.#waiting?.length ?? 0) >= this.limits.heldMax)
      this.#end(`more than ${this.limits.heldMax} transactions while missed ones were read`);
    else if (this.#held === undefined) this.#take(event);
    else if (this.#held.length < this.limits.heldMax) this.#held.push(event);
    else this.#end(`more than ${this.limits.heldMax} messages while the snapshot was read`);
    return false;
  }

  async #start(): Promise<void> {
    const since = this.options.since?.();
    if (since !== undefined) this.#waiting = [];
    const snapshot = await readRpcSnapshot(this.node, "processed", this.options.filter?.pools);
    if (this.#over) return;
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#let({ kind: "snapshot", ...snapshot, arrivedNs: this.options.clock.monotonicNs() });
    // What happened in slots before the snapshot's is in its accounts already.
    for (const event of held)
      this.#take(
        event.kind === "transaction" && event.transaction.slot < snapshot.slot ? { ...event, accounts: [] } : event,
      );
    if (since !== undefined) void this.#catchUp(since).catch((thrown: unknown) => this.#end(errorText(thrown)));
  }

  async #catchUp(since: MarketPosition): Promise<void> {
    await this.#firstSlotEnded.promise;
    const missed = await transactionsSince(this.node, since, this.#firstSlot as bigint);
    if (this.#over) return;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    const arrivedNs = this.options.clock.monotonicNs();
    if (missed === undefined)
      this.#let({ kind: "gap", slot: since.slot, arrivedNs, why: "what was missed is in no block that can be had" });
    const heard = new Set(waiting.map(({ transaction }) => transaction.signature));
    for (const transaction of missed?.filter(({ signature }) => !heard.has(signature)) ?? []) {
      this.counters.caughtUp++;
      // Which accounts are tokens the stream does not tell either.
      this.#let({
        kind: "transaction",
        arrivedNs,
        accounts: [],
        transaction: { ...transaction, tokenAccounts: new Map() },
      });
    }
    for (const event of waiting) this.#let(event);
  }

  #take(event: MarketEvent): void {
    if (this.#waiting === undefined || event.kind !== "transaction") {
      this.#let(event);
      return;
    }
    const { accounts, arrivedNs, transaction } = event;
    if (accounts.length > 0) this.#let({ kind: "writes", slot: transaction.slot, arrivedNs, accounts });
    this.#waiting.push({ ...event, accounts: [] });
  }

  #let(event: MarketEvent): void {
    const passes = this.options.filter?.passes;
    this.sink(
      passes !== undefined && "accounts" in event ? { ...event, accounts: event.accounts.filter(passes) } : event,
    );
  }

  #watch(hadSnapshot: boolean): void {
    const silentMs = (this.options.clock.monotonicNs() - this.#heardNs) / 1e6;
    const silentMsMax = hadSnapshot ? this.limits.silenceMsMax : this.limits.connectMsMax;
    if (silentMs > silentMsMax) this.#end(`silence for ${silentMsMax} ms`);
  }
}
