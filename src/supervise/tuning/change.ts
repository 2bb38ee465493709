/**
 * `apply` and `undo`. What a setting was is on disk, synced, before it is written, so that a crash at any moment leaves an
 * undo that is whole. The record keeps the first old value: applying twice does not make ours the old one. What ends with
 * the boot is forgotten when another boot reads the record, since the machine has its own values again.
 */
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { SUPERVISE_ERROR } from "#supervise/errors.ts";
import { checkKnobs } from "./check.ts";
import { type Box, type Knob, kernelFile, ownFile, readText, type Setting } from "./knob.ts";

/** One changed setting, as the record keeps it. */
export type Changed = {
  readonly id: string;
  readonly knob: string;
  /** Value before the first apply; null when the setting was not there. */
  readonly old: string | null;
  readonly written: string;
  readonly lasts: Setting["lasts"];
  readonly bootId: string;
  /** Unix time, ms. */
  readonly atMs: number;
};

export type ChangeRow = {
  readonly id: string;
  readonly knob: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly outcome: "changed" | "kept" | "refused";
  /** Of a refusal, or of something worth saying. */
  readonly why: string;
};

const CHANGES_MAX = 10_000;

/** The record; empty when nothing was applied. */
export function readChanges(recordPath: string): readonly Changed[] {
  const stored = readJsonFile(recordPath);
  if (stored === undefined) return [];
  if (!Array.isArray(stored) || stored.length > CHANGES_MAX || !stored.every(isChanged))
    throw new SandpiperError(
      SUPERVISE_ERROR.tuning,
      `Cannot read ${recordPath}: a list of at most ${CHANGES_MAX} changes as \`tune apply\` writes them, was something else`,
    );
  return stored;
}

/** Sets what differs, knob after knob; a refusal by the kernel is told and the rest goes on. */
export function applyKnobs(knobs: readonly Knob[], box: Box, recordPath: string, nowMs: number): ChangeRow[] {
  const bootId = bootIdOf(box);
  const changes = new Map(ofThisBoot(readChanges(recordPath), bootId).map((change) => [change.id, change]));
  const rows: ChangeRow[] = [];
  for (const { knob, setting, value, verdict } of checkKnobs(knobs, box)) {
    if (setting === undefined || verdict !== "differs" || setting.write === undefined) continue;
    const before = changes.get(setting.id);
    const change = {
      id: setting.id,
      knob: knob.name,
      written: setting.wanted,
      lasts: setting.lasts,
      bootId,
      atMs: nowMs,
    };
    changes.set(setting.id, { ...change, old: before === undefined ? (value ?? null) : before.old });
    writeRecord(recordPath, changes);
    const row = setTo(setting, knob.name, setting.wanted);
    if (row.outcome === "refused" && before === undefined && setting.read() === value) {
      changes.delete(setting.id);
      writeRecord(recordPath, changes);
    }
    rows.push(row);
  }
  return rows;
}

/**
 * Puts every recorded value back, the last one first, and takes from the record what is as it was; `only` names the
 * knobs to undo when it shall not be all.
 */
export function undoKnobs(knobs: readonly Knob[], box: Box, recordPath: string, only?: readonly string[]): ChangeRow[] {
  const settings = new Map(
    knobs.flatMap((knob) => {
      const known = knob.settings(box);
      return typeof known === "string" ? [] : known.map((setting) => [setting.id, setting] as const);
    }),
  );
  const recorded = readChanges(recordPath);
  const changes = new Map(ofThisBoot(recorded, bootIdOf(box)).map((change) => [change.id, change]));
  const rows: ChangeRow[] = [];
  for (const { id, knob, old, written, lasts } of [...changes.values()].reverse()) {
    if (only !== undefined && !only.includes(knob)) continue;
    const setting = settings.get(id) ?? fileOf(box, id, lasts);
    if (setting === undefined) {
      rows.push({
        id,
        knob,
        from: undefined,
        to: old ?? undefined,
        outcome: "refused",
        why: "no knob has it any more",
      });
      continue;
    }
    const found = setting.read();
    const row = setTo(setting, knob, old ?? undefined);
    rows.push(found === written || found === old ? row : { ...row, why: row.why || "somebody else had changed it" });
    if (row.outcome === "refused") continue;
    changes.delete(id);
    writeRecord(recordPath, changes);
  }
  if (recorded.length > 0 && changes.size === 0) writeRecord(recordPath, changes);
  return rows;
}

function setTo(setting: Setting, knob: string, to: string | undefined): ChangeRow {
  const from = setting.read();
  const row = { id: setting.id, knob, from, to };
  if (from === to || (to === undefined && from === "")) return { ...row, outcome: "kept", why: "" };
  try {
    setting.write?.(to);
  } catch (thrown) {
    return { ...row, outcome: "refused", why: errorText(thrown) };
  }
  const now = setting.read();
  const done = now === to || (to === undefined && (now === "" || now === undefined));
  return done
    ? { ...row, outcome: "changed", why: "" }
    : { ...row, outcome: "refused", why: `the kernel took it and shows ${now}` };
}

/** A file that no knob wants any more, because the plan of cores or the knob itself changed since. */
function fileOf(box: Box, id: string, lasts: Setting["lasts"]): Setting | undefined {
  if (!id.startsWith("/")) return undefined;
  return lasts === "disk" ? ownFile(box, id, "") : kernelFile(box, id, "");
}

const ofThisBoot = (changes: readonly Changed[], bootId: string): readonly Changed[] =>
  changes.filter((change) => change.lasts === "disk" || change.bootId === bootId);

function bootIdOf(box: Box): string {
  return readText(`${box.root}/proc/sys/kernel/random/boot_id`)?.trim() ?? "";
}

function writeRecord(path: string, changes: ReadonlyMap<string, Changed>): void {
  writeFileAtomic(path, `${JSON.stringify([...changes.values()], undefined, 1)}\n`, 0o600);
}

function isChanged(value: unknown): value is Changed {
  if (typeof value !== "object" || value === null) return false;
  const { id, knob, old, written, lasts, bootId } = value as Record<string, unknown>;
  const texts = [id, knob, written, bootId].every((one) => typeof one === "string");
  return texts && (old === null || typeof old === "string") && (lasts === "boot" || lasts === "disk");
}
