/**
 * `judge replay RECORDING`: whether a run can be had again. The market's events are replayed twice through the agents and
 * the outputs compared byte by byte; the tape of the hot loop is run twice, compared byte by byte, and then with the
 * decisions that the run itself made, one by one. The first difference is shown field by field.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandpiperError } from "#core/error.ts";
import type { Decision } from "#decide/decision-record.ts";
import { hasTape, readTapeAbout } from "#decide/tape-recorder.ts";
import { decisionOf, replayTape, type TapeReplay } from "#decide/tape-replay.ts";
import { isRecording } from "#market/recording/recording-source.ts";
import { ensureDefaultModel, loadModel } from "#model/default-model.ts";
import { CLI_ERROR } from "./errors.ts";
import type { Verdict } from "./judge-swaps.ts";
import { runReplay } from "./replay.ts";

const OUTPUTS = ["swaps.ndjson", "envelopes.bin"] as const;

/** Throws a SandpiperError for what is no recording, or a damaged one. */
export async function judgeReplay(path: string, write: (text: string) => void): Promise<Verdict> {
  if (!isRecording(path) && !hasTape(path))
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot judge ${path}: the folder of a recording, with recording.json or tape.json, was something else`,
    );
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-judge-"));
  const total = { passed: 0, failed: 0 };
  const tell = (what: string, passed: number, failed: number) => {
    total.passed += passed;
    total.failed += failed;
    write(`${what.padEnd(44)} ${String(passed).padStart(8)} passed ${String(failed).padStart(8)} failed\n`);
  };
  try {
    if (isRecording(path)) await judgeMarket(path, folder, tell);
    if (hasTape(path)) judgeTape(path, folder, tell, write);
    else write("no tape: decisions of the run are not on record, so none were compared\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  write(`${total.passed} passed, ${total.failed} failed\n`);
  return total;
}

type Tell = (what: string, passed: number, failed: number) => void;

async function judgeMarket(path: string, folder: string, tell: Tell): Promise<void> {
  const outputs: Buffer[][] = [];
  for (const name of ["first", "second"]) {
    const out = join(folder, name);
    await runReplay([path, "--out", out, "--dataDir", join(folder, "data")], () => {});
    outputs.push(await Promise.all(OUTPUTS.map(async (file) => Buffer.from(await Bun.file(join(out, file)).bytes()))));
  }
  for (const [i, name] of OUTPUTS.entries()) {
    const equal = outputs[0]?.[i]?.equals(outputs[1]?.[i] as Buffer) === true;
    tell(`two replays of the market, ${name}`, equal ? 1 : 0, equal ? 0 : 1);
  }
}

function judgeTape(path: string, folder: string, tell: Tell, write: (text: string) => void): void {
  const models = join(folder, "data", "models");
  ensureDefaultModel(models);
  const model = loadModel(models, "arb");
  try {
    const { modelHash } = readTapeAbout(path);
    if (model.hash !== modelHash)
      throw new SandpiperError(
        CLI_ERROR.usage,
        `Cannot judge ${path}: decisions of the model ${model.hash}, which this build has, was ${modelHash}`,
      );
    const [first, second] = [replayTape(path, model), replayTape(path, model)];
    write(`${first.turns} turns, ${first.records} market records, ${first.recorded.length} decisions on record\n`);
    if (first.lost > 0) write(`${first.lost} entries of the tape found no room: behind them nothing is compared\n`);
    const twice = compare(first.replayed, second.replayed);
    tell("decisions of two replays, byte by byte", twice.equal, twice.different);
    const live = compare(first.recorded, first.replayed);
    tell("decisions of the run and of its replay", live.equal, live.different);
    if (live.first !== undefined) write(difference(first, live.first));
    if (first.lost > 0) tell("tape without a hole", 0, 1);
  } finally {
    model.close();
  }
}

type Comparison = { readonly equal: number; readonly different: number; readonly first: number | undefined };

function compare(wanted: readonly Uint8Array[], found: readonly Uint8Array[]): Comparison {
  let equal = 0;
  let first: number | undefined;
  const count = Math.max(wanted.length, found.length);
  for (let i = 0; i < count; i++) {
    const [a, b] = [wanted[i], found[i]];
    if (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0) equal++;
    else first ??= i;
  }
  return { equal, different: count - equal, first };
}

function difference({ recorded, replayed }: TapeReplay, place: number): string {
  const [was, now] = [recorded[place], replayed[place]].map((bytes) => bytes && fieldsOf(decisionOf(bytes)));
  if (was === undefined || now === undefined)
    return `first difference: decision ${place + 1} is ${was === undefined ? "only in the replay" : "only on record"}\n`;
  const lines = Object.keys({ ...was, ...now })
    .filter((field) => was[field] !== now[field])
    .map((field) => `  ${field.padEnd(20)} on record ${was[field]}, replayed ${now[field]}`);
  return [`first difference: decision ${place + 1}`, ...lines, ""].join("\n");
}

const fieldsOf = (decision: Decision): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(decision).map(([field, value]) => [
      field,
      JSON.stringify(value, (_, one) => (typeof one === "bigint" ? `${one}` : one)),
    ]),
  );
