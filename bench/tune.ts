/**
 * `sandpiper tune check`, then `apply`, then `undo`, of every knob of this machine, in a network and a mount namespace: each
 * setting's value and verdict before, with apply, and after undo; and every value of the kernel's trees that holds knobs,
 * read by grep and not by us, compared before and after. Knobs without a namespace (vm, huge pages) are the machine's own:
 * they are changed for some seconds. Nothing to compare it with.
 *
 *   bun bench/tune.ts [machine]        as root; machine: no network namespace, whose net.core cannot be written
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machine, table } from "./report.ts";

const ROOT = join(import.meta.dir, "..");
const INSIDE = "inside";
/** Where the knobs' settings are; what counts by itself is left out. */
const TREES = [
  "/proc/sys/vm",
  "/proc/sys/net",
  "/proc/sys/kernel",
  "/sys/kernel/mm/transparent_hugepage",
  "/sys/kernel/mm/ksm",
];
const COUNTS =
  /\/(stats?|random|ns_last_pid|pty)(\/|:)|pages_|full_scans|sched_domain|ksm\/(general|ksm_)|perf_event_max_sample|conntrack/;
const VALUE_CHARS_MAX = 28;

type Row = { knob: string; setting?: string; value?: string; verdict: string; why: string };

function run(...command: string[]): string {
  return Bun.spawnSync(command, { stderr: "ignore" }).stdout.toString();
}

function tune(folder: string, ...args: string[]): string {
  const main = join(ROOT, "src/cli/main.ts");
  return run(process.execPath, main, "tune", ...args, "--record", join(folder, "record.json"));
}

function check(folder: string): Row[] {
  return tune(folder, "check", "--json")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

function everything(): Map<string, string> {
  const lines = [
    ...run("grep", "-rs", "", ...TREES).split("\n"),
    `/dev/shm: ${run("findmnt", "-no", "OPTIONS", "/dev/shm").trim().split("\n").at(-1)}`,
  ];
  return new Map(lines.filter((line) => !COUNTS.test(line)).map((line, i) => [`${i} ${line}`, line]));
}

function differences(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string[] {
  const [before, after] = [new Set(a.values()), new Set(b.values())];
  return [...before].filter((line) => !after.has(line));
}

function inside(): void {
  // A /dev/shm of our own, mounted as the machine's.
  run("mount", "-t", "tmpfs", "tmpfs", "/dev/shm");
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-tune-"));
  const [before, valuesBefore] = [check(folder), everything()];
  const applied = tune(folder, "apply");
  const [during, valuesDuring] = [check(folder), everything()];
  const undone = tune(folder, "undo");
  const [after, valuesAfter] = [check(folder), everything()];
  rmSync(folder, { recursive: true });
  const brief = (row: Row | undefined) => (row?.value ?? row?.why ?? "").slice(0, VALUE_CHARS_MAX) || "–";
  const same = (row: Row, rows: readonly Row[]) =>
    rows.find(({ knob, setting }) => knob === row.knob && setting === row.setting);
  const rows = before.map((row) => [
    row.knob,
    (row.setting ?? "").replace(/^\/(proc\/sys|sys\/kernel\/mm)\//, ""),
    brief(row),
    row.verdict,
    ...[during, after].map((then) => brief(same(row, then))),
  ]);
  console.log(table(["knob", "setting", "value", "verdict", "applied", "undone"], rows));
  const changed = before.filter((row) => brief(row) !== brief(same(row, during)));
  const left = before.filter((row) => row.value !== same(row, after)?.value);
  console.log(`apply: ${applied.trim().split("\n").at(-1)}; undo: ${undone.trim().split("\n").at(-1)}`);
  console.log(`${before.length} settings, ${changed.length} changed by apply, ${left.length} not as before after undo`);
  console.log(
    `${valuesBefore.size} values of ${TREES.join(", ")} and /dev/shm: ${differences(valuesBefore, valuesDuring).length} changed by apply, ${differences(valuesBefore, valuesAfter).length} not as before after undo`,
  );
  for (const line of differences(valuesBefore, valuesAfter)) console.log(`not as before: ${line}`);
}

if (process.argv[2] === INSIDE) inside();
else {
  const network = process.argv[2] === "machine" ? [] : ["--net"];
  const ran = Bun.spawnSync(["unshare", ...network, "--mount", process.execPath, import.meta.path, INSIDE], {
    stdout: "inherit",
    stderr: "inherit",
  });
  console.log(machine());
  process.exitCode = ran.exitCode;
}
