/**
 * `sandpiper tune check|apply|undo|report`: what this machine is set to, what Sandpiper would have, and both ways between.
 * check and report change nothing and need no privilege; apply and undo need root for most knobs.
 */
import { parseArgs } from "node:util";
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { planPlacement } from "#supervise/placement/plan.ts";
import { readTopology } from "#supervise/placement/topology.ts";
import { applyKnobs, type ChangeRow, readChanges, undoKnobs } from "#supervise/tuning/change.ts";
import { checkKnobs, type KnobRow } from "#supervise/tuning/check.ts";
import type { Box, Knob } from "#supervise/tuning/knob.ts";
import { KNOBS } from "#supervise/tuning/knobs.ts";
import { CLI_ERROR } from "./errors.ts";

/** Where `apply` keeps what was before. */
const RECORD_PATH = "/var/lib/sandpiper/tuning.json";
const PROGRAM_MS_MAX = 10_000;
const SHOWN_CHARS_MAX = 60;
const USAGE = "tune check|apply|undo|report [--only KNOB,…] [--record FILE] [--json]";

export async function runTune(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: "string" },
      record: { type: "string", default: RECORD_PATH },
      root: { type: "string", default: "" },
      json: { type: "boolean", default: false },
    },
  });
  const knobs = chosen(values.only);
  const box = openBox(values.root);
  switch (positionals.length === 1 ? positionals[0] : undefined) {
    case "check":
      return show(checkText(checkKnobs(knobs, box)), values.json && checkJson(checkKnobs(knobs, box)));
    case "report":
      return show(reportText(checkKnobs(knobs, box), values.record));
    case "apply":
      return showChanges(applyKnobs(knobs, box, values.record, Date.now()), "sandpiper tune undo puts it back");
    case "undo":
      return showChanges(
        undoKnobs(KNOBS, box, values.record, values.only?.split(",")),
        "everything recorded is as it was",
      );
    default:
      throw new SandpiperError(CLI_ERROR.usage, `Cannot tune: ${USAGE}, was ${positionals.join(" ") || "nothing"}`);
  }
}

function chosen(only: string | undefined): readonly Knob[] {
  if (only === undefined) return KNOBS;
  const names = only.split(",");
  const unknown = names.find((name) => !KNOBS.some((knob) => knob.name === name));
  if (unknown !== undefined)
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot choose knobs: one or more of ${KNOBS.map(({ name }) => name).join(", ")}, was ${unknown}`,
    );
  return KNOBS.filter(({ name }) => names.includes(name));
}

function openBox(root: string): Box {
  const topology = readTopology(root);
  return {
    root,
    plan: planPlacement(topology),
    nics: topology.nics.map(({ name }) => name),
    run: (command) => {
      // A copy of a machine has no programs: what they would set is the real one's.
      if (root !== "") return undefined;
      try {
        const done = Bun.spawnSync([...command], { stdin: "ignore", stderr: "ignore", timeout: PROGRAM_MS_MAX });
        return done.exitCode === 0 ? done.stdout.toString() : undefined;
      } catch {
        return undefined;
      }
    },
  };
}

function show(text: string, json: string | false = false): number {
  process.stdout.write(json === false ? text : json);
  return EXIT_CODE.ok;
}

/** One line, whatever a value holds. */
const brief = (value: string | undefined): string => {
  const line = (value ?? "").trim().replaceAll(/\s+/g, " ");
  return line.length > SHOWN_CHARS_MAX ? `${line.slice(0, SHOWN_CHARS_MAX - 1)}…` : line || "–";
};

function checkText(rows: readonly KnobRow[]): string {
  const lines = rows.map(({ knob, setting, value, verdict, why }) => {
    const head = `${verdict.padEnd(8)} ${knob.name.padEnd(22)}`;
    if (setting === undefined) return `${head} ${why}`;
    const wanted = verdict === "differs" || verdict === "by-hand" ? `, wanted ${brief(setting.wanted)}` : "";
    return `${head} ${setting.id} = ${why || brief(value)}${wanted}`;
  });
  const count = (verdict: KnobRow["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
  return `${lines.join("\n")}\n\n${count("ok")} as wanted, ${count("differs")} that apply would set, ${count("by-hand")} by hand, ${count("absent")} not on this machine\n`;
}

function checkJson(rows: readonly KnobRow[]): string {
  return rows
    .map(({ knob, setting, value, verdict, why }) =>
      JSON.stringify({ knob: knob.name, setting: setting?.id, value, wanted: setting?.wanted, verdict, why }),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** Markdown: every knob with all that a person needs to decide. */
function reportText(rows: readonly KnobRow[], recordPath: string): string {
  const changed = new Map(readChanges(recordPath).map((change) => [change.id, change]));
  const parts = [...new Set(rows.map(({ knob }) => knob))].map((knob) => {
    const values = rows
      .filter((row) => row.knob === knob)
      .map(({ setting, value, verdict, why }) => {
        if (setting === undefined) return `- ${why}`;
        const before = changed.get(setting.id);
        const applied = before === undefined ? "" : `; was ${brief(before.old ?? undefined)} before apply`;
        return `- ${verdict}: \`${setting.id}\` = ${why || brief(value)}, wanted ${brief(setting.wanted)}${applied}`;
      });
    const { why, reads, applies, undoes, risk, source } = knob;
    const facts = { Why: why, Read: reads, Apply: applies, Undo: undoes, Risk: risk, Source: source };
    return [
      `## ${knob.name}`,
      "",
      ...Object.entries(facts).map(([name, text]) => `${name}: ${text}.  `),
      "",
      ...values,
    ].join("\n");
  });
  return `# Tuning of this machine\n\n${parts.join("\n\n")}\n`;
}

function showChanges(rows: readonly ChangeRow[], good: string): number {
  for (const { id, knob, from, to, outcome, why } of rows)
    process.stdout.write(
      `${outcome.padEnd(8)} ${knob.padEnd(22)} ${id}: ${brief(from)} → ${brief(to)}${why === "" ? "" : ` (${why})`}\n`,
    );
  const refused = rows.filter(({ outcome }) => outcome === "refused").length;
  const said = rows.length === 0 ? "nothing to do" : refused === 0 ? good : `${refused} refused, and left as they are`;
  process.stdout.write(`${said}\n`);
  return refused === 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
}
