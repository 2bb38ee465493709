/**
 * Watches the acks go by, for whoever gave a command and wants to know what came of it. An ack answers the very bytes of a command
 * (its hash), not a request id that anybody may write; it counts when it is signed by the agent that it names.
 */
import type { Bus, Consumer } from "#bus/bus.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { type Ack, ackSigningBytes, decodeAck } from "#wire/ack.ts";
import type { VerifyingKey } from "./ed25519.ts";
import { SIGNATURE_ALGORITHM } from "./verify.ts";

/** Commands whose acks are remembered; the oldest gives way. */
const COMMANDS_MAX = 4_096;
const POLL_MAX = 1_000;
const WAIT_MS = 250;
const RETRY_MS = 100;

export type AckWatchOptions = {
  readonly bus: Pick<Bus, "consumer">;
  readonly keys: ReadonlyMap<string, VerifyingKey>;
  readonly log: Log;
};

/** The ack when it is one and signed by its agent; undefined otherwise. */
function verifiedAck(bytes: Uint8Array, keys: ReadonlyMap<string, VerifyingKey>): Ack | undefined {
  try {
    const ack = decodeAck(bytes);
    const known = ack.sigAlg === SIGNATURE_ALGORITHM && ack.pubkeyId === `ack-${ack.agent}`;
    return known && keys.get(ack.agent)?.verifies(ackSigningBytes(ack), ack.sig) === true ? ack : undefined;
  } catch {
    return undefined;
  }
}

export class AckWatch {
  readonly #options: AckWatchOptions;
  readonly #consumer: Consumer;
  /** By the command's hash and then by agent. */
  readonly #acks = new Map<string, Map<string, Ack>>();
  readonly #waiting = new Set<() => void>();
  readonly #running: Promise<void>;
  #stopping = false;
  /** Messages on the topic that no agent of ours signed. */
  foreign = 0;

  constructor(options: AckWatchOptions) {
    this.#options = options;
    this.#consumer = options.bus.consumer({
      group: "ack-watch",
      topics: ["control-acks-proto"],
      start: "next",
      ephemeral: true,
    });
    this.#running = this.#run();
  }

  /** Acks of what is published from then on will be seen. */
  ready(): Promise<void> {
    return this.#consumer.ready();
  }

  /** The acks of these agents, at the latest those that came within `timeoutMs`. */
  async wait(commandSha256: string, agents: readonly string[], timeoutMs: number): Promise<readonly Ack[]> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const acks = this.#acks.get(commandSha256);
      const leftMs = deadline - performance.now();
      if (agents.every((agent) => acks?.has(agent)) || leftMs <= 0 || this.#stopping)
        return [...(acks?.values() ?? [])];
      await this.#next(leftMs);
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#running;
    await this.#consumer.close();
  }

  #next(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      try {
        if (!(await this.#consumer.wait(WAIT_MS))) continue;
        for (const { value } of await this.#consumer.poll(POLL_MAX)) this.#take(value);
        this.#wake();
      } catch (thrown) {
        this.#options.log.warn("acks cannot be read now", { why: errorText(thrown) });
        await Bun.sleep(RETRY_MS);
      }
    }
  }

  #take(bytes: Uint8Array): void {
    const ack = verifiedAck(bytes, this.#options.keys);
    if (ack === undefined) {
      this.foreign += 1;
      return;
    }
    const sha256 = Buffer.from(ack.commandSha256).toString("hex");
    const acks = this.#acks.get(sha256) ?? new Map<string, Ack>();
    acks.set(ack.agent, ack);
    this.#acks.set(sha256, acks);
    const oldest = this.#acks.keys().next();
    if (this.#acks.size > COMMANDS_MAX && oldest.done !== true) this.#acks.delete(oldest.value);
  }
}
