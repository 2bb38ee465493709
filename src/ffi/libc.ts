/**
 * The few functions of the C library that this room uses, opened once. Linux only, x86-64 and arm64. Nothing here returns
 * a 64-bit integer as a BigInt (it would allocate), and every pointer handed over is to memory this room keeps alive.
 */
import { dlopen } from "bun:ffi";
import { errorText, SandpiperError } from "#core/error.ts";
import { FFI_ERROR } from "./errors.ts";

const SYMBOLS = {
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  adjtimex: { args: ["ptr"], returns: "i32" },
  sched_setaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" },
  setpriority: { args: ["i32", "i32", "i32"], returns: "i32" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i32" },
  mlockall: { args: ["i32"], returns: "i32" },
  getppid: { args: [], returns: "i32" },
  // The shape of futex(2): number, address, operation, value, timeout, address 2, value 3.
  syscall: { args: ["i32", "ptr", "i32", "i32", "ptr", "ptr", "i32"], returns: "i32" },
} as const;

/** syscall(2) once more, in the shape of set_mempolicy(2): number, mode, node mask, bits of the mask. */
const MEMORY_SYMBOLS = { syscall: { args: ["i32", "i32", "ptr", "u64"], returns: "i32" } } as const;

function open<const S extends Parameters<typeof dlopen>[1]>(symbols: S) {
  try {
    return dlopen("libc.so.6", symbols).symbols;
  } catch (cause) {
    throw new SandpiperError(
      FFI_ERROR.libc,
      `Cannot open the C library: libc.so.6 of Linux with glibc, was ${errorText(cause)}`,
      "never",
      { cause },
    );
  }
}

export const libc = open(SYMBOLS);
export const libcMemory = open(MEMORY_SYMBOLS);

/** The number of futex(2) on this processor. */
export const SYS_FUTEX = process.arch === "arm64" ? 98 : 202;
/** The number of set_mempolicy(2) on this processor. */
export const SYS_SET_MEMPOLICY = process.arch === "arm64" ? 237 : 238;
