/**
 * Where and how threads of this process run: cores, priority, memory node, memory that stays, and that the process does
 * not outlive its parent. Linux.
 */
import { ptr } from "bun:ffi";
import { SandpiperError } from "#core/error.ts";
import { FFI_ERROR } from "./errors.ts";
import { libc, libcMemory, SYS_SET_MEMPOLICY } from "./libc.ts";

const AFFINITY_BYTES = 128;
const PR_SET_PDEATHSIG = 1;
const PR_SET_NAME = 15;
const SIGKILL = 9;
const PRIO_PROCESS = 0;
const MPOL_PREFERRED = 1;
const NODE_BITS = 64;
/** CURRENT | FUTURE | ONFAULT: what is touched stays, and nothing is read in ahead (CURRENT alone took 6.4 GB). */
const MCL_TOUCHED = 1 | 2 | 4;

const affinity = new Uint8Array(new ArrayBuffer(AFFINITY_BYTES));
const affinityAddress = ptr(affinity);

/** Keeps the calling thread on one core. Threads that it starts afterwards inherit this. */
export function pinThread(core: number): void {
  if (!setThreadCores(0, [core]))
    throw new SandpiperError(FFI_ERROR.thread, `Cannot pin the thread: a core this process may use, was ${core}`);
}

/** Keeps a thread (0: the calling one) on these cores; says whether the kernel agreed. */
export function setThreadCores(threadId: number, cores: readonly number[]): boolean {
  affinity.fill(0);
  for (const core of cores) {
    if (!Number.isSafeInteger(core) || core < 0 || core >= AFFINITY_BYTES * 8)
      throw new SandpiperError(
        FFI_ERROR.thread,
        `Cannot pin the thread: a core from 0 to ${AFFINITY_BYTES * 8 - 1}, was ${core}`,
      );
    affinity[core >> 3] = (affinity[core >> 3] as number) | (1 << (core & 7));
  }
  return libc.sched_setaffinity(threadId, AFFINITY_BYTES, affinityAddress) === 0;
}

/** New pages of the calling thread come from this memory node while it has any; says whether the kernel agreed. */
export function preferMemoryNode(node: number): boolean {
  const mask = new BigUint64Array(new ArrayBuffer(8));
  mask[0] = 1n << BigInt(node);
  return libcMemory.syscall(SYS_SET_MEMPOLICY, MPOL_PREFERRED, ptr(mask), NODE_BITS) === 0;
}

/** Pages that this process touches, now or later, stay in memory; says whether the kernel agreed. */
export function lockTouchedMemory(): boolean {
  return libc.mlockall(MCL_TOUCHED) === 0;
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

/** What top, ps and the kernel's probes call the calling thread; they show 15 characters. */
export function nameThread(name: string): void {
  const text = Buffer.from(`${name}\0`);
  const bytes = new Uint8Array(new ArrayBuffer(text.length));
  bytes.set(text);
  libc.prctl(PR_SET_NAME, ptr(bytes), 0, 0, 0);
}

/** Priority of the calling thread: -20 (first) to 19 (last). Below 0 needs privileges; says whether it was granted. */
export function setNice(nice: number): boolean {
  return libc.setpriority(PRIO_PROCESS, 0, Math.trunc(nice)) === 0;
}
