/**
 * Signs of life of every process, in one region that the supervisor creates and watches. Each process has a cache line
 * of its own, at its place in PROCESS_NAMES:
 *
 *   byte 0  u32 beats   grows by one per beat and wraps; the watcher looks for change, not for a value
 *        4  u32 state   place in STATES
 *        8  u32 pid     of the process that beats; 0 before it first began
 */
import { SandpiperError } from "#core/error.ts";
import { PROCESS_NAMES, type ProcessState } from "#core/run-report.ts";
import { MEMORY_ERROR } from "./errors.ts";

const LINE_BYTES = 64;
/** Places are part of the layout: add at the end only. */
const STATES = [
  "starting",
  "ready",
  "stalled",
  "restarting",
  "stopping",
  "stopped",
] as const satisfies readonly ProcessState[];

/** Size of the table. */
export const HEARTBEAT_BYTES = PROCESS_NAMES.length * LINE_BYTES;

/** The line of one process, for that process to write. */
export class Heartbeat {
  readonly #words: Uint32Array;

  constructor(buffer: ArrayBufferLike, processIndex: number) {
    this.#words = lineOf(buffer, processIndex);
  }

  beat(): void {
    Atomics.add(this.#words, 0, 1);
  }

  /** A new life of the process begins. */
  begin(pid: number): void {
    Atomics.store(this.#words, 2, pid);
    this.setState("starting");
  }

  setState(state: ProcessState): void {
    Atomics.store(this.#words, 1, STATES.indexOf(state));
  }
}

type HeartbeatLine = { readonly beats: number; readonly state: ProcessState; readonly pid: number };

export function readHeartbeat(buffer: ArrayBufferLike, processIndex: number): HeartbeatLine {
  const words = lineOf(buffer, processIndex);
  const state = STATES[Atomics.load(words, 1)] ?? "starting";
  return { beats: Atomics.load(words, 0), state, pid: Atomics.load(words, 2) };
}

function lineOf(buffer: ArrayBufferLike, processIndex: number): Uint32Array {
  if (buffer.byteLength < HEARTBEAT_BYTES || !(processIndex in PROCESS_NAMES))
    throw new SandpiperError(
      MEMORY_ERROR.heartbeatTable,
      `Cannot use heartbeat ${processIndex}: one of ${PROCESS_NAMES.length} lines in ${HEARTBEAT_BYTES} bytes, was ${buffer.byteLength} bytes`,
    );
  return new Uint32Array(buffer, processIndex * LINE_BYTES, 3);
}
