/**
 * One program of tuning/trace/ under bpftrace, as a child process: it prints its maps every second, and ends with us. Where
 * the kernel does not let it, it says why and what would help.
 */
import type { Subprocess } from "bun";
import type { ThreadReport } from "#core/run-report.ts";
import type { TraceHistogram, TraceProgramReport } from "#core/trace-report.ts";
import { type TraceMaps, takeLine } from "./output.ts";
import type { TraceProgram } from "./programs.ts";

const BPFTRACE = "bpftrace";
/** bpftrace prints its maps once more before it ends. */
const END_MS_MAX = 5_000;
const PRINT_EVERY_S = 1;
/** What it says of a limit that does not keep it from running. */
const HARMLESS = /RLIMIT_MEMLOCK/;

/** What a complaint of bpftrace means to a person. */
const HINTS: readonly (readonly [complaint: RegExp, hint: string])[] = [
  [/root user/, "run it as root"],
  [/tracepoint not found/, "a kernel that has it, and mount -t tracefs none /sys/kernel/tracing"],
  [/Operation not permitted|EPERM|lockdown/, "CAP_BPF and CAP_PERFMON, and no lockdown of the kernel"],
];

type Child = Subprocess<"ignore", "pipe", "pipe">;

export class TraceRun {
  readonly #program: TraceProgram;
  readonly #seated: readonly ThreadReport[];
  readonly #maps: TraceMaps = { histograms: new Map(), numbers: new Map() };
  #state: TraceProgramReport["state"] = "loading";
  #why = "";
  #child: Child | undefined;
  #stopping = false;
  /** Resolves when it has ended, or could not begin. */
  readonly ended: Promise<void>;

  constructor(program: TraceProgram, seated: readonly ThreadReport[]) {
    this.#program = program;
    this.#seated = seated;
    this.ended = this.#run();
  }

  report(): TraceProgramReport {
    return { program: this.#program.name, state: this.#state, why: this.#why, histograms: this.#histograms() };
  }

  /** What ran on the cores when these threads had to give way, the most frequent first. */
  intruders(): readonly (readonly [name: string, times: number])[] {
    return [...(this.#maps.numbers.get("@others") ?? [])].sort(([, a], [, b]) => b - a);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child?.kill("SIGINT");
    const deadline = setTimeout(() => this.#child?.kill("SIGKILL"), END_MS_MAX);
    await this.ended;
    clearTimeout(deadline);
  }

  async #run(): Promise<void> {
    const parameters = this.#program.parameters(this.#seated);
    const path = Bun.which(BPFTRACE);
    if (path === null) return this.#refuse(`${BPFTRACE} on the PATH (Debian: apt install ${BPFTRACE}), was none`);
    if (parameters.length === 0) return this.#refuse("a thread to watch, was none in the run's report");
    // -p: it ends when this process does, however that happens.
    const own = ["-p", String(process.pid), "-B", "line", "-f", "json", "-e", printing(this.#program)];
    const child = Bun.spawn([path, ...own, ...parameters.map(String)], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#child = child;
    const [complaints] = await Promise.all([new Response(child.stderr).text(), this.#read(child), child.exited]);
    const said = complaints.split("\n").filter((line) => /ERROR|error/.test(line) && !HARMLESS.test(line));
    const hint = HINTS.find(([complaint]) => complaint.test(complaints))?.[1];
    const why = `${said.at(-1)?.trim() ?? `exit code ${child.exitCode}`}${hint === undefined ? "" : `: ${hint}`}`;
    if (this.#state === "loading" && !this.#stopping) return this.#refuse(why);
    this.#state = "ended";
    if (!this.#stopping) this.#why = why;
  }

  async #read({ stdout }: Child): Promise<void> {
    const text = new TextDecoder();
    let rest = "";
    for await (const bytes of stdout) {
      const lines = (rest + text.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (takeLine(this.#maps, line)) this.#state = "watching";
    }
  }

  #refuse(why: string): void {
    this.#state = "refused";
    this.#why = why;
  }

  #histograms(): TraceHistogram[] {
    return Object.entries(this.#program.maps).flatMap(([map, figure]) =>
      [...(this.#maps.histograms.get(map) ?? [])].map(([key, buckets]) => ({
        figure,
        of: this.#program.of(key, this.#seated),
        buckets,
        sumUs: this.#maps.numbers.get(`${map}_sum`)?.get(key) ?? 0,
      })),
    );
  }
}

/** The program, and what it says each second: the sums first, so that no sum is of more values than its buckets. */
function printing({ text, maps }: TraceProgram): string {
  const names = Object.keys(maps).flatMap((map) => [`${map}_sum`, map]);
  return `${text}\ninterval:s:${PRINT_EVERY_S} { ${names.map((map) => `print(${map});`).join(" ")} }\n`;
}
