/**
 * One agent's desk for commands, without bus or disk: messages in, the switchboard set and signed answers out. An order
 * stands on the switchboard before anything is written down, so that a kill waits for no disk; what came of a batch is one
 * Answered, which its caller keeps (answer-file.ts) and then says.
 *
 * A message belongs to this agent when it is keyed by the agent's module; what is signed must name the same module.
 */
import { createHash } from "node:crypto";
import type { SigningKey } from "#control/ed25519.ts";
import { type Refusal, refusal } from "#control/errors.ts";
import { admitCommand, type GateOptions } from "#control/gate.ts";
import { GUARD_KEY_ID } from "#control/key-files.ts";
import type { KeySet } from "#control/keys.ts";
import type { NonceFile } from "#control/nonces.ts";
import type { TwoPersonRule } from "#control/two-person.ts";
import { SIGNATURE_ALGORITHM } from "#control/verify.ts";
import type { Clock } from "#core/clock.ts";
import type { PolicyFields, Switchboard } from "#memory/switchboard.ts";
import { type Ack, type AnswerName, ackSigningBytes, encodeAck } from "#wire/ack.ts";
import { encodeAudit } from "#wire/audit.ts";
import { type Command, decodeCommand, type ModuleName } from "#wire/command.ts";
import { type AgentState, policyIn, stateAfter } from "./agent-state.ts";
import type { Answer, Answered, TakenNonce } from "./answer-file.ts";
import { policyChange } from "./policy-change.ts";

export type CommandDeskOptions = {
  readonly agent: string;
  readonly module: ModuleName;
  readonly keys: () => KeySet;
  readonly nonces: Pick<NonceFile, "last" | "hasRoom">;
  readonly twoPerson: TwoPersonRule;
  readonly ackKey: { readonly id: string; readonly key: SigningKey };
  readonly switchboard: Pick<Switchboard, "writePolicy">;
  /** What holds where no command said otherwise. */
  readonly configured: PolicyFields;
  readonly clock: Pick<Clock, "wallNs">;
  /** Told how often an operator has started this agent, at once and after each order. */
  readonly onStarts?: (starts: number) => void;
};
export type CommandMessage = { readonly offset: number; readonly value: Uint8Array };
export type Batch = Answered & {
  /** The answers that were not given before. */
  readonly fresh: readonly Answer[];
  /** A restart was ordered: after this batch was kept and said. */
  readonly restart: boolean;
};

type Verdict = {
  readonly answer: AnswerName;
  readonly reason: string;
  readonly words: string;
  readonly requestId: string;
};

const REQUEST_ID_LENGTH_MAX = 128;
const WORDS_LENGTH_MAX = 400;
const UINT64_MAX = (1n << 64n) - 1n;
const NO_BYTES = new Uint8Array(0);

export class CommandDesk {
  readonly #options: CommandDeskOptions;
  #kept: Answered;
  #state: AgentState;
  #sequence: bigint;

  /** Takes up where `kept` left off: the switchboard says so when this returns. */
  constructor(kept: Answered, options: CommandDeskOptions) {
    this.#options = options;
    this.#kept = kept;
    this.#state = kept.state;
    this.#sequence = kept.sequence;
    this.#setSwitchboard();
  }

  get state(): AgentState {
    return this.#state;
  }

  /** Carries out a batch in its order; what was answered before and is handed out again is passed over. */
  answer(messages: readonly CommandMessage[]): Batch {
    const nonces = new BatchNonces(this.#options.nonces);
    const again: Answer[] = [];
    const answers: Answer[] = [];
    let restart = false;
    for (const { offset, value } of messages) {
      const digest = createHash("sha256").update(value).digest();
      const sha256 = digest.toString("hex");
      const given = this.#kept.answers.find((known) => known.offset === offset && known.sha256 === sha256);
      if (given !== undefined) {
        again.push(given);
        continue;
      }
      const before = this.#state;
      const { verdict, restarts } = this.#carryOut(value, nonces);
      restart ||= restarts;
      const change = policyChange({ ...this.#options, requestId: verdict.requestId }, before, this.#state);
      const policy = change && encodeAudit(this.#options.clock.wallNs(), change);
      answers.push({ offset, sha256, ack: this.#signed(verdict, digest), ...(policy && { policy }) });
    }
    const { taken } = nonces;
    this.#kept = { sequence: this.#sequence, state: this.#state, answers: [...again, ...answers], nonces: taken };
    return { ...this.#kept, fresh: answers, restart };
  }

  /** The answers were said and the bus hands their commands out no more. */
  forgetAnswers(): Answered {
    this.#kept = { sequence: this.#sequence, state: this.#state, answers: [], nonces: [] };
    return this.#kept;
  }

  #carryOut(value: Uint8Array, nonces: BatchNonces): { verdict: Verdict; restarts: boolean } {
    const { keys, twoPerson, clock, module } = this.#options;
    const command = decoded(value);
    const requestId = (command?.requestId ?? "").slice(0, REQUEST_ID_LENGTH_MAX).toWellFormed();
    if (command !== undefined && command.module !== module)
      return no(refusal("module", `a command for ${module}`, command.module), requestId);
    const gate: GateOptions = { keys: keys(), nonces, twoPerson, clock };
    const admission = admitCommand(value, gate);
    if (!admission.ok) return no(admission.error, requestId);
    const { kind } = admission.value;
    if (kind === "secondKeyNeeded") {
      const words = `another key must sign the same command before ${admission.value.untilSeconds}`;
      return { verdict: { answer: "secondKeyNeeded", reason: "", words, requestId }, restarts: false };
    }
    const { order, keyIds } = admission.value;
    const byGuard = keyIds.every((id) => id === GUARD_KEY_ID);
    this.#state = stateAfter(this.#state, order, byGuard);
    this.#setSwitchboard();
    const words = `${order.kind} by ${keyIds.join(" and ")}`;
    return { verdict: { answer: "applied", reason: "", words, requestId }, restarts: order.kind === "restart" };
  }

  #setSwitchboard(): void {
    this.#options.switchboard.writePolicy(policyIn(this.#state, this.#options.configured));
    this.#options.onStarts?.(this.#state.starts);
  }

  #signed({ words, ...verdict }: Verdict, commandSha256: Uint8Array): Uint8Array {
    const { agent, configured, clock, ackKey } = this.#options;
    const policy = policyIn(this.#state, configured);
    this.#sequence += 1n;
    const bare: Ack = {
      ...verdict,
      words: words.slice(0, WORDS_LENGTH_MAX).toWellFormed(),
      agent,
      trading: this.#state.trading,
      throttlePct: policy.throttlePct,
      evMinLamports: BigInt(policy.evMinLamports),
      tipLadderLamports: policy.tipLadderLamports.map(BigInt),
      atNs: clock.wallNs(),
      commandSha256: Uint8Array.from(commandSha256),
      sequence: this.#sequence,
      sig: NO_BYTES,
      pubkeyId: ackKey.id,
      sigAlg: SIGNATURE_ALGORITHM,
    };
    return encodeAck({ ...bare, sig: ackKey.key.sign(ackSigningBytes(bare)) });
  }
}

/** The nonces of a batch that are not on disk yet, over those that are. */
class BatchNonces {
  readonly taken: TakenNonce[] = [];
  readonly #last = new Map<string, bigint>();
  #added = 0;

  constructor(private readonly file: Pick<NonceFile, "last" | "hasRoom">) {}

  last(stream: string): bigint | undefined {
    const last = this.#last.get(stream) ?? this.file.last(stream);
    // A stream that finds no place has no number left.
    return last === undefined && !this.file.hasRoom(this.#added) ? UINT64_MAX : last;
  }

  take(stream: string, nonce: bigint): void {
    if (!this.#last.has(stream) && this.file.last(stream) === undefined) this.#added++;
    this.#last.set(stream, nonce);
    this.taken.push([stream, nonce]);
  }
}

function no({ name, words }: Refusal, requestId: string): { verdict: Verdict; restarts: boolean } {
  return { verdict: { answer: "refused", reason: name, words, requestId }, restarts: false };
}

/** For what a refusal says; the gate decodes again, and judges. */
function decoded(value: Uint8Array): Command | undefined {
  try {
    return decodeCommand(value);
  } catch {
    return undefined;
  }
}
