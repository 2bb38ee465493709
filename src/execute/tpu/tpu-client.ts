/**
 * The built-in TPU engine, on node:quic. One UDP socket for all leaders; a connection is opened ahead, kept alive, and
 * resumed with the ticket of the one before it.
 *
 * A stream that closed was handed to the leader's transport, which is no proof that the transaction was read: whether it
 * landed, only the ledger knows. What a leader does not let through in time (its stream credit is used up) is given up,
 * counted and said; nothing waits without a bound.
 */
import { errorText } from "#core/error.ts";
import { pemOf, type TlsIdentity } from "./certificate.ts";
import { connect, QuicEndpoint, type QuicSession, type SessionOptions } from "./quic.ts";
import { IN_FLIGHT_MAX, RECONNECT_MS, type TpuAnswer, type TpuEngine } from "./tpu-engine.ts";

export type TpuClientOptions = {
  readonly identity: TlsIdentity;
  /** Least time between two attempts to reach a leader that does not answer. */
  readonly reconnectMs?: number;
  readonly monotonicNs: () => number;
};

const ALPN = "solana-tpu";
/** What validators put there; nobody checks it. */
const SERVER_NAME = "connect";
const KEEP_ALIVE_MS = 1_000;
const HANDSHAKE_MS_MAX = 2_000;
const STREAM_MS_MAX = 2_000;
/** Leaders that are connected at once; the one that was not used for longest goes. */
const LEADERS_MAX = 32;

type Leader = {
  session: Promise<QuicSession> | undefined;
  open: QuicSession | undefined;
  ticket: Buffer | undefined;
  token: Buffer | undefined;
  failedNs: number;
  usedNs: number;
};

export class TpuClient implements TpuEngine {
  readonly name = "builtin";
  inFlight = 0;
  sent = 0;
  failed = 0;
  handshakes = 0;
  resumptions = 0;
  handshakeNs = 0;
  readonly #options: TpuClientOptions;
  readonly #endpoint = new QuicEndpoint();
  readonly #leaders = new Map<string, Leader>();

  constructor(options: TpuClientOptions) {
    this.#options = options;
  }

  async prepare(address: string): Promise<boolean> {
    try {
      await this.#session(address);
      return true;
    } catch {
      return false;
    }
  }

  async send(address: string, wire: Uint8Array): Promise<TpuAnswer> {
    if (this.inFlight >= IN_FLIGHT_MAX)
      return { kind: "rejected", why: `${IN_FLIGHT_MAX} transactions are on their way` };
    this.inFlight++;
    let opened = false;
    try {
      const session = await this.#session(address);
      opened = true;
      const stream = await within(session.createUnidirectionalStream({ body: wire }), STREAM_MS_MAX, "a stream");
      await within(stream.closed, STREAM_MS_MAX, "stream credit");
      this.sent++;
      return { kind: "accepted" };
    } catch (thrown) {
      this.failed++;
      const why = errorText(thrown);
      return opened ? { kind: "unanswered", why } : { kind: "rejected", why: `the leader ${address}: ${why}` };
    } finally {
      this.inFlight--;
    }
  }

  /** node:quic's controllers know nothing of slots. */
  lead(): void {}

  isConnected(address: string): boolean {
    return this.#leaders.get(address)?.open !== undefined;
  }

  async close(): Promise<void> {
    const sessions = [...this.#leaders.values()].flatMap(({ open }) => (open === undefined ? [] : [open]));
    this.#leaders.clear();
    await Promise.all(sessions.map((session) => within(Promise.resolve(session.close()), HANDSHAKE_MS_MAX, "an end")));
  }

  async #session(address: string): Promise<QuicSession> {
    const now = this.#options.monotonicNs();
    const leader = this.#leader(address);
    leader.usedNs = now;
    if (leader.session !== undefined) return leader.session;
    const reconnectNs = (this.#options.reconnectMs ?? RECONNECT_MS) * 1e6;
    if (leader.failedNs > 0 && now - leader.failedNs < reconnectNs) throw new Error("it did not answer a moment ago");
    leader.session = this.#connect(address, leader);
    try {
      return await leader.session;
    } catch (thrown) {
      leader.failedNs = this.#options.monotonicNs();
      leader.session = undefined;
      throw thrown;
    }
  }

  async #connect(address: string, leader: Leader): Promise<QuicSession> {
    const { identity, monotonicNs } = this.#options;
    const startNs = monotonicNs();
    // Newer than the types: keepAlive in ms.
    const options: SessionOptions & { readonly keepAlive: number } = {
      endpoint: this.#endpoint,
      alpn: ALPN,
      servername: SERVER_NAME,
      keys: [identity.key],
      certs: [Buffer.from(pemOf(identity.certificateDer))],
      verifyPeer: "manual",
      rejectUnauthorized: false,
      keepAlive: KEEP_ALIVE_MS,
      ...(leader.ticket !== undefined && { sessionTicket: leader.ticket }),
      ...(leader.token !== undefined && { token: leader.token }),
      // The types say object; it is the ticket's bytes.
      onsessionticket: (ticket) => {
        leader.ticket = ticket as Buffer;
      },
      onnewtoken: (token: Buffer) => {
        leader.token = token;
      },
      // The end is seen by `closed`; without a listener it would end the process.
      onerror: () => {},
    };
    const resumed = leader.ticket !== undefined;
    const session = await within(connect(address, options), HANDSHAKE_MS_MAX, "a connection");
    void session.closed.catch(() => {}).then(() => this.#ended(leader, session));
    await within(session.opened, HANDSHAKE_MS_MAX, "a handshake");
    leader.open = session;
    leader.failedNs = 0;
    this.handshakes++;
    if (resumed) this.resumptions++;
    this.handshakeNs = monotonicNs() - startNs;
    return session;
  }

  #ended(leader: Leader, session: QuicSession): void {
    if (leader.open !== session) return;
    leader.open = undefined;
    leader.session = undefined;
  }

  #leader(address: string): Leader {
    const known = this.#leaders.get(address);
    if (known !== undefined) return known;
    if (this.#leaders.size >= LEADERS_MAX) {
      const [oldest] = [...this.#leaders].sort(([, a], [, b]) => a.usedNs - b.usedNs);
      if (oldest !== undefined) {
        this.#leaders.delete(oldest[0]);
        void oldest[1].open?.close();
      }
    }
    const leader: Leader = {
      session: undefined,
      open: undefined,
      ticket: undefined,
      token: undefined,
      failedNs: 0,
      usedNs: 0,
    };
    this.#leaders.set(address, leader);
    return leader;
  }
}

/** What takes longer than it may is given up; its late end is nobody's. */
async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: Timer | undefined;
  work.catch(() => {});
  try {
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms} ms`)), ms);
    });
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
