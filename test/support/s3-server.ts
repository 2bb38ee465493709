/** A real S3-compatible server (s3rver) on loopback for tests: a process and a folder of its own, one bucket, `cold`. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, until } from "#store/test-engine.ts";

export type S3Server = {
  readonly endpoint: string;
  /** The objects that the bucket holds now. */
  objects(): string[];
  close(): Promise<void>;
};

/** The one account that s3rver knows. */
export const S3_KEY = { keyId: "S3RVER", secret: "S3RVER" } as const;
const BUCKET = "cold";
const COMMAND = fileURLToPath(import.meta.resolve("s3rver/bin/s3rver.js"));

export async function startS3Server(): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-s3-"));
  const port = await freePort();
  const where = ["--address", "127.0.0.1", "--port", String(port), "--directory", folder];
  const child = Bun.spawn(["node", COMMAND, ...where, "--configure-bucket", BUCKET, "--silent"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/`, { keepalive: false }).then(
      () => true,
      () => false,
    );
  await until(isUp, (up) => up);
  return {
    endpoint: `http://127.0.0.1:${port}/${BUCKET}/sandpiper/`,
    objects: () => {
      const bucket = join(folder, BUCKET);
      if (!existsSync(bucket)) return [];
      return readdirSync(bucket, { recursive: true })
        .map(String)
        .filter((name) => name.endsWith("_object"));
    },
    close: async () => {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
