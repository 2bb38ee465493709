import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planPlacement } from "#supervise/placement/plan.ts";
import { makeMachine } from "#supervise/placement/test-machine.ts";
import { readTopology } from "#supervise/placement/topology.ts";
import { applyKnobs, readChanges, undoKnobs } from "./change.ts";
import { checkKnobs } from "./check.ts";
import type { Box, Knob } from "./knob.ts";
import { KNOBS } from "./knobs.ts";

let root = "";
let folder = "";
let record = "";
let shmHuge: string | undefined;
let coalescing = { adaptive: "on", usecs: "50" };

beforeEach(() => {
  root = makeMachine({ physicalCores: 8, threadsPerCore: 2, nodes: 1 });
  folder = mkdtempSync(join(tmpdir(), "sandpiper-tuning-"));
  record = join(folder, "state", "tuning.json");
  shmHuge = undefined;
  coalescing = { adaptive: "on", usecs: "50" };
});
afterEach(() => {
  for (const path of [root, folder]) rmSync(path, { recursive: true, force: true });
});

/** The machine under `root`, with an ethtool and a mount that behave like the real ones. */
function box(): Box {
  const run = (command: readonly string[]): string | undefined => {
    const [program, flag, , name, value = ""] = command;
    if (program === "ethtool" && flag === "-c")
      return `Coalesce parameters for eth0:\nAdaptive RX: ${coalescing.adaptive}  TX: off\n\nrx-usecs:\t${coalescing.usecs}\nrx-frames:\t0\n`;
    if (program === "ethtool" && flag === "-C") {
      if (name === "adaptive-rx") coalescing.adaptive = value;
      else coalescing.usecs = value;
      return "";
    }
    if (program !== "mount") return undefined;
    shmHuge = /huge=(\w+)/.exec(command.join(" "))?.[1];
    writeFileSync(`${root}/proc/mounts`, `tmpfs /dev/shm tmpfs rw,huge=${shmHuge} 0 0\n`);
    return "";
  };
  return { root, plan: planPlacement(readTopology(root)), nics: ["eth0"], run };
}

/** Every file of the machine with its text; /proc/mounts apart, since "never" may be said or left unsaid. */
function snapshot(): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.endsWith("proc/mounts"));
  return Object.fromEntries(paths.sort().map((path) => [path, readFileSync(path, "utf8").trim()]));
}

/** A real kernel shows the choice in brackets; here the test does, after each write. */
function bracket(text: Record<string, string>): Record<string, string> {
  const plain = (value: string) => /\[([^\]]+)\]/.exec(value)?.[1] ?? value;
  return Object.fromEntries(
    Object.entries(text).map(([path, value]) => [path, plain(value).replace(/^[0,]+(?=.)/, "")]),
  );
}

describe("checkKnobs()", () => {
  test("changes nothing, and has a verdict on every knob", () => {
    const before = snapshot();
    const rows = checkKnobs(KNOBS, box());
    expect(snapshot()).toEqual(before);
    expect([...new Set(rows.map(({ knob }) => knob.name))]).toEqual(KNOBS.map(({ name }) => name));
    expect(rows.filter(({ verdict }) => verdict === "differs").length).toBeGreaterThan(20);
    expect(rows.find(({ setting }) => setting?.id.endsWith("/24/smp_affinity_list"))?.verdict).toBe("differs");
    expect(rows.find(({ setting }) => setting?.id.endsWith("/25/smp_affinity_list"))?.verdict).toBe("ok");
  });

  test("says of an empty machine why nothing can be set", () => {
    const empty = { root: folder, plan: planPlacement(readTopology(folder)), nics: [], run: () => undefined };
    const rows = checkKnobs(KNOBS, empty);
    expect(rows.filter(({ verdict }) => verdict !== "absent")).toEqual([]);
    expect(rows.every(({ why }) => why !== "")).toBe(true);
  });

  test("every knob says why, how, what it risks and who says so, and has a name of its own", () => {
    for (const { why, reads, applies, undoes, risk, source } of KNOBS)
      for (const text of [why, reads, applies, undoes, risk, source]) expect(text.length).toBeGreaterThan(2);
    expect(new Set(KNOBS.map(({ name }) => name)).size).toBe(KNOBS.length);
    const ids = checkKnobs(KNOBS, box()).flatMap(({ setting }) => setting?.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("applyKnobs() and undoKnobs()", () => {
  test("set everything that differs, and put every value back exactly", () => {
    const before = bracket(snapshot());
    const applied = applyKnobs(KNOBS, box(), record, 1);
    expect(applied.filter(({ outcome }) => outcome !== "changed")).toEqual([]);
    expect(checkKnobs(KNOBS, box()).filter(({ verdict }) => verdict === "differs")).toEqual([]);
    expect([coalescing, shmHuge]).toEqual([{ adaptive: "off", usecs: "0" }, "within_size"]);
    expect(bracket(snapshot())).not.toEqual(before);
    const undone = undoKnobs(KNOBS, box(), record);
    expect(undone.filter(({ outcome }) => outcome !== "changed")).toEqual([]);
    expect(undone.length).toBe(applied.length);
    expect(bracket(snapshot())).toEqual(before);
    expect([coalescing, shmHuge]).toEqual([{ adaptive: "on", usecs: "50" }, "never"]);
    expect(readChanges(record)).toEqual([]);
  });

  test("applying twice keeps the first old value", () => {
    applyKnobs(KNOBS, box(), record, 1);
    writeFileSync(`${root}/proc/sys/vm/swappiness`, "33");
    applyKnobs(KNOBS, box(), record, 2);
    undoKnobs(KNOBS, box(), record);
    expect(readFileSync(`${root}/proc/sys/vm/swappiness`, "utf8")).toBe("60");
  });

  test("undo of one knob leaves the others as they were applied", () => {
    const applied = applyKnobs(KNOBS, box(), record, 1);
    expect(undoKnobs(KNOBS, box(), record, ["swap"]).map(({ knob }) => knob)).toEqual(["swap"]);
    expect(readChanges(record).length).toBe(applied.length - 1);
  });

  test("undo tells of a value that somebody else has changed, and restores it all the same", () => {
    applyKnobs(KNOBS, box(), record, 1);
    writeFileSync(`${root}/proc/sys/vm/swappiness`, "33");
    const row = undoKnobs(KNOBS, box(), record).find(({ id }) => id.endsWith("swappiness"));
    expect(row).toMatchObject({ from: "33", to: "60", outcome: "changed", why: "somebody else had changed it" });
  });

  test("what was old is on disk before the new value is written", () => {
    const seen: (string | null | undefined)[] = [];
    const spy: Knob = {
      ...(KNOBS[0] as Knob),
      settings: () => [
        {
          id: "spy",
          wanted: "new",
          lasts: "boot",
          read: () => "old",
          write: () => {
            seen.push(readChanges(record).find(({ id }) => id === "spy")?.old);
          },
        },
      ],
    };
    applyKnobs([spy], box(), record, 1);
    expect(seen).toEqual(["old"]);
    expect(statSync(record).mode & 0o777).toBe(0o600);
  });

  test("a refusal is told, leaves no record, and the rest goes on", () => {
    const refusing: Knob = {
      ...(KNOBS[0] as Knob),
      name: "refusing",
      settings: () => [
        {
          id: "refusing",
          wanted: "new",
          lasts: "boot",
          read: () => "old",
          write: () => {
            throw new Error("EPERM");
          },
        },
      ],
    };
    const rows = applyKnobs([refusing, ...KNOBS], box(), record, 1);
    expect(rows[0]).toMatchObject({ outcome: "refused", why: "EPERM" });
    expect(rows.length).toBeGreaterThan(20);
    expect(readChanges(record).some(({ id }) => id === "refusing")).toBe(false);
  });

  test("after a reboot only what lasts on disk is undone", () => {
    applyKnobs(KNOBS, box(), record, 1);
    writeFileSync(`${root}/proc/sys/kernel/random/boot_id`, "second-boot");
    writeFileSync(`${root}/proc/sys/vm/swappiness`, "50");
    const rows = undoKnobs(KNOBS, box(), record);
    expect(rows.map(({ id }) => id)).toEqual(["/etc/default/grub.d/60-sandpiper.cfg"]);
    expect(readFileSync(`${root}/proc/sys/vm/swappiness`, "utf8")).toBe("50");
    expect(readChanges(record)).toEqual([]);
  });

  test("of several mounts on /dev/shm the uppermost counts, which is the one that a remount changes", () => {
    const lines = ["rw,size=1k", "rw,huge=within_size"].map((options) => `tmpfs /dev/shm tmpfs ${options} 0 0\n`);
    const huge = () => checkKnobs(KNOBS, box()).find(({ knob }) => knob.name === "huge-pages")?.value;
    writeFileSync(`${root}/proc/mounts`, lines.join(""));
    expect(huge()).toBe("within_size");
    writeFileSync(`${root}/proc/mounts`, lines.reverse().join(""));
    expect(huge()).toBe("never");
  });

  test("undo reaches a file that no knob wants any more", () => {
    const big = box();
    applyKnobs(KNOBS, big, record, 1);
    const small: Box = { ...big, plan: { seats: [], shared: [0], idle: [], notes: [] } };
    expect(undoKnobs(KNOBS, small, record).filter(({ outcome }) => outcome === "refused")).toEqual([]);
    expect(readFileSync(`${root}/proc/sys/kernel/timer_migration`, "utf8")).toBe("1");
  });

  test.each(["{}", "[1]", '[{"id":"x"}]'])("a record that is not one is refused: %p", (text) => {
    applyKnobs(KNOBS, box(), record, 1);
    writeFileSync(record, text);
    chmodSync(record, 0o600);
    expect(() => undoKnobs(KNOBS, box(), record)).toThrow("Cannot read");
  });
});
