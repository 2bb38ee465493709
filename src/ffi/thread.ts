/** Where and how the calling thread runs: its core, its priority, and that it does not outlive its parent. Linux. */
import { ptr } from "bun:ffi";
import { SandpiperError } from "#core/error.ts";
import { FFI_ERROR } from "./errors.ts";
import { libc } from "./libc.ts";

const AFFINITY_BYTES = 128;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const PRIO_PROCESS = 0;

const affinity = new Uint8Array(new ArrayBuffer(AFFINITY_BYTES));
const affinityAddress = ptr(affinity);

/** Keeps the calling thread on one core. Threads that it starts afterwards inherit this. */
export function pinThread(core: number): void {
  if (!Number.isSafeInteger(core) || core < 0 || core >= AFFINITY_BYTES * 8)
    throw new SandpiperError(
      FFI_ERROR.thread,
      `Cannot pin the thread: a core from 0 to ${AFFINITY_BYTES * 8 - 1}, was ${core}`,
    );
  affinity.fill(0);
  affinity[core >> 3] = 1 << (core & 7);
  if (libc.sched_setaffinity(0, AFFINITY_BYTES, affinityAddress) !== 0)
    throw new SandpiperError(FFI_ERROR.thread, `Cannot pin the thread: a core this process may use, was ${core}`);
}

/**
 * The kernel kills this process (SIGKILL, so that nothing holds its ports) as soon as the one that started it is gone.
 * `parentPid` is who that should be: a parent that died before this call is noticed too.
 */
export function dieWithParent(parentPid = process.ppid): void {
  if (libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) !== 0)
    throw new SandpiperError(FFI_ERROR.thread, "Cannot follow the parent: prctl(PR_SET_PDEATHSIG), was refused");
  if (libc.getppid() !== parentPid) process.kill(process.pid, "SIGKILL");
}

/** Priority of the calling thread: -20 (first) to 19 (last). Below 0 needs privileges; says whether it was granted. */
export function setNice(nice: number): boolean {
  return libc.setpriority(PRIO_PROCESS, 0, Math.trunc(nice)) === 0;
}
