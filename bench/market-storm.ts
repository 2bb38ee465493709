/**
 * A recorded Yellowstone stream in foul weather: looped for so many minutes of its own time, with connections that break
 * and resume, repeats and overtakings out of a seed; then the same with a server that forgets. Its state must be that of
 * the undisturbed run, and no gap untold.
 *
 *   bun bench/market-storm.ts FILE [--minutes 30] [--seed 1]
 */
import { parseArgs } from "node:util";
import { seededRandom } from "#core/random.ts";
import { readUpdate } from "#market/live/read-update.ts";
import { readRecordedStream } from "#market/live/recorded-stream.ts";
import type { LiveUpdate } from "#market/live/update.ts";
import { disturbed, looped, type StormReport, undisturbed } from "../test/support/stream-storm.ts";

const SLOT_MS = 400;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string", default: "30" }, seed: { type: "string", default: "1" } },
});
const [path] = positionals;
if (path === undefined) throw new Error("Cannot make a storm: a recorded stream, was nothing");
const isSlotUpdate = (update: LiveUpdate | undefined): update is Extract<LiveUpdate, { readonly slot: number }> =>
  update !== undefined && update.kind !== "ping" && update.kind !== "transaction";
const updates = readRecordedStream(path).map(readUpdate).filter(isSlotUpdate);
const slots = updates.filter(({ kind }) => kind === "block").length;
const passes = Math.ceil((Number(values.minutes) * 60_000) / (slots * SLOT_MS));
const stream = () => looped(updates, passes);
const weather = { disconnect: 0.0002, duplicate: 0.02, reorder: 0.02 };

const rows: Record<string, unknown>[] = [];
function timed(name: string, run: () => StormReport): StormReport {
  const startNs = Bun.nanoseconds();
  const report = run();
  const { delivered, disconnects, duplicates, reordered, gaps, lostSlots, untold } = report;
  const seconds = (Bun.nanoseconds() - startNs) / 1e9;
  const perSecond = Math.round(delivered / seconds);
  const slotsLost = lostSlots.size;
  rows.push({
    name,
    delivered,
    perSecond,
    disconnects,
    duplicates,
    reordered,
    gaps: gaps.length,
    slotsLost,
    untold: untold.length,
  });
  return report;
}

const fair = timed("undisturbed", () => undisturbed(stream()));
const foul = timed("resumes", () => disturbed(stream(), { ...weather, random: seededRandom(values.seed), forgets: 0 }));
const lost = timed("forgets", () => disturbed(stream(), { ...weather, random: seededRandom(values.seed), forgets: 1 }));
console.table(rows);
const equal = foul.digest === fair.digest;
process.stdout.write(
  `${passes} passes, ${passes * slots} slots; state after the storm ${equal ? "equal" : "DIFFERENT"}; `,
);
process.stdout.write(`${lost.untold.length + foul.untold.length} gaps untold\n`);
process.exit(equal && lost.untold.length + foul.untold.length === 0 ? 0 : 1);
