/** What each knob of tuning/ finds on a machine. Reads only, and needs no privilege. */
import type { Box, Knob, Setting } from "./knob.ts";

type Verdict = "ok" | "differs" | "by-hand" | "absent";

export type KnobRow = {
  readonly knob: Knob;
  /** Absent when the knob has nothing to set on this machine. */
  readonly setting: Setting | undefined;
  readonly value: string | undefined;
  readonly verdict: Verdict;
  /** Why there is nothing to set. */
  readonly why: string;
};

export function checkKnobs(knobs: readonly Knob[], box: Box): KnobRow[] {
  return knobs.flatMap((knob): KnobRow[] => {
    const settings = knob.settings(box);
    const none = (why: string): KnobRow[] => [{ knob, setting: undefined, value: undefined, verdict: "absent", why }];
    if (typeof settings === "string") return none(settings);
    const rows = settings.map((setting) => checkSetting(knob, setting));
    return rows.length === 0 ? none("this machine has nothing of the kind") : rows;
  });
}

function checkSetting(knob: Knob, setting: Setting): KnobRow {
  const value = setting.read();
  if (value === undefined) return { knob, setting, value, verdict: "absent", why: "this machine does not have it" };
  if (isGood(setting, value)) return { knob, setting, value, verdict: "ok", why: "" };
  return { knob, setting, value, verdict: setting.write === undefined ? "by-hand" : "differs", why: "" };
}

function isGood(setting: Setting, value: string): boolean {
  return setting.suffices?.(value) ?? value === setting.wanted;
}
