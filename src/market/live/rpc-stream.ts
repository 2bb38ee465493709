/**
 * A node's RPC and PubSub WebSocket as a stream: slotSubscribe, logsSubscribe for each program, programSubscribe and
 * accountSubscribe for its accounts. A node tells accounts one by one without saying which transaction wrote them, so
 * those of one slot are held until the slot is over and leave together; transactions are fetched by their signatures
 * when their slot is confirmed, in the order of their logs. What was missed while the connection was away is fetched
 * block by block, up to a bound; beyond it the loss is told.
 */
import type { Clock } from "#core/clock.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Random } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import { MARKET_ERROR } from "#market/errors.ts";
import type { AccountWrite } from "#market/source.ts";
import { fetchBlock, fetchTransaction } from "./fetch-transactions.ts";
import { type LiveStream, noStreamCounters, type StreamFilter, type StreamHandlers } from "./live-stream.ts";
import { Retry, type RetryLimits } from "./retry.ts";
import type { RpcNode } from "./rpc-node.ts";
import { readSocketMessage, type SocketNotice } from "./socket-message.ts";

type RpcStreamLimits = RetryLimits & {
  readonly connectMsMax: number;
  readonly silenceMsMax: number;
  /** Slots that are fetched block by block after a loss. */
  readonly fillSlotsMax: number;
  /** Signatures that wait for their slot to be confirmed. */
  readonly signaturesMax: number;
};

const LIMITS: RpcStreamLimits = {
  retryMsMin: 100,
  retryMsMax: 10_000,
  connectMsMax: 5_000,
  silenceMsMax: 30_000,
  fillSlotsMax: 150,
  signaturesMax: 10_000,
};
const CHECK_MS = 100;
/** Slots until a block is confirmed, in good times; asked again until it is. */
const CONFIRMED_BEHIND = 2;
const FETCH_TRIES_MAX = 20;
const FETCH_PAUSE_MS = 100;

export type RpcStreamOptions = {
  readonly name: string;
  readonly wsUrl: string;
  readonly node: RpcNode;
  readonly commitment: "processed" | "confirmed" | "finalized";
  readonly filter: StreamFilter;
  /** Where a feed before this one ended, to go on there as after a loss of its own; without it begins with what is now. */
  readonly fromSlot?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: Partial<RpcStreamLimits>;
};

export function createRpcStream(options: RpcStreamOptions): LiveStream {
  return new RpcStream(options);
}

class RpcStream implements LiveStream {
  readonly name: string;
  readonly counters = noStreamCounters();
  readonly #options: RpcStreamOptions;
  readonly #limits: RpcStreamLimits;
  readonly #retry: Retry;
  #handlers: StreamHandlers = { take: () => {}, broke: () => {} };
  #socket: WebSocket | undefined;
  #end: (why: string) => void = () => {};
  #stopped = false;
  #heardNs = 0;
  #slot: number;
  #requests = 0;
  readonly #subscribed = new Set<string>();
  /** Accounts of slots that are not over. */
  readonly #accounts = new Map<number, Map<Address, AccountWrite>>();
  /** Signatures by slot, in the order of their logs, and whether each was told. */
  readonly #signatures = new Map<number, Set<string>>();
  #fetching: Promise<void> = Promise.resolve();

  constructor(options: RpcStreamOptions) {
    this.name = options.name;
    this.#slot = options.fromSlot ?? 0;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#retry = new Retry(this.#limits, options.random);
  }

  async run(handlers: StreamHandlers): Promise<void> {
    this.#handlers = handlers;
    while (!this.#stopped) {
      const lastSlot = this.#slot;
      const why = await this.#connection(lastSlot);
      if (this.#stopped) return;
      this.#accounts.clear();
      handlers.broke(false);
      this.#options.log.debug("stream lost", { stream: this.name, why });
      await this.#retry.pause();
    }
  }

  refilter(): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#subscribeAccounts();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry.wake();
    this.#end("stopped");
  }

  async #connection(lastSlot: number): Promise<string> {
    const { clock, wsUrl } = this.#options;
    const ended = new Promise<string>((resolve) => {
      this.#end = resolve;
    });
    this.#heardNs = clock.monotonicNs();
    let heard = false;
    const socket = new WebSocket(wsUrl);
    this.#socket = socket;
    this.#subscribed.clear();
    socket.onopen = () => this.#subscribe();
    socket.onmessage = ({ data }) => {
      this.#heardNs = clock.monotonicNs();
      const notice = this.#read(String(data));
      if (notice?.kind === "slot" && !heard) {
        heard = true;
        this.counters.connections++;
        this.#retry.succeeded();
        if (lastSlot > 0 && notice.slot > lastSlot) this.#fill(lastSlot, notice.slot);
      }
      if (notice !== undefined) this.#notice(notice);
    };
    socket.onerror = () => this.#end("no connection");
    socket.onclose = () => this.#end("connection closed");
    const watch = setInterval(() => {
      const silentMs = (clock.monotonicNs() - this.#heardNs) / 1e6;
      if (silentMs <= (heard ? this.#limits.silenceMsMax : this.#limits.connectMsMax)) return;
      this.counters.silences++;
      this.#end("silence");
    }, CHECK_MS);
    const why = await ended;
    clearInterval(watch);
    socket.onmessage = null;
    socket.close();
    return why;
  }

  #ask(method: string, params: readonly unknown[]): void {
    this.#socket?.send(JSON.stringify({ jsonrpc: "2.0", id: ++this.#requests, method, params }));
  }

  #subscribe(): void {
    const { filter, commitment } = this.#options;
    for (const program of filter.programs) {
      this.#ask("logsSubscribe", [{ mentions: [program] }, { commitment }]);
      this.#ask("programSubscribe", [program, { encoding: "base64", commitment }]);
    }
    this.#subscribeAccounts();
    this.#ask("slotSubscribe", []);
  }

  #subscribeAccounts(): void {
    const { filter, commitment } = this.#options;
    for (const address of filter.accounts) {
      if (this.#subscribed.has(address)) continue;
      this.#subscribed.add(address);
      // A notice of accountSubscribe does not name its account: the request's number does, and the answer ties it.
      this.#ask("accountSubscribe", [address, { encoding: "base64", commitment }]);
      this.#asked.set(this.#requests, address);
    }
  }

  /** Addresses by the number of the request, then of the subscription. */
  readonly #asked = new Map<number, Address>();
  readonly #watched = new Map<number, Address>();

  #read(text: string): SocketNotice | undefined {
    try {
      return readSocketMessage(text);
    } catch (thrown) {
      if (!(thrown instanceof SandpiperError)) throw thrown;
      this.counters.malformed++;
      return undefined;
    }
  }

  #notice(notice: SocketNotice): void {
    switch (notice.kind) {
      case "subscribed": {
        const address = this.#asked.get(notice.id);
        this.#asked.delete(notice.id);
        if (address !== undefined) this.#watched.set(notice.subscription, address);
        break;
      }
      case "refused":
        this.#end(`subscription refused: ${notice.why}`);
        break;
      case "slot":
        this.#startSlot(notice.slot, notice.parent, notice.root);
        break;
      case "account": {
        const address = notice.address ?? this.#watched.get(notice.subscription);
        if (address !== undefined) this.#hold(notice.slot, { address, owner: notice.owner, data: notice.data });
        break;
      }
      case "logs":
        this.#remember(notice.slot, notice.signature);
        break;
    }
  }

  #startSlot(slot: number, parent: number, root: number): void {
    this.#slot = Math.max(this.#slot, slot);
    const take = (update: Parameters<StreamHandlers["take"]>[0]) => this.#handlers.take(update, this.#heardNs);
    take({ kind: "slot", slot, parent, status: "createdBank" });
    // No summary comes over this door: a slot with a child is over.
    for (const [held, accounts] of this.#accounts)
      if (held < slot) {
        this.#accounts.delete(held);
        take({ kind: "endOfSlot", slot: held, accounts: [...accounts.values()] });
      }
    take({ kind: "block", slot: parent, parent: parent - 1, blockhash: "", entries: 0, transactions: 0 });
    if (root > 0) take({ kind: "slot", slot: root, parent: undefined, status: "finalized" });
    this.#fetchConfirmed(slot - CONFIRMED_BEHIND);
  }

  #hold(slot: number, account: AccountWrite): void {
    let accounts = this.#accounts.get(slot);
    if (accounts === undefined) {
      accounts = new Map();
      this.#accounts.set(slot, accounts);
    }
    accounts.set(account.address, account);
  }

  #remember(slot: number, signature: string): void {
    let signatures = this.#signatures.get(slot);
    if (signatures === undefined) {
      signatures = new Set();
      this.#signatures.set(slot, signatures);
    }
    if (signatures.size < this.#limits.signaturesMax) signatures.add(signature);
    else this.counters.malformed++;
  }

  #fetchConfirmed(upTo: number): void {
    for (const [slot, signatures] of [...this.#signatures].sort(([a], [b]) => a - b)) {
      if (slot > upTo) return;
      this.#signatures.delete(slot);
      this.#later(async () => {
        for (const signature of signatures) await this.#tellTransaction(signature);
      });
    }
  }

  async #tellTransaction(signature: string): Promise<void> {
    for (let tries = 0; tries < FETCH_TRIES_MAX && !this.#stopped; tries++) {
      const transaction = await fetchTransaction(this.#options.node, signature);
      if (transaction !== undefined) {
        this.#handlers.take({ kind: "transaction", transaction }, this.#options.clock.monotonicNs());
        return;
      }
      await Bun.sleep(FETCH_PAUSE_MS);
    }
    // Its slot was taken back, or the node forgot it.
    this.counters.notResumed++;
  }

  /** Fetches the blocks of the slots that passed while nobody listened. */
  #fill(lastSlot: number, nowSlot: number): void {
    const first = lastSlot;
    if (nowSlot - first > this.#limits.fillSlotsMax) {
      this.counters.notResumed++;
      this.#handlers.broke(true);
      return;
    }
    this.counters.resumed++;
    // Accounts of the slots between are told by nobody: the state has to be read anew.
    this.#handlers.broke(true);
    this.#later(async () => {
      for (let slot = first; slot < nowSlot && !this.#stopped; slot++) {
        await this.#confirmed(slot);
        const transactions = await fetchBlock(this.#options.node, slot, this.#options.filter.programs);
        const arrivedNs = this.#options.clock.monotonicNs();
        for (const transaction of transactions) this.#handlers.take({ kind: "transaction", transaction }, arrivedNs);
        this.#handlers.take(
          { kind: "block", slot, parent: slot - 1, blockhash: "", entries: 0, transactions: 0 },
          arrivedNs,
        );
      }
    });
  }

  /** Before that the node says of a block what it says of a slot without one: nothing. */
  async #confirmed(slot: number): Promise<void> {
    for (let tries = 0; tries < FETCH_TRIES_MAX && !this.#stopped; tries++) {
      if (slot <= this.#slot - CONFIRMED_BEHIND) return;
      await Bun.sleep(FETCH_PAUSE_MS);
    }
  }

  /** One fetch after the other, so that transactions keep their order. */
  #later(work: () => Promise<void>): void {
    this.#fetching = this.#fetching.then(work).catch((thrown: unknown) => {
      if (thrown instanceof SandpiperError && thrown.code === MARKET_ERROR.nodeBusy) this.#handlers.broke(true);
      this.#options.log.warn("transactions not fetched", { stream: this.name, why: errorText(thrown) });
    });
  }
}
