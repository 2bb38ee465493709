/**
 * Giving commands from a process: signs with one key, under one issuer, and puts the command on the bus. The API and the
 * guard do it this way; the agents judge what they send like anybody's.
 */
import { createHash, randomUUID } from "node:crypto";
import type { Bus } from "#bus/bus.ts";
import type { Clock } from "#core/clock.ts";
import { type ActionName, COMMAND_SCHEMA_VERSION, decodeCommand, type ModuleName } from "#wire/command.ts";
import type { SigningKey } from "./ed25519.ts";
import { NonceFile } from "./nonces.ts";
import { signCommand } from "./sign.ts";

export type CommanderOptions = {
  readonly bus: Pick<Bus, "publish">;
  readonly key: SigningKey;
  /** Under which the agents know the key. */
  readonly keyId: string;
  /** Who gives commands when a request does not say. */
  readonly issuer: string;
  /** Where the nonces are kept; one process owns the file. */
  readonly noncesPath: string;
  readonly clock: Pick<Clock, "wallNs">;
};
export type CommandRequest = {
  readonly module: ModuleName;
  readonly action: ActionName;
  readonly args?: ReadonlyMap<string, string>;
  /** Made up when left out. */
  readonly requestId?: string;
  readonly issuer?: string;
};
/** A command that is on the bus; acks name its hash. */
export type SentCommand = { readonly requestId: string; readonly sha256: string };

/** One key, which numbers the commands of each issuer. Throws a SandpiperError when the nonce file cannot be used. */
export class Commander {
  readonly #options: CommanderOptions;
  readonly #nonces: NonceFile;

  constructor(options: CommanderOptions) {
    this.#options = options;
    this.#nonces = new NonceFile(options.noncesPath);
  }

  /** The canonical bytes of the signed command. Throws a SandpiperError when its arguments make no order. */
  sign(request: CommandRequest): Uint8Array {
    const { key, keyId, clock } = this.#options;
    const { module, action, args = new Map(), requestId = randomUUID(), issuer = this.#options.issuer } = request;
    const nowNs = clock.wallNs();
    const unsigned = {
      tsSeconds: nowNs / 1_000_000_000n,
      module,
      action,
      args,
      requestId,
      issuer,
      schemaVersion: COMMAND_SCHEMA_VERSION,
    };
    // Signed once to find what is wrong with it before a number is used up.
    signCommand({ ...unsigned, nonce: 1n }, key, keyId);
    return signCommand({ ...unsigned, nonce: nextNonce(this.#nonces, issuer, nowNs) }, key, keyId);
  }

  /** Resolves when the command is durable on the bus. */
  send(request: CommandRequest): Promise<SentCommand> {
    return publishCommand(this.#options.bus, this.sign(request));
  }

  close(): void {
    this.#nonces.close();
  }
}

/** Puts a signed command on the bus. Throws a SandpiperError for bytes that are no command. */
export async function publishCommand(bus: Pick<Bus, "publish">, bytes: Uint8Array): Promise<SentCommand> {
  const { module, requestId } = decodeCommand(bytes);
  await bus.publish("control-commands-proto", module, bytes);
  return { requestId, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** The time in microseconds, or one above the last that was used: a clock that steps back gives no nonce twice. */
export function nextNonce(nonces: NonceFile, issuer: string, nowNs: bigint): bigint {
  const last = nonces.last(issuer) ?? 0n;
  const nowUs = nowNs / 1_000n;
  const nonce = nowUs > last ? nowUs : last + 1n;
  nonces.take(issuer, nonce);
  return nonce;
}
