/**
 * One process under watch: started, seen to beat, started again when it ends. Time is the caller's: `tick(nowMs)` is
 * called a few times a second and does whatever is due.
 */
import type { Subprocess } from "bun";
import { EXIT_CODE } from "#core/exit-code.ts";
import type { Log } from "#core/log.ts";
import type { ProcessReport, ProcessState } from "#core/run-report.ts";
import type { ChildSpec } from "./process-table.ts";
import { StallWatch } from "./stall-watch.ts";

/** The first restart comes at once; each further one waits twice as long, up to the longest. */
const RESTART_FIRST_MS = 50;
const RESTART_LONGEST_MS = 5_000;
/** A process that served for this long starts with a clean slate. */
const RESTART_FORGET_MS = 10_000;
/**
 * Without a beat for this long a stall is seen: counted, told, reported. A hot process beats at least every 20 ms, the
 * others every 50 ms and with longer pauses that hurt nobody.
 */
const STALL_SEEN_MS = { hot: 60, other: 1_000 } as const;
/** Without a beat for this long a process is shown as stalled, which is an alarm; after the second figure it is killed. */
const STALL_SHOWN_MS = 1_000;
const STALL_KILLED_MS = 15_000;
/** So many ends in a row before ever serving, and the start as a whole has failed. */
const FAILED_STARTS_MAX = 6;

export type WatchedOptions = {
  readonly spec: ChildSpec;
  readonly core: number | undefined;
  readonly log: Log;
  spawn(): Subprocess;
  /** Its heartbeat: how often it beat, and what it says of itself. */
  readHeartbeat(): { readonly beats: number; readonly state: ProcessState };
  resetHeartbeat(): void;
  /** The run cannot go on: why, and the exit code of the whole. */
  onFatal(why: string, exitCode: number): void;
};

export class WatchedProcess {
  readonly spec: ChildSpec;
  readonly #options: WatchedOptions;
  #child: Subprocess | undefined;
  #stopping = false;
  #restarts = 0;
  #failures = 0;
  #everReady = false;
  #startedAtMs = 0;
  #startAtMs = 0;
  #lastExit = "";
  readonly #stalls: StallWatch;
  /** For its silence, and not ended yet. */
  #killed = false;
  /** Told to end so that it starts again, and not ended yet. */
  #renewing = false;

  constructor(options: WatchedOptions) {
    this.spec = options.spec;
    this.#options = options;
    this.#stalls = new StallWatch(options.spec.hot ? STALL_SEEN_MS.hot : STALL_SEEN_MS.other);
  }

  /** Starts what is due, notices what stalled. */
  tick(nowMs: number): void {
    if (this.#child === undefined) {
      if (!this.#stopping && nowMs >= this.#startAtMs) this.#start(nowMs);
      return;
    }
    const { beats, state } = this.#options.readHeartbeat();
    if (state === "ready") this.#everReady = true;
    if (state === "ready" && nowMs - this.#startedAtMs > RESTART_FORGET_MS) this.#failures = 0;
    this.#lookForStall(beats, state, nowMs);
    if (this.#stalls.silentMs > STALL_KILLED_MS && !this.#killed) {
      this.#options.log.error(`${this.spec.name} did not beat for ${STALL_KILLED_MS} ms: killed`);
      this.#child.kill("SIGKILL");
      this.#killed = true;
    }
  }

  #lookForStall(beats: number, state: ProcessState, nowMs: number): void {
    const seen = this.#stalls.look(beats, state === "ready" && !this.#stopping, nowMs);
    const stalls = this.#stalls.figures.count;
    const silentMs = this.#stalls.silentMs;
    if (seen?.kind === "stalled") this.#options.log.warn(`${this.spec.name} stands still`, { silentMs, stalls });
    if (seen?.kind === "goesOn")
      this.#options.log.info(`${this.spec.name} goes on after a stall`, { lengthMs: seen.lengthMs, stalls });
  }

  get ready(): boolean {
    return this.#child !== undefined && this.#options.readHeartbeat().state === "ready";
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Ends it, to be started again at once: no failure of it. Nothing when it does not run. */
  renew(): void {
    if (this.#child === undefined || this.#stopping) return;
    this.#renewing = true;
    this.#child.kill("SIGTERM");
  }

  signal(signal: NodeJS.Signals): void {
    this.#stopping = true;
    this.#child?.kill(signal);
  }

  report(): ProcessReport {
    return {
      name: this.spec.name,
      pid: this.#child?.pid ?? 0,
      state: this.#state(),
      core: this.#options.core === undefined ? "shared" : String(this.#options.core),
      restarts: this.#restarts,
      startedAtMs: this.#startedAtMs,
      heartbeatAgeMs: this.#child === undefined ? -1 : this.#stalls.silentMs,
      stalls: this.#stalls.figures,
      lastExit: this.#lastExit,
    };
  }

  #state(): ProcessState {
    if (this.#child === undefined) return this.#stopping ? "stopped" : "restarting";
    if (this.#stopping) return "stopping";
    return this.#stalls.silentMs > STALL_SHOWN_MS ? "stalled" : this.#options.readHeartbeat().state;
  }

  #start(nowMs: number): void {
    this.#options.resetHeartbeat();
    this.#startedAtMs = nowMs;
    this.#stalls.restart(nowMs);
    this.#killed = false;
    const child = this.#options.spawn();
    this.#child = child;
    void child.exited.then(() => this.#ended(child, Date.now()));
  }

  #ended(child: Subprocess, nowMs: number): void {
    const { name } = this.spec;
    this.#child = undefined;
    this.#lastExit = child.signalCode ? `killed by ${child.signalCode}` : `exit code ${child.exitCode}`;
    if (this.#stopping) return;
    if (child.exitCode === EXIT_CODE.badInput) {
      this.#options.onFatal(`${name} cannot run with this configuration or input`, EXIT_CODE.badInput);
      return;
    }
    if (this.#renewing && child.exitCode === EXIT_CODE.ok) {
      this.#renewing = false;
      this.#restarts++;
      this.#startAtMs = nowMs;
      return;
    }
    this.#renewing = false;
    this.#failures++;
    if (!this.#everReady && this.#failures >= FAILED_STARTS_MAX) {
      this.#options.onFatal(`${name} ended ${this.#failures} times before it served`, EXIT_CODE.failure);
      return;
    }
    const waitMs = Math.min(RESTART_FIRST_MS * 2 ** (this.#failures - 1), RESTART_LONGEST_MS);
    this.#restarts++;
    this.#startAtMs = nowMs + waitMs;
    this.#options.log.warn(`${name} ended: started again`, { why: this.#lastExit, waitMs, restarts: this.#restarts });
  }
}
