/**
 * Recorded blocks: the JSON that `getBlock` answers with encoding "json", plain or gzip, bare or inside the RPC's
 * `result`. A block is checked whole before anything of it is used; whatever is wrong is one SandpiperError that names
 * the file and the place.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { errorText, SandpiperError } from "#core/error.ts";
import { parseBlock, type RecordedBlock } from "./block-shape.ts";
import { MARKET_ERROR } from "./errors.ts";

const FILE_BYTES_MAX = 1_073_741_824;
const FILES_MAX = 1_000_000;
const BLOCK_FILE = /\.json(\.gz)?$/;

/** The block files of a file or folder, in slot order as far as their names tell. */
export function blockFiles(path: string): readonly string[] {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return refuse(path, "a file or a folder", "nothing there");
  if (!info.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => BLOCK_FILE.test(name));
  if (names.length === 0 || names.length > FILES_MAX)
    return refuse(path, `1 to ${FILES_MAX} files named *.json or *.json.gz`, `${names.length}`);
  return names.sort((a, b) => slotInName(a) - slotInName(b) || (a < b ? -1 : 1)).map((name) => join(path, name));
}

export function readBlockFile(path: string): RecordedBlock {
  let text: string;
  try {
    const size = statSync(path).size;
    if (size > FILE_BYTES_MAX) refuse(path, `at most ${FILE_BYTES_MAX} bytes`, `${size}`);
    const bytes = readFileSync(path);
    text = (isGzip(bytes) ? gunzipSync(bytes, { maxOutputLength: FILE_BYTES_MAX }) : bytes).toString("utf8");
  } catch (cause) {
    if (cause instanceof SandpiperError) throw cause;
    return refuse(path, "a readable file, plain or whole gzip", errorText(cause), cause);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse(path, "whole JSON", errorText(cause), cause);
  }
  return parseBlock(json, slotInName(path), (place, want, was) => refuse(path, `${place} to be ${want}`, was));
}

/** The last number in a file's name, as recorders name their blocks; 0 without one. */
function slotInName(path: string): number {
  return Number(/(\d{1,15})\D*$/.exec(basename(path))?.[1] ?? 0);
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function refuse(path: string, want: string, was: string, cause?: unknown): never {
  throw new SandpiperError(MARKET_ERROR.block, `Cannot read recorded block ${path}: ${want}, was ${was}`, "never", {
    cause,
  });
}
