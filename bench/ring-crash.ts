/**
 * kill -9 at random instants of either side of a ring in /dev/shm: is a committed record lost, torn, or taken twice?
 * `bun bench/ring-crash.ts [KILLS = 10000] [SEED] [RINGS = 4]`, half of the kills on fixed slots and half on byte records.
 * About 0.1 s of a core a kill, for each needs a new process; so several rings, each with its own two ends and its own
 * random instants, are killed side by side. Says on stderr how far it is.
 */
import { type CrashCount, crashRing } from "../src/memory/test-ring-crash.ts";
import { machine, table } from "./report.ts";

/** Kills of one ring before the next begins. */
const KILLS_PER_RING = 125;
const COLUMNS = ["kills", "taken", "lost", "torn", "twice", "again"] as const;

const kills = Number(process.argv[2] ?? 10_000);
const seed = process.argv[3] ?? "crash";
const side = Number(process.argv[4] ?? 4);
const startMs = performance.now();

type Share = { readonly kind: "slots" | "bytes"; readonly kills: number; readonly seed: string };

function shares(): Share[] {
  const all: Share[] = [];
  for (const kind of ["slots", "bytes"] as const) {
    let left = kind === "slots" ? Math.ceil(kills / 2) : Math.floor(kills / 2);
    for (; left > 0; left -= KILLS_PER_RING)
      all.push({ kind, kills: Math.min(left, KILLS_PER_RING), seed: `${seed} ${all.length}` });
  }
  return all;
}

/** Each takes the next share until there is none. */
async function work(left: Share[], done: { slots: CrashCount[]; bytes: CrashCount[] }): Promise<void> {
  for (let share = left.shift(); share !== undefined; share = left.shift()) {
    done[share.kind].push(await crashRing(share.kind, share.kills, share.seed));
    const so = [...done.slots, ...done.bytes].reduce((sum, count) => sum + count.kills, 0);
    console.error(`${so} of ${kills} kills, ${((performance.now() - startMs) / 1e3).toFixed(0)} s`);
  }
}

const left = shares();
const done = { slots: [] as CrashCount[], bytes: [] as CrashCount[] };
await Promise.all(Array.from({ length: side }, () => work(left, done)));
const rows = (["slots", "bytes"] as const).map((kind) => [
  kind,
  ...COLUMNS.map((column) => String(done[kind].reduce((sum, count) => sum + count[column], 0))),
  String(Math.max(0, ...done[kind].map(({ againMax }) => againMax))),
  String(done[kind].reduce((sum, { damage }) => sum + damage.length, 0)),
]);
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
const seconds = ((performance.now() - startMs) / 1e3).toFixed(0);
console.log(`${table(head, rows)}\n\nSeed ${seed}, ${side} rings side by side, ${seconds} s. ${machine()}`);
