/**
 * Random decisions of a finished run made again from their records and the very models that made them, bit for bit: a sim
 * run of its own, in which the model is swapped half way, then stopped; then `sandpiper explain random N` over its data.
 *
 *   bun bench/explain.ts [decisions = 100] [seconds = 60]
 */
import { join } from "node:path";
import { createLog } from "#core/log.ts";
import { findCompiler } from "#ffi/c-compiler.ts";
import { flip } from "#model/models-folder.ts";
import { addModel, compileModel } from "#model/test-models.ts";
import { startEngine } from "#store/engine.ts";
import { SupervisedRun } from "../test/support/supervised-run.ts";
import { machine } from "./report.ts";

const DECISIONS = Number(process.argv[2] ?? 100);
const SECONDS = Number(process.argv[3] ?? 60);
const ROOT = join(import.meta.dir, "..");

const run = await SupervisedRun.start(["--sim.slotMs", "200"]);
await run.allReady();
await Bun.sleep(SECONDS * 500);
const compiler = findCompiler();
if (compiler === undefined) throw new Error("needs a C compiler");
// Another model decides in the second half: a share of the tip, which is neither the default's nor a constant.
const library = compileModel(run.dataDir, compiler, { body: "return 0.2f + 0.04f * x[0];" });
const hash = addModel(run.paths.models, run.dataDir, library, (first) => Math.fround(0.2) + Math.fround(0.04) * first);
flip(run.paths.models, "arb", "latest", hash, { action: "promote", by: "bench", why: "half way", atMs: Date.now() });
await Bun.sleep(SECONDS * 500);
await run.stop();

const port = run.clickhousePort;
const engine = await startEngine({
  folder: run.paths.clickhouse,
  port,
  secretPath: run.paths.clickhouseSecret,
  hostCommand: [process.execPath, join(ROOT, "agents/clickhouse.ts")],
  log: createLog({ process: "bench", level: "error", format: "text" }),
});
const flags = ["--dataDir", run.dataDir, "--clickhouse.port", String(port)];
const main = [process.execPath, join(ROOT, "src/cli/main.ts")];
const ask = (words: readonly string[]) => Bun.spawnSync([...main, ...words, ...flags], { stderr: "inherit" });
const sql = "SELECT model_hash, count() AS decisions FROM sandpiper.arb_opportunities GROUP BY model_hash";
process.stdout.write(ask(["query", sql]).stdout);
const explained = ask(["explain", "random", String(DECISIONS)]);
process.stdout.write(explained.stdout);
process.stdout.write(`${machine()}\n`);
await engine.stop();
await run.discard();
process.exit(explained.exitCode);
