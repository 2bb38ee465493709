/**
 * A child process that opens a model library and asks it: whatever a bad library does, it does it there. The child's
 * program is one function, handed over as text, so that it needs no file beside a compiled Sandpiper; it may therefore
 * use nothing from outside itself.
 */

/** What the child is asked to do. */
type Trial = {
  readonly path: string;
  /** Functions of the table that must be there and answer numbers. */
  readonly functions: readonly ("predict_mev" | "predict_arb" | "calibrate_tip")[];
  /** Golden rows to compare with (docs/judges.md). */
  readonly goldenPath?: string;
};

/** What the child saw. */
export type ModelReport = {
  readonly featureCount: number;
  readonly defaultThreshold: number;
  readonly has: readonly string[];
  readonly rows: number;
  /** Per function named in the golden rows: rows compared and the largest difference; 1e300 when one side is no number. */
  readonly parity: readonly {
    readonly name: string;
    readonly rows: number;
    readonly largest: number;
    /** Rows that differ by more than PARITY_MAX. */
    readonly differing: number;
    /** Line of the file, from 1, of the largest difference; 0 when there is none. */
    readonly worstLine: number;
  }[];
  /** ns of one call on one row, through bun:ffi. */
  readonly latencyNsP50: number;
  readonly latencyNsP99: number;
};

export type TrialEnd =
  | { readonly report: ModelReport; readonly why?: undefined }
  | { readonly report?: undefined; readonly why: string };

const TRIAL_MS_MAX = 20_000;
/** Largest difference of a probability that still counts as the same answer. */
export const PARITY_MAX = 1e-6;
const MARK = "\nreport: ";

/** Waits; for starts. */
export function tryInChildSync(trial: Trial): TrialEnd {
  const child = Bun.spawnSync([process.execPath, "-e", PROGRAM], { ...spawnOptions(trial), timeout: TRIAL_MS_MAX });
  return readEnd(child.stdout.toString(), child.stderr.toString(), child.exitCode, child.signalCode);
}

/** Does not hold up this thread. */
export async function tryInChild(trial: Trial): Promise<TrialEnd> {
  const child = Bun.spawn([process.execPath, "-e", PROGRAM], {
    ...spawnOptions(trial),
    timeout: TRIAL_MS_MAX,
    killSignal: "SIGKILL",
  });
  const [said, wrong] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return readEnd(said, wrong, child.exitCode, child.signalCode);
}

const spawnOptions = (trial: Trial) =>
  ({
    // A compiled Sandpiper behaves as Bun itself when asked to.
    env: { BUN_BE_BUN: "1", PATH: process.env["PATH"] ?? "", SANDPIPER_TRIAL: JSON.stringify(trial) },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  }) as const;

function readEnd(
  said: string,
  wrong: string,
  exitCode: number | null,
  signal: string | number | null | undefined,
): TrialEnd {
  const at = said.lastIndexOf(MARK);
  if (exitCode === 0 && at >= 0) return { report: JSON.parse(said.slice(at + MARK.length)) as ModelReport };
  const words = wrong.match(/error: (.*)/i)?.[1] ?? "";
  return { why: `${signal ?? `exit ${exitCode}`} ${words}`.trim() };
}

/** Runs in the child. Throws for what is no model. */
async function tryLibrary(parityMax: number, mark: string): Promise<void> {
  const { CFunction, dlopen, read } = await import("bun:ffi");
  const { readFileSync } = await import("node:fs");
  const trial = JSON.parse(process.env["SANDPIPER_TRIAL"] as string) as Trial;
  const offsets: Record<string, number> = { predict_mev: 16, predict_arb: 24, calibrate_tip: 32 };
  const { symbols } = dlopen(trial.path, { model_abi_v1_export: { args: [], returns: "ptr" } });
  const table = symbols.model_abi_v1_export();
  // What is wrong with a table the parent says, in words.
  const readable = table !== null && read.u32(table, 0) === 1;
  const featureCount = readable ? read.u32(table, 4) : 0;
  const open = (name: string) => {
    const ptr = readable ? read.ptr(table, offsets[name] as number) : 0;
    return ptr === 0 ? undefined : CFunction({ ptr: ptr as never, args: ["ptr", "usize"], returns: "f32" });
  };
  const has = Object.keys(offsets).filter((name) => open(name) !== undefined);
  const row = new Float32Array(new ArrayBuffer(4 * Math.min(4_096, Math.max(1, featureCount))));
  let latencies: number[] = [];
  for (const name of trial.functions) {
    const call = open(name);
    if (call === undefined || featureCount === 0) continue;
    for (const value of [() => 0, () => 1, (i: number) => (i * 37) % 11]) {
      for (let i = 0; i < row.length; i++) row[i] = value(i);
      if (!Number.isFinite(call(row, row.length))) throw new Error("a score that is no number");
    }
    const taken: number[] = [];
    const until = Bun.nanoseconds() + 1e9;
    while (taken.length < 4_000 && Bun.nanoseconds() < until) {
      row[taken.length % row.length] = taken.length % 7;
      const from = Bun.nanoseconds();
      call(row, row.length);
      taken.push(Bun.nanoseconds() - from);
    }
    // The first half warmed up the processor and the compiler.
    latencies = taken.slice(taken.length >> 1).sort((a, b) => a - b);
  }
  const parity: { name: string; rows: number; largest: number; differing: number; worstLine: number }[] = [];
  let rows = 0;
  if (trial.goldenPath !== undefined && readable) {
    const lines = readFileSync(trial.goldenPath, "utf8").split(/\r?\n/);
    const header = (lines[0] ?? "").split(",");
    const checks = header.flatMap((name, column) => (Object.hasOwn(offsets, name) ? [{ name, column }] : []));
    const features = header.flatMap((name, column) => (Object.hasOwn(offsets, name) ? [] : [column]));
    if (features.length !== featureCount)
      throw new Error(`golden rows of ${features.length} features for a library of ${featureCount}`);
    if (checks.length === 0) throw new Error("golden rows without a column of a function");
    const numberOf = (text: string | undefined): number => {
      const word = (text ?? "").trim().toLowerCase();
      if (word === "nan") return Number.NaN;
      if (/^[+-]?inf(inity)?$/.test(word)) return word.startsWith("-") ? Number.NEGATIVE_INFINITY : Infinity;
      const value = word === "" ? Number.NaN : Number(word);
      if (Number.isNaN(value)) throw new Error(`golden rows with ${JSON.stringify(text ?? "a short line")}`);
      return value;
    };
    for (const { name, column } of checks) {
      const call = open(name);
      if (call === undefined) throw new Error(`golden rows for ${name}, which the library has not`);
      const found = { name, rows: 0, largest: 0, differing: 0, worstLine: 0 };
      for (let line = 1; line < lines.length; line++) {
        if (lines[line] === "") continue;
        const cells = (lines[line] as string).split(",");
        for (let i = 0; i < features.length; i++) row[i] = numberOf(cells[features[i] as number]);
        const difference = Math.abs(call(row, row.length) - numberOf(cells[column]));
        const counted = Number.isFinite(difference) ? difference : 1e300;
        found.rows++;
        if (counted > parityMax) found.differing++;
        if (counted <= found.largest) continue;
        found.largest = counted;
        found.worstLine = line + 1;
      }
      rows = found.rows;
      parity.push(found);
    }
  }
  const report = {
    featureCount,
    defaultThreshold: readable ? read.f32(table, 8) : 0,
    has,
    rows,
    parity,
    latencyNsP50: latencies[latencies.length >> 1] ?? 0,
    latencyNsP99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  };
  process.stdout.write(`${mark}${JSON.stringify(report)}\n`);
}

const PROGRAM = `await (${tryLibrary.toString()})(${PARITY_MAX}, ${JSON.stringify(MARK)});`;
