/**
 * The last answers of an agent with all that must not be forgotten about them, replaced as one file before they are said:
 *
 *   {"version": 1, "sequence": "41", "state": {…}, "answers": [{"offset": 7, "sha256": "…", "ack": "…", "policy": "…"}],
 *    "nonces": [["stream", "9"]]}
 *
 * Whatever dies in between, the next life finds what was decided, takes the nonces that were not taken yet, says the acks
 * that were not said yet, and passes over commands that the bus hands out again. A file that cannot be read stops the
 * agent: without it, it would not know whether it was killed.
 */

import { CONTROL_ERROR } from "#control/errors.ts";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { TIP_LADDER_MAX } from "#memory/switchboard.ts";
import { type AgentState, FIRST_STATE } from "./agent-state.ts";

export type Answer = {
  /** Where on the bus the command stood. */
  readonly offset: number;
  /** SHA-256 of the command in hexadecimal digits. */
  readonly sha256: string;
  /** The signed ack. */
  readonly ack: Uint8Array;
  /** The event for the ledger (wire/audit.ts) when the order changed the limits: said before the ack. */
  readonly policy?: Uint8Array | undefined;
};
export type TakenNonce = readonly [stream: string, nonce: bigint];

export type Answered = {
  /** Of the newest ack. */
  readonly sequence: bigint;
  readonly state: AgentState;
  readonly answers: readonly Answer[];
  readonly nonces: readonly TakenNonce[];
};

const NOTHING_YET: Answered = { sequence: 0n, state: FIRST_STATE, answers: [], nonces: [] };
const TRADING = ["running", "stopped", "killed"];
const VERSION = 1;

/** Throws a SandpiperError when the file is there and cannot be understood. */
export function readAnswers(path: string): Answered {
  try {
    const value = readJsonFile(path);
    return value === undefined ? NOTHING_YET : parse(value);
  } catch (thrown) {
    const text = `Cannot read the control state ${path}: the file as an agent wrote it, was ${errorText(thrown)}`;
    throw new SandpiperError(CONTROL_ERROR.stateFile, text);
  }
}

/** Durable when it returns; throws what the disk says. */
export function writeAnswers(path: string, { sequence, state, answers, nonces }: Answered): void {
  const text = JSON.stringify({
    version: VERSION,
    sequence: String(sequence),
    state,
    answers: answers.map(({ ack, policy, ...rest }) => ({
      ...rest,
      ack: Buffer.from(ack).toString("base64"),
      ...(policy !== undefined && { policy: Buffer.from(policy).toString("base64") }),
    })),
    nonces: nonces.map(([stream, nonce]) => [stream, String(nonce)]),
  });
  writeFileAtomic(path, text, 0o600);
}

function parse(value: unknown): Answered {
  const { version, sequence, state, answers, nonces } = record(value);
  if (version !== VERSION) throw new Error(`version ${String(version)}`);
  return {
    sequence: whole(sequence),
    state: parseState(state),
    answers: list(answers).map((item) => {
      const { offset, sha256, ack, policy } = record(item);
      if (typeof offset !== "number") throw new Error("an answer without offset");
      return {
        ...{ offset, sha256: text(sha256), ack: bytes(ack) },
        ...(policy !== undefined && { policy: bytes(policy) }),
      };
    }),
    nonces: list(nonces).map((pair) => {
      const [stream, nonce] = list(pair);
      return [text(stream), whole(nonce)];
    }),
  };
}

function parseState(value: unknown): AgentState {
  const { trading, throttlePct, guardThrottlePct, starts, evMinLamports, tipLadderLamports } = record(value);
  const known = TRADING.find((name) => name === trading);
  if (known === undefined) throw new Error(`trading ${String(trading)}`);
  const tips = tipLadderLamports === undefined ? undefined : list(tipLadderLamports).map(number);
  if (tips !== undefined && (tips.length < 1 || tips.length > TIP_LADDER_MAX)) throw new Error(`${tips.length} tips`);
  return {
    // One of TRADING.
    trading: known as AgentState["trading"],
    throttlePct: share(throttlePct),
    guardThrottlePct: share(guardThrottlePct),
    starts: number(starts),
    ...(evMinLamports === undefined ? {} : { evMinLamports: number(evMinLamports) }),
    ...(tips === undefined ? {} : { tipLadderLamports: tips }),
  };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("no object");
  return value as Record<string, unknown>;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error("no list");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Error("no text");
  return value;
}

const bytes = (value: unknown): Uint8Array => Uint8Array.from(Buffer.from(text(value), "base64"));

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error("no number");
  return value;
}

function share(value: unknown): number {
  const pct = number(value);
  if (!(pct >= 0 && pct <= 100)) throw new Error(`a throttle of ${pct} %`);
  return pct;
}

function whole(value: unknown): bigint {
  if (typeof value !== "string" || !/^\d{1,20}$/.test(value)) throw new Error("no whole number");
  return BigInt(value);
}
