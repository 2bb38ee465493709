/**
 * Yellowstone gRPC as a stream: accounts, transactions, slots and block summaries at one commitment. A connection that
 * breaks goes on from the first slot that was not whole (from_slot); where the server no longer has it, the loss is told
 * and the stream begins anew. A ping goes out now and then, because balancers drop connections that only listen.
 *
 * Messages are taken as bytes from the client's native part and read by our own reader: its general decoder would cost
 * more than all the rest of the feed.
 */

import { SubscribeRequest } from "@triton-one/yellowstone-grpc";
import { GrpcClient } from "@triton-one/yellowstone-grpc/napi";
import type { Clock } from "#core/clock.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import type { Random } from "#core/random.ts";
import { type LiveStream, noStreamCounters, type StreamFilter, type StreamHandlers } from "./live-stream.ts";
import { readUpdate } from "./read-update.ts";
import { Retry, type RetryLimits } from "./retry.ts";
import { SlotTracker } from "./slot-tracker.ts";

type YellowstoneLimits = RetryLimits & {
  readonly connectMsMax: number;
  /** A stream that says nothing for so long is dead. */
  readonly silenceMsMax: number;
  readonly pingMs: number;
};

const LIMITS: YellowstoneLimits = {
  retryMsMin: 100,
  retryMsMax: 10_000,
  connectMsMax: 5_000,
  silenceMsMax: 15_000,
  pingMs: 5_000,
};
const COMMITMENT = { processed: 0, confirmed: 1, finalized: 2 } as const;
/** Accounts in one filter; servers allow no more. */
const FILTER_ACCOUNTS_MAX = 10_000;
const CHECK_MS = 100;
/** Refusals in a row, by a server that is there, after which a resumption is given up. */
const REFUSED_MAX = 2;

export type YellowstoneOptions = {
  readonly name: string;
  readonly url: string;
  /** The server's access token; empty for none. Never shown. */
  readonly token: string;
  readonly commitment: keyof typeof COMMITMENT;
  readonly filter: StreamFilter;
  /** Where a feed before this one ended, to go on there as after a loss of its own; without it begins with what is now. */
  readonly fromSlot?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits?: Partial<YellowstoneLimits>;
};

type Native = Awaited<ReturnType<GrpcClient["subscribe"]>>;

export function createYellowstoneStream(options: YellowstoneOptions): LiveStream {
  return new YellowstoneStream(options);
}

class YellowstoneStream implements LiveStream {
  readonly name: string;
  readonly counters = noStreamCounters();
  readonly #options: YellowstoneOptions;
  readonly #limits: YellowstoneLimits;
  readonly #retry: Retry;
  /** What came over this stream alone, to know where it can go on. */
  #tracker = newTracker();
  #native: Native | undefined;
  #end: (why: string) => void = () => {};
  #stopped = false;
  /** The server took the last connection. */
  #connected = false;
  #heardNs = 0;
  #pings = 0;

  constructor(options: YellowstoneOptions) {
    this.name = options.name;
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#retry = new Retry(this.#limits, options.random);
  }

  async run(handlers: StreamHandlers): Promise<void> {
    let refused = 0;
    let firstSlot = this.#options.fromSlot ?? 0;
    while (!this.#stopped) {
      const fromSlot = this.#tracker.resumeSlot() || firstSlot;
      const { why, heard } = await this.#connection(handlers, fromSlot);
      if (this.#stopped) return;
      // The client does not pass on why a server refuses: one that takes connections and no resumption has forgotten.
      refused = fromSlot > 0 && !heard && this.#connected ? refused + 1 : 0;
      const missing = refused >= REFUSED_MAX;
      if (missing) {
        refused = 0;
        this.#tracker = newTracker();
        firstSlot = 0;
        this.counters.notResumed++;
      }
      handlers.broke(missing);
      this.#options.log.debug("stream lost", { stream: this.name, why: this.#hidden(why), missing });
      if (!missing) await this.#retry.pause();
    }
  }

  refilter(): void {
    this.#native?.writeRaw(this.#request(0)).catch((thrown: unknown) => this.#end(errorText(thrown)));
  }

  stop(): void {
    this.#stopped = true;
    this.#retry.wake();
    this.#end("stopped");
  }

  /** One connection from its start to its end; never rejects. */
  async #connection(handlers: StreamHandlers, fromSlot: number): Promise<{ why: string; heard: boolean }> {
    let heard = false;
    this.#connected = false;
    const ended = new Promise<string>((resolve) => {
      this.#end = resolve;
    });
    this.#heardNs = this.#options.clock.monotonicNs();
    const watch = setInterval(() => this.#watch(heard), CHECK_MS);
    const ping = setInterval(() => this.#ping(), this.#limits.pingMs);
    const reading = this.#read(handlers, fromSlot, () => {
      if (heard) return;
      heard = true;
      this.counters.connections++;
      if (fromSlot > 0) this.counters.resumed++;
      this.#retry.succeeded();
    }).catch((thrown: unknown) => errorText(thrown));
    const why = await Promise.race([ended, reading]);
    clearInterval(watch);
    clearInterval(ping);
    this.#native?.close();
    this.#native = undefined;
    return { why, heard };
  }

  async #read(handlers: StreamHandlers, fromSlot: number, onFirst: () => void): Promise<string> {
    const { url, token, clock } = this.#options;
    const client = await GrpcClient.new(url, token === "" ? undefined : token, undefined, { enabled: false });
    this.#connected = true;
    const native = await client.subscribe(this.#request(fromSlot));
    if (this.#stopped) native.close();
    this.#native = native;
    for (;;) {
      const bytes = await native.read();
      if (bytes == null) return "the server ended the stream";
      if (this.#native !== native) return "superseded";
      this.#heardNs = clock.monotonicNs();
      onFirst();
      this.#take(bytes, handlers);
    }
  }

  #take(bytes: Uint8Array, handlers: StreamHandlers): void {
    try {
      const update = readUpdate(bytes);
      if (update === undefined) return;
      this.#tracker.take(update);
      handlers.take(update, this.#heardNs);
    } catch (thrown) {
      if (!(thrown instanceof SandpiperError)) throw thrown;
      this.counters.malformed++;
    }
  }

  #watch(heard: boolean): void {
    const silentMs = (this.#options.clock.monotonicNs() - this.#heardNs) / 1e6;
    const silentMsMax = heard ? this.#limits.silenceMsMax : this.#limits.connectMsMax;
    if (silentMs <= silentMsMax) return;
    this.counters.silences++;
    this.#end(`silence for ${silentMsMax} ms`);
  }

  #ping(): void {
    const request = SubscribeRequest.fromPartial({ ping: { id: ++this.#pings } });
    this.#native?.writeRaw(encoded(request)).catch((thrown: unknown) => this.#end(errorText(thrown)));
  }

  #request(fromSlot: number): Buffer {
    const { filter, commitment } = this.#options;
    const { programs, accounts } = filter;
    const vaults = [...accounts].slice(0, FILTER_ACCOUNTS_MAX);
    const request = {
      accounts: {
        programs: { owner: [...programs], account: [], filters: [] },
        ...(vaults.length > 0 && { vaults: { owner: [], account: vaults, filters: [] } }),
      },
      transactions: {
        programs: { vote: false, accountInclude: [...programs], accountExclude: [], accountRequired: [] },
      },
      slots: { slots: { filterByCommitment: false, interslotUpdates: true } },
      blocksMeta: { blocks: {} },
      commitment: COMMITMENT[commitment],
      ...(fromSlot > 0 && { fromSlot: `${fromSlot}` }),
    };
    return encoded(SubscribeRequest.fromPartial(request as object));
  }

  /** Servers put the token into their complaints. */
  #hidden(why: string): string {
    const { token } = this.#options;
    return token === "" ? why : why.replaceAll(token, "[hidden]");
  }
}

const newTracker = (): SlotTracker => new SlotTracker({ entries: false, onGap: () => {} });

const encoded = (request: SubscribeRequest): Buffer => Buffer.from(SubscribeRequest.encode(request).finish());
