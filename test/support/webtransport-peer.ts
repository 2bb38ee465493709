/** The independent reader of webtransport-peer.py in an environment of its own (PyPI, pinned), for a test and for benches. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { file_realtime } from "#wire/gen/realtime_pb.js";

const PACKAGES = ["aioquic==1.7.2", "zstandard==0.25.0", "protobuf==7.36.2"];
const VENV = join(tmpdir(), `sandpiper-webtransport-peer-${process.getuid?.() ?? 0}`);
const PYTHON = join(VENV, "bin", "python");
const INSTALL_MS_MAX = 240_000;

type PeerSeconds = {
  readonly messages: number;
  readonly datagrams: number;
  readonly streams: number;
  readonly bytes: number;
  readonly agesMs: readonly number[];
  readonly items: readonly (readonly [way: string, kind: string, id: string, netLamports: string])[];
};
export type WebTransportPeer = {
  /** HTTP status of the session, "200" when it is open. */
  readonly status: string;
  /** Everything that was said so far, second by second. */
  readonly seconds: readonly PeerSeconds[];
  stop(): Promise<void>;
};

/** Why the packages cannot be installed, or undefined when they are there. */
export function installWebTransportPeer(): string | undefined {
  const steps = [
    ...(existsSync(PYTHON) ? [] : [["python3", "-m", "venv", VENV]]),
    [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES],
  ];
  for (const step of steps) {
    try {
      const { exitCode, stderr } = Bun.spawnSync(step, { stdin: "ignore", stdout: "ignore", timeout: INSTALL_MS_MAX });
      if (exitCode !== 0) return stderr.toString().trim().split("\n").at(-1) ?? `exit code ${exitCode}`;
    } catch (thrown) {
      return String(thrown);
    }
  }
  return undefined;
}

/** Opens a session on the gateway at `port`. `items`: names each message, for a test. */
export async function startWebTransportPeer(port: number, items: boolean): Promise<WebTransportPeer> {
  const origin = `http://127.0.0.1:${port}`;
  const answer = (await (await fetch(`${origin}/api/realtime`)).json()) as {
    webtransport: { port: number; certificate_sha256: string[] } | null;
  };
  if (answer.webtransport === null) throw new Error("Cannot open a session: WebTransport, was off");
  const descriptor = Buffer.from(toBinary(FileDescriptorProtoSchema, file_realtime.proto)).toString("hex");
  const job = { descriptor, origin, items, port: answer.webtransport.port };
  const child = Bun.spawn([PYTHON, join(import.meta.dir, "webtransport-peer.py")], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  child.stdin.write(`${JSON.stringify({ ...job, sha256: answer.webtransport.certificate_sha256[0] })}\n`);
  await child.stdin.flush();
  const seconds: PeerSeconds[] = [];
  const opened = Promise.withResolvers<string>();
  const reading = readLines(child.stdout, (line) => {
    const said = JSON.parse(line) as PeerSeconds | { readonly status: string };
    if ("status" in said) opened.resolve(said.status);
    else seconds.push(said);
  });
  void child.exited.then((code) => opened.reject(new Error(`Cannot open a session: it ended with ${code}`)));
  return {
    status: await opened.promise,
    seconds,
    stop: async () => {
      await child.stdin.end();
      await reading;
      await child.exited;
    },
  };
}

async function readLines(stream: ReadableStream<Uint8Array>, line: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let held = "";
  for await (const bytes of stream) {
    const lines = (held + decoder.decode(bytes, { stream: true })).split("\n");
    held = lines.pop() ?? "";
    lines.forEach(line);
  }
}
