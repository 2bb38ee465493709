/** The state machine over seconds of an agent: patience, steps, the latch, and the way back. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { loadConfig } from "#core/config.ts";
import { Guard, type GuardAction, PATIENCE_S, RESTORE_S } from "./guard.ts";
import { judge, objectivesOf } from "./objectives.ts";
import { SLOW, STUCK, second } from "./test-seconds.ts";
import { type Second, Windows } from "./windows.ts";

const OBJECTIVES = objectivesOf(loadConfig({ flags: [], environment: {} }).config);

/** A guard with its windows, as Watch joins them. */
class Bench {
  readonly guard: Guard;
  readonly #windows = new Windows(20e6);
  constructor(guard = new Guard()) {
    this.guard = guard;
  }

  /** So many alike seconds; the actions with the second in which each came. */
  run(seconds: number, differs: Partial<Second> = {}): string[] {
    const said: string[] = [];
    for (let i = 1; i <= seconds; i++) {
      this.#windows.push(second(differs));
      const action = this.guard.second(judge(OBJECTIVES, this.#windows));
      if (action !== undefined) this.#windows.mark();
      if (action !== undefined) said.push(`${i} ${sayAction(action)}`);
    }
    return said;
  }
}

const sayAction = ({ kind, throttlePct, because }: GuardAction): string =>
  `${kind} ${throttlePct}${because === undefined ? "" : ` ${because.objective.name}`}`;

describe("Guard", () => {
  test("does nothing on a calm day", () => {
    expect(new Bench().run(2_000)).toEqual([]);
  });

  test("climbs its steps while decisions are slow, and kills at the end", () => {
    const bench = new Bench();
    bench.run(60);
    expect(bench.run(600, SLOW)).toEqual([
      "30 throttle 50 hot-path-p99",
      "60 throttle 90 hot-path-p99",
      "90 kill 90 hot-path-p99",
    ]);
    expect(bench.guard.order()).toEqual({ throttlePct: 90, killed: true });
  });

  test("a kill is latched until an operator lifts it", () => {
    const bench = new Bench();
    bench.run(100, STUCK);
    expect(bench.guard.order().killed).toBe(true);
    expect(bench.run(1_000)).toEqual([]);
    bench.guard.lift();
    expect(bench.guard.order()).toEqual({ throttlePct: 0, killed: false });
    expect(bench.run(100)).toEqual([]);
  });

  test("kills at once, after its patience, on what is severe", () => {
    expect(new Bench().run(100, STUCK)).toEqual([`${PATIENCE_S} kill 0 hot-path-p99`]);
  });

  test("a single stall of the box is over before anything is done, however often it comes", () => {
    const bench = new Bench();
    for (let minute = 0; minute < 60; minute++)
      expect([...bench.run(1, { ...STUCK, send: STUCK.hotPath }), ...bench.run(59)]).toEqual([]);
  });

  test("takes the steps back one by one when it is good again", () => {
    const bench = new Bench();
    bench.run(60, SLOW);
    expect(bench.guard.order().throttlePct).toBe(90);
    expect(bench.run(300)).toEqual([`${RESTORE_S} restore 50`, `${2 * RESTORE_S} restore 0`]);
  });

  test("forgives what lasts less than its patience", () => {
    const bench = new Bench();
    for (let i = 0; i < 50; i++)
      expect([...bench.run(PATIENCE_S - 1, { marketLagMs: 3_000 }), ...bench.run(1)]).toEqual([]);
  });

  test.each([
    ["a silent market pauses, and the pause ends by itself", { marketLagMs: 60_000 }, "30 pause 100 market-lag"],
    ["a cluster that does not answer pauses", { chainLagMs: 60_000 }, "30 pause 100 chain-lag"],
    ["quotes that the chain disproves kill", { falseQuotesPct: 95 }, "30 kill 0 false-quotes"],
    ["a late market is throttled, then paused", { marketLagMs: 3_000 }, "30 throttle 50 market-lag"],
    ["the wall clock jumps", { clockStepMs: 5_000 }, "30 pause 100 clock-step"],
    ["nothing lands", { landed: 0 }, "34 kill 0 landed-share"],
    ["half lands", { landed: 5 }, "34 throttle 50 landed-share"],
    ["every landed bundle loses", { lostTrades: 9 }, "32 kill 0 lost-trades"],
    ["a hundred seconds lose what an hour may", { lostLamports: 6_000_000 }, "46 throttle 50 loss-per-hour"],
  ] as const)("%s", (_, differs, first) => {
    const bench = new Bench();
    expect(bench.run(120, differs)[0]).toBe(first);
  });

  test("a pause ends by itself", () => {
    const bench = new Bench();
    bench.run(40, { marketLagMs: 60_000 });
    expect(bench.guard.order()).toEqual({ throttlePct: 100, killed: false });
    bench.run(3 * RESTORE_S);
    expect(bench.guard.order()).toEqual({ throttlePct: 0, killed: false });
  });

  test("too few samples say nothing", () => {
    expect(new Bench().run(120, { settled: 0, landed: 0, lostTrades: 0 })).toEqual([]);
    const bench = new Bench();
    // One bundle in ten seconds, none landed: the fiftieth is asked for.
    const said = Array.from({ length: 12 }, () => [
      ...bench.run(1, { settled: 1, landed: 0 }),
      ...bench.run(9, { settled: 0, landed: 0 }),
    ]);
    expect(said.flat()).toEqual([]);
  });

  test("goes on with what was in force before it was restarted", () => {
    expect(new Guard({ throttlePct: 90, killed: true }).order()).toEqual({ throttlePct: 90, killed: true });
    expect(new Guard({ throttlePct: 100, killed: false }).order()).toEqual({ throttlePct: 100, killed: false });
    const bench = new Bench(new Guard({ throttlePct: 50, killed: false }));
    expect(bench.run(RESTORE_S)).toEqual([`${RESTORE_S} restore 0`]);
  });

  test("never kills within its patience, and never lifts a kill", () => {
    const any = fc.array(fc.constantFrom<Partial<Second>>({}, SLOW, STUCK, { landed: 0 }, { marketLagMs: 1e5 }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(any, (seconds) => {
        const bench = new Bench();
        let killed = false;
        let bad = 0;
        for (const differs of seconds) {
          const before = bench.guard.order().killed;
          bench.run(1, differs);
          bad = Object.keys(differs).length > 0 ? bad + 1 : bad;
          killed ||= bench.guard.order().killed;
          expect(before && !bench.guard.order().killed).toBe(false);
        }
        // A p99 over some seconds stays bad for a while after one bad second, so the bad seconds alone are no bound.
        if (seconds.length < PATIENCE_S || bad === 0) expect(killed).toBe(false);
      }),
      { numRuns: 40 },
    );
  });
});
