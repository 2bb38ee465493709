/**
 * A knob is one thing of the machine that Sandpiper would have otherwise, with everything a person needs to decide: one
 * file per knob in tuning/. A knob names its settings on this machine; a setting knows how to read and write one value.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { PlacementPlan } from "#supervise/placement/plan.ts";

/** The machine as a knob sees it. */
export type Box = {
  /** Stands before every path: "" for this machine, a folder with a copy of /proc and /sys in tests. */
  readonly root: string;
  /** Which cores threads of ours own; knobs of owned cores have nothing to do where there are none. */
  readonly plan: PlacementPlan;
  /** Names of the network cards. */
  readonly nics: readonly string[];
  /** Runs a program of the machine; answers what it printed, undefined when it failed or is not there. */
  run(command: readonly string[]): string | undefined;
};

export type Setting = {
  /** Path of the kernel's file, or the words of the program that sets it. Unique among all knobs. */
  readonly id: string;
  /** Value that Sandpiper would have. */
  readonly wanted: string;
  /** Whether what was written ends with the boot; a file of ours on disk does not. */
  readonly lasts: "boot" | "disk";
  /** Value now; undefined when this machine does not have it. */
  read(): string | undefined;
  /** Whether a value is good as it is; equality when absent. */
  readonly suffices?: (value: string) => boolean;
  /** Sets it, or takes it away when it was not there before. Absent where only a person can. Throws the system's error. */
  readonly write?: (value: string | undefined) => void;
};

export type Knob = {
  readonly name: string;
  /** What goes wrong without it. */
  readonly why: string;
  /** Where its value is read. */
  readonly reads: string;
  /** What `apply` does, and what is left to a person. */
  readonly applies: string;
  /** What `undo` does. */
  readonly undoes: string;
  /** What it costs or may break. */
  readonly risk: string;
  /** Who says so. */
  readonly source: string;
  /** Its settings on this machine, or why there are none. */
  settings(box: Box): readonly Setting[] | string;
};

type FileOptions = {
  readonly suffices?: (value: string) => boolean;
  /** Finds the value in the file's text. */
  readonly parse?: (text: string) => string;
};

/** A file of /proc or /sys that takes what it shows; of "always [madvise] never" the value is the word in brackets. */
export function kernelFile(box: Box, path: string, wanted: string, options: FileOptions = {}): Setting {
  const parse = options.parse ?? ((text: string) => /\[([^\]]+)\]/.exec(text)?.[1] ?? text.trim());
  return {
    id: path,
    wanted,
    lasts: "boot",
    read: () => {
      const text = readText(box.root + path);
      return text === undefined ? undefined : parse(text);
    },
    ...(options.suffices === undefined ? {} : { suffices: options.suffices }),
    write: (value) => {
      if (value !== undefined) writeFileSync(box.root + path, value);
    },
  };
}

/** A sysctl by its dotted name. */
export function sysctl(box: Box, name: string, wanted: string, options: FileOptions = {}): Setting {
  return kernelFile(box, `/proc/sys/${name.replaceAll(".", "/")}`, wanted, options);
}

/** A file that is ours alone: written whole, taken away by undo. */
export function ownFile(box: Box, path: string, content: string): Setting {
  const full = box.root + path;
  return {
    id: path,
    wanted: content,
    lasts: "disk",
    read: () => readText(full) ?? "",
    write: (value) => {
      if (value === undefined || value === "") return rmSync(full, { force: true });
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, value);
    },
  };
}

/** For `suffices`: a whole number of at least this. */
export const atLeast = (least: number) => (value: string) => Number(value) >= least;

/** For `parse`: a mask of cores without its leading zeros. */
export const withoutZeros = (text: string): string => text.trim().replace(/^[0,]+(?=.)/, "");

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Names in a folder that match, in order of their numbers; none when it is not there. */
export function listNames(folder: string, pattern: RegExp): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => pattern.test(name))
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  } catch {
    return [];
  }
}

/** Why a knob of owned cores has nothing to set. */
export const NO_OWNED_CORES = "no thread owns a core on this machine, so all cores are for everything";

export const ownedCores = ({ plan }: Box): number[] => [...plan.seats.map(({ core }) => core), ...plan.idle];
