/**
 * The sandwich detector: swaps per second of CPU and memory as the window grows, against the swap rate of a real block of
 * mainnet; and with `--day`, a day of slots of a small market, where memory must stay flat.
 *
 *   bun bench/mev.ts [swaps]        bun bench/mev.ts --day
 */
import { labelledRow } from "#cli/labelled-run.ts";
import { SandwichDetector } from "#mev/sandwich-detector.ts";
import type { MevTransaction } from "#mev/trade.ts";
import { writeLabelledRun } from "#sim/labelled/labelled-run.ts";
import { machine, short, table } from "./report.ts";

const WINDOWS_SLOTS = [1, 8, 50, 100, 200, 400];
const SWAPS = 60_000;
const WARM_SWAPS = 20_000;
/** Swaps of six programs in the block of slot 285000037 (docs/mev-scan.md), one slot of 400 ms. */
const MAINNET_SWAPS_PER_SECOND = 125 / 0.4;
const DAY_SLOTS = 216_000;
const SLOTS_PER_HOUR = 9_000;
const MIB = 1_048_576;

if (process.argv[2] === "--day") day();
else windows(Number(process.argv[2] ?? SWAPS));

function windows(swaps: number): void {
  const transactions: MevTransaction[] = [];
  writeLabelledRun({ seed: "bench", swaps: swaps + WARM_SWAPS }, (row) => {
    if (row.type !== "transaction") return;
    const read = labelledRow(row);
    if (read.type === "transaction") transactions.push(read.transaction);
  });
  // Until the generator's garbage is gone the first figure would be of it.
  stateBytes(transactions, 1);
  const rows = WINDOWS_SLOTS.map((windowSlots) => {
    const { perSecond, findings } = timed(transactions, windowSlots);
    const state = short(stateBytes(transactions, windowSlots) / MIB);
    const times = short(perSecond / MAINNET_SWAPS_PER_SECOND);
    return [`${windowSlots}`, short(perSecond), short(1e6 / perSecond), times, state, `${findings}`];
  });
  const head = ["window, slots", "swaps per CPU second", "µs a swap", "times mainnet's rate", "state, MiB", "findings"];
  console.log(`${table(head, rows)}\n`);
  console.log(`${swaps} swaps after ${WARM_SWAPS} more; mainnet: ${MAINNET_SWAPS_PER_SECOND} swaps/s. ${machine()}`);
}

function timed(transactions: readonly MevTransaction[], windowSlots: number) {
  const detector = new SandwichDetector({ windowSlots });
  let [at, findings] = [0, 0];
  for (; detector.counters.trades < WARM_SWAPS; at++) detector.see(transactions[at] as MevTransaction);
  const [started, trades] = [process.cpuUsage(), detector.counters.trades];
  for (; at < transactions.length; at++) findings += detector.see(transactions[at] as MevTransaction).length;
  // CPU time of all threads, garbage collection and compiler included: the wall's time measures who else is here.
  const { user, system } = process.cpuUsage(started);
  return { perSecond: (detector.counters.trades - trades) / ((user + system) / 1e6), findings };
}

/** What the detector holds at the end, the trades in its windows included: it is given copies that nobody else keeps. */
function stateBytes(transactions: readonly MevTransaction[], windowSlots: number): number {
  const before = heapBytes();
  const detector = new SandwichDetector({ windowSlots });
  for (const transaction of transactions) detector.see(structuredClone(transaction));
  const held = heapBytes() - before;
  return detector.counters.trades > 0 ? held : 0;
}

/** Transactions go from the generator into the detector and are gone. */
function day(): void {
  const detector = new SandwichDetector({ windowSlots: 200 });
  let [slots, sandwiches, findings] = [0, 0, 0];
  const rows: string[][] = [];
  const started = Bun.nanoseconds();
  writeLabelledRun({ seed: "a day", swaps: Number.POSITIVE_INFINITY, slots: DAY_SLOTS, ordersPerSlot: 2 }, (row) => {
    if (row.type === "attack" && row.sandwich) sandwiches++;
    if (row.type === "transaction") {
      const read = labelledRow(row);
      if (read.type === "transaction") findings += detector.see(read.transaction).length;
    }
    if (row.type !== "slot" || ++slots % SLOTS_PER_HOUR !== 0) return;
    const memory = [short(heapBytes() / MIB), short(process.memoryUsage.rss() / MIB)];
    rows.push([`${slots / SLOTS_PER_HOUR}`, `${detector.counters.trades}`, `${findings}`, ...memory]);
  });
  findings += detector.flush().length;
  console.log(`${table(["hour", "swaps", "findings", "heap, MiB", "resident, MiB"], rows)}\n`);
  const minutes = short((Bun.nanoseconds() - started) / 60e9);
  const dropped = detector.counters.droppedTrades;
  console.log(
    `${sandwiches} sandwiches, ${findings} findings, ${dropped} trades dropped; ${minutes} minutes. ${machine()}`,
  );
}

function heapBytes(): number {
  for (let i = 0; i < 3; i++) Bun.gc(true);
  return process.memoryUsage().heapUsed;
}
