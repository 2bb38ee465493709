/** The kernel's figures of real threads: a process that works, with a second thread by the name of a seat. */
import { afterAll, expect, test } from "bun:test";
import type { ThreadReport } from "#core/run-report.ts";
import type { PlacementPlan } from "./placement/plan.ts";
import { ThreadTimes } from "./thread-times.ts";

const WORK = `setInterval(() => {}, 1)`;
const child = Bun.spawn(
  [
    process.execPath,
    "-e",
    `new Worker("data:text/javascript,${encodeURIComponent(WORK)}", { name: "arbitrage-io" }); ${WORK}`,
  ],
  { stdout: "ignore", stderr: "inherit" },
);
afterAll(() => child.kill());

const seat = { name: "arbitrage", process: "arbitrage", core: 5, node: 0, isolated: true } as const;
const plan: PlacementPlan = { seats: [seat], shared: [0, 1], idle: [], notes: [] };
const times = new ThreadTimes(plan);

/** Looks until the figures are as wanted; the deadline is far beyond what threads need to start and run. */
async function seen(wanted: (threads: readonly ThreadReport[]) => boolean): Promise<readonly ThreadReport[]> {
  const deadlineMs = Date.now() + 20_000;
  for (;;) {
    const threads = times.of("arbitrage", child.pid) ?? [];
    if (wanted(threads)) return threads;
    if (Date.now() > deadlineMs) throw new Error(`not seen: ${JSON.stringify(threads)}`);
    await Bun.sleep(20);
  }
}

test("ThreadTimes.of() finds the main thread and those with a seat, with their cores, and what they run grows", async () => {
  const first = await seen((threads) => threads.length === 2);
  expect(first.map(({ name, core }) => [name, core])).toEqual([
    ["arbitrage", "5"],
    ["arbitrage-io", "shared"],
  ]);
  expect(first[0]?.id).toBe(child.pid);
  const later = await seen((threads) =>
    threads.every(({ turns, ranMs }, i) => turns > (first[i]?.turns ?? 0) && ranMs > (first[i]?.ranMs ?? 0)),
  );
  expect(later.every(({ waitedMs }, i) => waitedMs >= (first[i]?.waitedMs ?? 0))).toBe(true);
});

test("ThreadTimes.of() has no figures of a process that is gone, and those of the next one with its name", async () => {
  const gone = Bun.spawn(["true"]);
  await gone.exited;
  expect(times.of("arbitrage", gone.pid)).toBeUndefined();
  expect(times.of("arbitrage", process.pid)?.map(({ id }) => id)).toEqual([process.pid]);
});
