/**
 * What one row costs: a forest of 100, 300 and 500 trees of depth 6 through our library, from Bun and from C, beside
 * TL2cgen's and lleaves' generated code, XGBoost's own C API and ONNX Runtime, all on the same model and rows, one thread. And what it
 * takes to compile it, and how large it is. The packages of the others are installed into a temporary environment.
 *
 *   bun bench/model-latency.ts [trees … = 100 300 500]      (VENV=folder uses an environment that is there)
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openModelLibrary } from "#ffi/model-library.ts";
import { buildModel } from "../test/support/build-model.ts";
import { trainingPython } from "../test/support/training-python.ts";
import { machine, short, table } from "./report.ts";

const PACKAGES = [
  ...["xgboost-cpu==3.2.0", "treelite==4.7.0", "tl2cgen==1.0.0", "onnxruntime==1.32.0", "onnxmltools==1.16.0"],
  ...["onnx==1.23.2", "skl2onnx==1.20.0", "numpy==2.4.6", "lleaves==1.3.0", "llvmlite==0.44.0"],
];
const FEATURES = 15;
const CALLS = 20_000;
const WARM = 20_000;
const ABI = join(import.meta.dir, "../abi");
const sizes = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "sandpiper-model-latency-"));

function run(command: readonly string[], cwd = folder): string {
  const ran = Bun.spawnSync([...command], { cwd, stderr: "pipe" });
  if (!ran.success) throw new Error(`${command[0]}: ${ran.stderr.toString().slice(-2_000)}`);
  return ran.stdout.toString();
}

const venv = process.env["VENV"] ?? join(folder, "venv");
if (process.env["VENV"] === undefined) {
  run(["python3", "-m", "venv", venv]);
  run([join(venv, "bin/pip"), "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]);
}
const python = await trainingPython();
const program = join(folder, "model-latency");
run(["gcc", "-O2", "-I", ABI, "-o", program, join(import.meta.dir, "native/model-latency.c"), "-ldl", "-lm"]);

type Told = Record<"generateSeconds" | "compileSeconds" | "lleavesSeconds" | "onnxNsP50" | "onnxNsP99", number> & {
  xgboostLibrary: string;
};
const latency: string[][] = [];
const built: string[][] = [];
for (const trees of sizes.length > 0 ? sizes : [100, 300, 500]) {
  const work = join(folder, String(trees));
  mkdirSync(work);
  const script = join(import.meta.dir, "native/model_latency.py");
  // The others talk on standard output as well; the last line is ours.
  const lastLine =
    run([join(venv, "bin/python"), script, work, String(trees)])
      .trim()
      .split("\n")
      .at(-1) ?? "";
  const told = JSON.parse(lastLine) as Told;
  const { library, code, said } = await buildModel(python, join(work, "model.json"), join(work, "out"));
  if (code !== 0) throw new Error(said);
  // The workflow exports, proves and names as well: the compiler alone, as the others' figure.
  const source = join(work, "out", "build", "model.c");
  const startedMs = performance.now();
  run([
    "gcc",
    "-O3",
    "-shared",
    "-fPIC",
    "-fno-math-errno",
    "-s",
    "-I",
    ABI,
    "-o",
    join(work, "alone.so"),
    source,
    "-lm",
  ]);
  const compileSeconds = (performance.now() - startedMs) / 1_000;

  const [p50, p99] = throughBun(library, join(work, "rows.f32"));
  const name = `${trees} trees`;
  latency.push([name, "ours, bun:ffi", short(p50), short(p99), "0"]);
  const files = [
    library,
    join(work, "tl2cgen.so"),
    join(work, "lleaves.so"),
    told.xgboostLibrary,
    join(work, "model.json"),
    join(work, "rows.f32"),
  ];
  const words: Record<string, string> = {
    ours: "ours, C",
    tl2cgen: "tl2cgen, C",
    lleaves: "lleaves, C",
    xgboost: "XGBoost's C API, C",
  };
  for (const line of run([program, ...files])
    .trim()
    .split("\n")) {
    const [which = "", half = "", most = "", largest = ""] = line.split(" ");
    latency.push([name, words[which] ?? which, half, most, largest]);
  }
  latency.push([name, "ONNX Runtime, Python", short(told.onnxNsP50), short(told.onnxNsP99), "-"]);
  const kib = (path: string) => String(Math.round(statSync(path).size / 1_024));
  built.push([name, "ours", short(compileSeconds), kib(library)]);
  built.push([name, "tl2cgen", short(told.compileSeconds), kib(join(work, "tl2cgen.so"))]);
  built.push([name, "lleaves", short(told.lleavesSeconds), kib(join(work, "lleaves.so"))]);
  const lines = (file: string) => readFileSync(file, "utf8").split("\n").length;
  const generated = readdirSync(join(work, "tl2cgen")).filter((file) => file.endsWith(".c"));
  const theirs = generated.reduce((sum, file) => sum + lines(join(work, "tl2cgen", file)), 0);
  process.stderr.write(`${name}: ${lines(source)} lines of C by us, ${theirs} by tl2cgen\n`);
}
rmSync(folder, { recursive: true });

process.stdout.write(`${table(["model", "way", "p50 ns", "p99 ns", "differs from ours by"], latency)}

${table(["model", "by", "compile, s", "library, KiB"], built)}

each call timed alone, the clock's own 20 to 60 ns included
${machine()}
`);

/** ns of one row at the median and at p99. */
function throughBun(library: string, rowsFile: string): [number, number] {
  const bytes = readFileSync(rowsFile);
  const rows = new Float32Array(new ArrayBuffer(bytes.length));
  new Uint8Array(rows.buffer).set(bytes);
  const row = new Float32Array(new ArrayBuffer(FEATURES * 4));
  const model = openModelLibrary(library, "predict_arb");
  const taken = new Float64Array(CALLS);
  const count = rows.length / FEATURES;
  for (let call = -WARM; call < CALLS; call++) {
    const from = ((call + WARM) % count) * FEATURES;
    for (let i = 0; i < FEATURES; i++) row[i] = rows[from + i] as number;
    const before = Bun.nanoseconds();
    model.predict(row);
    if (call >= 0) taken[call] = Bun.nanoseconds() - before;
  }
  model.close();
  taken.sort();
  return [taken[CALLS >> 1] as number, taken[Math.floor(CALLS * 0.99)] as number];
}
