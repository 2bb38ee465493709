/**
 * `sandpiper trace [--seconds N]`: watches a run from inside the kernel with the programs of tuning/trace/, beside it and
 * without touching it: what its threads wait for a core, and where its datagrams spend their time. Until Ctrl-C or for N
 * seconds; the histograms are in the run's /metrics meanwhile, and printed at the end.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfig } from "#core/read-config.ts";
import { readRunReport, type ThreadReport } from "#core/run-report.ts";
import { type TraceHistogram, writeTraceReport } from "#core/trace-report.ts";
import { TraceRun } from "#supervise/trace/bpftrace.ts";
import { seatedThreads, TRACE_PROGRAMS } from "#supervise/trace/programs.ts";
import { CLI_ERROR } from "./errors.ts";
import { takeFlag } from "./replay-input.ts";

const REPORT_EVERY_MS = 1_000;
const INTRUDERS_SHOWN = 8;

/** Exit code 65 where the kernel lets none of them; 1 when one of them ended by itself. */
export async function runTrace(args: readonly string[]): Promise<number> {
  const rest = [...args];
  const seconds = Number(takeFlag(rest, "--seconds") ?? Number.POSITIVE_INFINITY);
  if (!(seconds > 0))
    throw new SandpiperError(CLI_ERROR.usage, `Cannot trace: --seconds above 0, was ${args.join(" ")}`);
  const { config } = readConfig(rest, process.env);
  const paths = runPaths(config.dataDir);
  const threadsNow = () => seatedThreads(readRunReport(paths.runReport));
  const watched = threadsNow();
  if (watched.length === 0)
    throw new SandpiperError(
      CLI_ERROR.trace,
      `Cannot trace: a run under ${config.dataDir} whose threads the kernel counts, was none`,
      "later",
    );
  const asked = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => asked.resolve());
  const trace = new Trace(paths.traceReport, watched);
  await trace.watch(threadsNow, asked.promise, seconds);
  process.stdout.write(trace.text());
  return trace.exitCode;
}

/** The programs on the threads of the moment: when a process was started again, they begin anew. */
class Trace {
  #runs: readonly TraceRun[];
  #watched: readonly ThreadReport[];
  readonly #path: string;

  constructor(path: string, watched: readonly ThreadReport[]) {
    this.#path = path;
    this.#watched = watched;
    this.#runs = startOn(watched);
    process.stdout.write(`watching ${watched.map(({ name, id, core }) => `${name} (${id}, ${core})`).join(", ")}\n`);
  }

  async watch(threadsNow: () => readonly ThreadReport[], asked: Promise<void>, seconds: number): Promise<void> {
    let leftMs = seconds * 1_000;
    void asked.then(() => {
      leftMs = 0;
    });
    while (leftMs > 0 && this.#going().length > 0) {
      this.#write();
      const before = Date.now();
      await Promise.race([
        Bun.sleep(Math.min(REPORT_EVERY_MS, leftMs)),
        asked,
        ...this.#going().map((run) => run.ended),
      ]);
      // Loading takes seconds, and none of the time that was asked for.
      if (this.#reports().some(({ state }) => state === "watching")) leftMs -= Date.now() - before;
      const now = threadsNow();
      if (leftMs > 0 && now.length > 0 && idsOf(now) !== idsOf(this.#watched)) await this.#startAgain(now);
    }
    await this.#stop();
    this.#write();
  }

  get exitCode(): number {
    if (this.#reports().every(({ state }) => state === "refused")) return EXIT_CODE.badInput;
    return this.#reports().some(({ state, why }) => state === "ended" && why !== "") ? EXIT_CODE.failure : EXIT_CODE.ok;
  }

  text(): string {
    const rows = this.#reports().flatMap(({ histograms }) => histograms.map(rowOf));
    const failed = this.#reports().filter(({ why }) => why !== "");
    const intruders = this.#runs.flatMap((run) => run.intruders()).slice(0, INTRUDERS_SHOWN);
    const gaveWay = intruders.map(([name, times]) => `${name} ${times}`).join(", ");
    return [
      ...(rows.length === 0 ? [] : [line(["", "count", "mean", "p50", "p99", "max"]), ...rows]),
      ...(gaveWay === "" ? [] : [`gave way to: ${gaveWay}`]),
      ...failed.map(({ program, why }) => `Cannot watch ${program}: ${why}`),
      "",
    ].join("\n");
  }

  #reports() {
    return this.#runs.map((run) => run.report());
  }

  #going() {
    return this.#runs.filter((run) => ["loading", "watching"].includes(run.report().state));
  }

  async #startAgain(threads: readonly ThreadReport[]): Promise<void> {
    await this.#stop();
    this.#watched = threads;
    this.#runs = startOn(threads);
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.stop()));
  }

  #write(): void {
    writeTraceReport(this.#path, { atMs: Date.now(), programs: this.#reports() });
  }
}

const startOn = (threads: readonly ThreadReport[]) => TRACE_PROGRAMS.map((program) => new TraceRun(program, threads));
const idsOf = (threads: readonly ThreadReport[]) => threads.map(({ id }) => id).join();

/** µs; of buckets, so quantiles and the maximum are bounds. */
function rowOf({ figure, of, buckets, sumUs }: TraceHistogram): string {
  const count = buckets.reduce((sum, [, inside]) => sum + inside, 0);
  const below = (share: number) => {
    let seen = 0;
    for (const [belowUs, inside] of buckets) {
      seen += inside;
      if (seen >= share * count) return `< ${belowUs} µs`;
    }
    return "";
  };
  const mean = `${Math.round(sumUs / count)} µs`;
  return line([`${figure} ${of}`.trim(), String(count), mean, below(0.5), below(0.99), below(1)]);
}

function line([what = "", ...figures]: readonly string[]): string {
  return `${what.padEnd(30)}${figures.map((figure) => figure.padStart(13)).join("")}`;
}
