/**
 * The native TPU engine: quinn in native/src/tpu.rs, with a congestion controller of choice. It owns the UDP socket on a
 * thread of its own, bounds every wait, and wakes this thread once for a list of ends. "Accepted" here means that the
 * leader's transport has acknowledged every byte.
 */
import type { Config } from "#core/config.ts";
import { SandpiperError } from "#core/error.ts";
import { loadNative } from "#core/native.ts";
import { EXECUTE_ERROR } from "#execute/errors.ts";
import type { TlsIdentity } from "./certificate.ts";
import { IN_FLIGHT_MAX, RECONNECT_MS, type TpuAnswer, type TpuEngine } from "./tpu-engine.ts";

export type NativeTpuOptions = {
  readonly identity: TlsIdentity;
  /** quinn's three, and CUBIC with a gain that follows the leader's slots (native/congestion). */
  readonly controller: Config["execute.tpuController"];
  readonly reconnectMs?: number;
};

/** Of one connection. */
export type TpuPath = {
  readonly windowBytes: number;
  readonly rttNs: number;
  readonly sentPackets: number;
  readonly lostPackets: number;
};

type End = { readonly ticket: number; readonly kind: number; readonly why: string };
type Counters = { readonly handshakes: number; readonly resumptions: number; readonly handshakeNs: number };
type Engine = {
  readonly counters: Counters;
  prepare(address: string, ticket: number): void;
  send(address: string, ticket: number, wire: Uint8Array): void;
  takeEnds(): readonly End[];
  lead(address: string | undefined): void;
  isConnected(address: string): boolean;
  path(address: string): TpuPath | null;
  close(): void;
};
type Native = {
  readonly TpuEngine: new (
    options: {
      readonly certificateDer: Uint8Array;
      readonly keyDer: Uint8Array;
      readonly controller: string;
      readonly reconnectMs: number;
    },
    wake: () => void,
  ) => Engine;
};

/** The module without this class is one that was built before it. */
const tooOld = { missing: "native/ is older than this source: bun scripts/build-native.ts" };
const REASONS = ["accepted", "rejected", "unanswered"] as const;
const TICKETS = 2 ** 32;
/** Keeps the process alive while something is on its way. */
const ALIVE_MS = 60_000;

/** Why the native engine cannot be had; undefined when it can. */
export function nativeTpuMissing(): string | undefined {
  const native = loadNative<Native>();
  if ("missing" in native) return native.missing;
  return native.TpuEngine === undefined ? tooOld.missing : undefined;
}

/** Throws a SandpiperError when the module is not built. */
export class NativeTpuClient implements TpuEngine {
  readonly name = "native";
  inFlight = 0;
  sent = 0;
  failed = 0;
  readonly #engine: Engine;
  readonly #waiting = new Map<number, (answer: TpuAnswer) => void>();
  #ticket = 0;
  #alive: Timer | undefined;

  constructor(options: NativeTpuOptions) {
    const native = loadNative<Native>();
    if ("missing" in native || native.TpuEngine === undefined)
      throw new SandpiperError(
        EXECUTE_ERROR.route,
        `Cannot open the native TPU engine: the built module, was ${"missing" in native ? native.missing : tooOld.missing}`,
      );
    const { identity, controller, reconnectMs = RECONNECT_MS } = options;
    const keyDer = identity.key.export({ format: "der", type: "pkcs8" });
    const { certificateDer } = identity;
    this.#engine = new native.TpuEngine({ certificateDer, keyDer, controller, reconnectMs }, () => this.#settle());
  }

  get handshakes(): number {
    return this.#engine.counters.handshakes;
  }
  get resumptions(): number {
    return this.#engine.counters.resumptions;
  }
  get handshakeNs(): number {
    return this.#engine.counters.handshakeNs;
  }

  async prepare(address: string): Promise<boolean> {
    const { kind } = await this.#call((ticket) => this.#engine.prepare(address, ticket));
    return kind === "accepted";
  }

  async send(address: string, wire: Uint8Array): Promise<TpuAnswer> {
    if (this.inFlight >= IN_FLIGHT_MAX)
      return { kind: "rejected", why: `${IN_FLIGHT_MAX} transactions are on their way` };
    this.inFlight++;
    const answer = await this.#call((ticket) => this.#engine.send(address, ticket, wire));
    this.inFlight--;
    if (answer.kind === "accepted") this.sent++;
    else this.failed++;
    return answer;
  }

  lead(address: string | undefined): void {
    this.#engine.lead(address);
  }

  isConnected(address: string): boolean {
    return this.#engine.isConnected(address);
  }

  /** Undefined without a connection. */
  path(address: string): TpuPath | undefined {
    return this.#engine.path(address) ?? undefined;
  }

  /** What is still on its way is unanswered. */
  async close(): Promise<void> {
    this.#engine.close();
    this.#settle();
    for (const ticket of this.#waiting.keys()) this.#end(ticket, { kind: "unanswered", why: "the engine was closed" });
  }

  #call(start: (ticket: number) => void): Promise<TpuAnswer> {
    const ticket = this.#ticket++ % TICKETS;
    this.#alive ??= setInterval(() => {}, ALIVE_MS);
    const { promise, resolve } = Promise.withResolvers<TpuAnswer>();
    this.#waiting.set(ticket, resolve);
    start(ticket);
    return promise;
  }

  #settle(): void {
    for (const { ticket, kind, why } of this.#engine.takeEnds()) {
      const reason = REASONS[kind] ?? "unanswered";
      this.#end(ticket, reason === "accepted" ? { kind: reason } : { kind: reason, why });
    }
  }

  #end(ticket: number, answer: TpuAnswer): void {
    this.#waiting.get(ticket)?.(answer);
    this.#waiting.delete(ticket);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#alive);
    this.#alive = undefined;
  }
}
