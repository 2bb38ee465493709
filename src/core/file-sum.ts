/** SHA-256 of a file of any size, as `sha256sum` writes it. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

/** 64 hex digits. Rejects with the file system's error when it cannot be read. */
export async function fileSum(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
