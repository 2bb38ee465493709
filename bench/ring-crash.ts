/**
 * kill -9 at random instants of either side of a ring in /dev/shm: is a committed record lost, torn, or taken twice?
 * `bun bench/ring-crash.ts [KILLS = 10000] [SEED]`, half of the kills on fixed slots and half on byte records. About 0.1 s
 * a kill: each needs a new process.
 */
import { crashRing } from "../src/memory/test-ring-crash.ts";
import { machine, table } from "./report.ts";

const kills = Number(process.argv[2] ?? 10_000);
const seed = process.argv[3] ?? "crash";
const rows: string[][] = [];
for (const kind of ["slots", "bytes"] as const) {
  const half = kind === "slots" ? Math.ceil(kills / 2) : Math.floor(kills / 2);
  const { taken, lost, torn, twice, again, againMax, damage } = await crashRing(kind, half, seed);
  rows.push([kind, half, taken, lost, torn, twice, again, againMax, damage.length].map(String));
}
const head = [
  "ring",
  "kills",
  "records taken",
  "lost",
  "torn",
  "taken twice",
  "offered again",
  "most per death",
  "damaged",
];
console.log(`${table(head, rows)}\n\nSeed ${seed}. ${machine()}`);
