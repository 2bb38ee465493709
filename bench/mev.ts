/**
 * The sandwich detector: swaps per second of CPU and memory as the window grows, against the swap rate of a real block of mainnet;
 * and with `--day`, a day of slots of a small market, where memory must stay flat.
 *
 *   bun bench/mev.ts [swaps]        bun bench/mev.ts --day
 */
import { labelledRow } from "#cli/labelled-run.ts";
import { SandwichDetector } from "#mev/sandwich-detector.ts";
import type { MevTransaction } from "#mev/trade.ts";
import { writeLabelledRun } from "#sim/labelled/labelled-run.ts";

const WINDOWS_SLOTS = [1, 8, 25, 50, 100, 200, 400];
const SWAPS = 120_000;
const WARM_SWAPS = 20_000;
/** Swaps of six programs in the block of slot 285000037 (docs/mev-scan.md), one slot of 400 ms. */
const MAINNET_SWAPS_PER_SECOND = 125 / 0.4;
const AIM_TIMES = 50;
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
  const slots = (transactions.at(-1)?.slot ?? 0) - (transactions[0]?.slot ?? 0);
  console.log(`${swaps} swaps timed after ${WARM_SWAPS} more, ${(swaps / slots).toFixed(0)} per slot`);
  console.log("| window, slots | swaps per CPU second | µs a swap | times mainnet's rate | state, MiB | findings |");
  console.log("| ------------: | -------------------: | --------: | -------------------: | ---------: | -------: |");
  for (const windowSlots of WINDOWS_SLOTS) {
    let detector = new SandwichDetector({ windowSlots });
    let [at, findings] = [0, 0];
    for (; detector.counters.trades < WARM_SWAPS; at++) detector.see(transactions[at] as MevTransaction);
    const [started, trades] = [process.cpuUsage(), detector.counters.trades];
    for (; at < transactions.length; at++) findings += detector.see(transactions[at] as MevTransaction).length;
    // CPU time of all threads, garbage collection and compiler included: the wall's time measures who else is here.
    const { user, system } = process.cpuUsage(started);
    const seconds = (user + system) / 1e6;
    const perSecond = (detector.counters.trades - trades) / seconds;
    const held = heapBytes();
    findings += detector.flush().length;
    // What goes with it is what it held.
    detector = new SandwichDetector({ windowSlots });
    const state = held - heapBytes();
    const cells = [
      windowSlots,
      Math.round(perSecond),
      (1e6 / perSecond).toFixed(1),
      (perSecond / MAINNET_SWAPS_PER_SECOND).toFixed(0),
      (state / MIB).toFixed(1),
      findings,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  console.log(
    `mainnet: ${MAINNET_SWAPS_PER_SECOND} swaps/s in that block; the aim is ${AIM_TIMES} times that on one core`,
  );
}

/** Transactions go from the generator into the detector and are gone. */
function day(): void {
  const detector = new SandwichDetector({ windowSlots: 200 });
  let [slots, sandwiches, findings] = [0, 0, 0];
  console.log("| hour | swaps | findings | heap, MiB | resident, MiB |");
  console.log("| ---: | ----: | -------: | --------: | ------------: |");
  const started = Bun.nanoseconds();
  writeLabelledRun({ seed: "a day", swaps: Number.POSITIVE_INFINITY, slots: DAY_SLOTS, ordersPerSlot: 2 }, (row) => {
    if (row.type === "attack" && row.sandwich) sandwiches++;
    if (row.type === "transaction") {
      const read = labelledRow(row);
      if (read.type === "transaction") findings += detector.see(read.transaction).length;
    }
    if (row.type !== "slot" || ++slots % SLOTS_PER_HOUR !== 0) return;
    const heap = (heapBytes() / MIB).toFixed(1);
    const resident = (process.memoryUsage.rss() / MIB).toFixed(0);
    console.log(`| ${slots / SLOTS_PER_HOUR} | ${detector.counters.trades} | ${findings} | ${heap} | ${resident} |`);
  });
  findings += detector.flush().length;
  const minutes = (Bun.nanoseconds() - started) / 60e9;
  console.log(
    `${sandwiches} sandwiches, ${findings} findings; ${minutes.toFixed(1)} minutes for a day; dropped ${detector.counters.droppedTrades}`,
  );
}

function heapBytes(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}
