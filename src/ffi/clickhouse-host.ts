/**
 * Runs ClickHouse inside this process: libchdb's command line entry, which blocks the calling thread until the queries
 * given to it end. So this is for a process of its own that does nothing else and dies with the one that started it.
 */
import { dlopen, ptr } from "bun:ffi";
import { errorText, SandpiperError } from "#core/error.ts";
import { FFI_ERROR } from "./errors.ts";
import { dieWithParent } from "./thread.ts";

export type ClickhouseHostOptions = {
  /** Full path of libchdb.so. */
  readonly library: string;
  /** Format schemas are looked up in the working folder. */
  readonly workingFolder: string;
  /** As on the command line of `clickhouse local`, without the program's name. */
  readonly arguments: readonly string[];
  readonly parentPid: number;
};

/** Returns when the engine has stopped; what went wrong stands on stderr then, in ClickHouse's words. */
export function runClickhouse(options: ClickhouseHostOptions): void {
  dieWithParent(options.parentPid);
  process.chdir(options.workingFolder);
  const symbols = open(options.library);
  const texts = ["clickhouse", ...options.arguments].map((text) => new TextEncoder().encode(`${text}\0`));
  // Storage of its own: that of a small typed array may move, and ClickHouse keeps the pointers.
  const bytes = new Uint8Array(new ArrayBuffer(texts.reduce((sum, text) => sum + text.length, 0)));
  const addresses = new BigUint64Array(new ArrayBuffer(texts.length * BigUint64Array.BYTES_PER_ELEMENT));
  const start = BigInt(ptr(bytes));
  let used = 0;
  texts.forEach((text, i) => {
    bytes.set(text, used);
    addresses[i] = start + BigInt(used);
    used += text.length;
  });
  symbols.chdb_query_cmdline(texts.length, ptr(addresses));
}

function open(library: string) {
  try {
    return dlopen(library, { chdb_query_cmdline: { args: ["i32", "ptr"], returns: "ptr" } }).symbols;
  } catch (cause) {
    throw new SandpiperError(
      FFI_ERROR.clickhouse,
      `Cannot load ClickHouse: libchdb for this processor in ${library}, was ${errorText(cause)}`,
      "never",
      { cause },
    );
  }
}
