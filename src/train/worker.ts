/**
 * Commands of a job, each a process group of its own at the lowest priority (training/low_priority.py), which dies with
 * the trainer. What it writes on standard output is handed on line by line.
 */
import { SandpiperError } from "#core/error.ts";
import { TRAIN_ERROR } from "./errors.ts";
import type { TrainingPython } from "./python.ts";

/** A step that takes longer is ended: no fit of 2,000 trees on a million rows needs as much. */
const STEP_MS_MAX = 3_600_000;
const LINE_BYTES_MAX = 64 * 1024;
const WORDS_MAX = 500;

export type WorkerOptions = {
  readonly python: TrainingPython;
  readonly trainingDir: string;
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Ends the worker. */
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
  readonly onStart?: (pid: number) => void;
};

/** Resolves with everything it wrote. Throws a SandpiperError with the worker's own last words; retry "later" when it was killed. */
export async function runWorker(command: readonly string[], options: WorkerOptions): Promise<string> {
  const { python, trainingDir, signal } = options;
  signal.throwIfAborted();
  const child = Bun.spawn([python.python, `${trainingDir}/low_priority.py`, ...command], {
    cwd: options.cwd,
    env: {
      ...process.env,
      ...{ OMP_NUM_THREADS: "1", OMP_WAIT_POLICY: "passive", PYTHONDONTWRITEBYTECODE: "1" },
      PATH: `${python.bin}:${process.env["PATH"] ?? ""}`,
      ...options.environment,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  options.onStart?.(child.pid);
  const end = () => killGroup(child.pid);
  signal.addEventListener("abort", end);
  const tooLong = setTimeout(end, STEP_MS_MAX);
  try {
    const [said, wrong] = await Promise.all([
      readLines(child.stdout, options.onLine ?? (() => undefined)),
      new Response(child.stderr).text(),
    ]);
    const code = await child.exited;
    signal.throwIfAborted();
    if (code === 0) return said;
    const killed = child.signalCode !== null;
    const words = (wrong.trim() || said.trim()).replaceAll(/\s+/g, " ").slice(-WORDS_MAX);
    throw new SandpiperError(
      TRAIN_ERROR.worker,
      `Cannot train: a worker that ends with 0, was ${killed ? `killed by ${child.signalCode}` : `${code}: ${words}`}`,
      killed ? "later" : "never",
    );
  } finally {
    clearTimeout(tooLong);
    signal.removeEventListener("abort", end);
  }
}

/** The group has the child's own number (setsid); before that call it is the child alone. */
function killGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<string> {
  const decoder = new TextDecoder();
  let [said, rest] = ["", ""];
  for await (const bytes of stream) {
    const text = decoder.decode(bytes, { stream: true });
    said = (said + text).slice(-LINE_BYTES_MAX);
    const lines = (rest + text).split("\n");
    rest = (lines.pop() ?? "").slice(-LINE_BYTES_MAX);
    for (const line of lines) onLine(line);
  }
  return said;
}
