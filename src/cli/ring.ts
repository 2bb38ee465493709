/** `sandpiper ring FILE`: what is in a ring of /dev/shm, its processes alive or dead. Exit code 1 when it is damaged. */
import { readFileSync } from "node:fs";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { inspectRing } from "#memory/inspect-ring.ts";
import { CLI_ERROR } from "./errors.ts";

/** Records that are shown: the ones that a consumer would take next. */
const SHOWN_MAX = 8;
const SHOWN_BYTES = 32;

export async function runRing(args: readonly string[]): Promise<number> {
  const [path, ...more] = args;
  if (path === undefined || more.length > 0)
    throw new SandpiperError(CLI_ERROR.usage, `Cannot read a ring: ring FILE, was ${args.length} arguments`);
  const bytes = readRing(path);
  const { layout, capacity, head, tail, parked, waiting, damage } = inspectRing(bytes.buffer);
  const unit = layout === "slots" ? "slots" : "bytes";
  const lines = [
    `${path}: ${layout === "slots" ? "fixed slots" : "byte records"}, capacity ${capacity} ${unit}`,
    `head ${head}, tail ${tail}: ${waiting.length} records committed and not released${parked ? "; the consumer is parked" : ""}`,
    ...waiting.slice(0, SHOWN_MAX).map(({ byteOffset, length, kind }) => {
      const shown = Buffer.from(bytes.subarray(byteOffset, byteOffset + Math.min(length, SHOWN_BYTES))).toString("hex");
      return `  byte ${byteOffset}, ${length} bytes, kind ${kind}: ${shown}${length > SHOWN_BYTES ? "…" : ""}`;
    }),
    ...damage.map((what) => `DAMAGED: ${what}`),
    damage.length === 0 ? "whole" : "not whole",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return damage.length === 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
}

function readRing(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new SandpiperError(CLI_ERROR.usage, `Cannot read a ring: a file, was ${errorText(cause)}`, "never", {
      cause,
    });
  }
}
