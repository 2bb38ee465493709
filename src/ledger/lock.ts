/**
 * One writer per folder: a listening socket in Linux's abstract namespace, named after the folder's device and inode. The
 * kernel gives the name to one process and takes it back when that process is gone, however it died; there is no file to
 * go stale. It holds within one network namespace: writers in separate containers must not share a folder.
 */
import { statSync } from "node:fs";
import { createServer } from "node:net";
import { errorText, SandpiperError } from "#core/error.ts";
import { LEDGER_ERROR } from "./errors.ts";

/** Resolves with the release. */
export function lockFolder(folder: string): Promise<() => void> {
  const { dev, ino } = statSync(folder);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new SandpiperError(
          LEDGER_ERROR.busy,
          `Cannot append to ${folder}: no other writer, was ${errorText(cause)}`,
          "later",
          { cause },
        ),
      ),
    );
    server.listen({ path: `\0sandpiper-ledger-${dev}-${ino}` }, () => {
      server.unref();
      resolve(() => void server.close());
    });
  });
}
