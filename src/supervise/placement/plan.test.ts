import { afterEach, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { coreMask, formatCores, parseCores } from "./cores.ts";
import { type PlacementPlan, planPlacement } from "./plan.ts";
import { makeMachine, type TestMachine } from "./test-machine.ts";
import { readTopology, type Topology } from "./topology.ts";

let made: string[] = [];
afterEach(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
  made = [];
});

function topologyOf(machine: TestMachine): Topology {
  const root = makeMachine(machine);
  made.push(root);
  return readTopology(root);
}

const seatsOf = (plan: PlacementPlan) => Object.fromEntries(plan.seats.map(({ name, core }) => [name, core]));

describe("lists of cores", () => {
  test.each([
    ["0-3,8", [0, 1, 2, 3, 8], "10f"],
    ["0", [0], "1"],
    ["", [], "0"],
    ["2,0-1\n", [0, 1, 2], "7"],
    ["32-33", [32, 33], "3,00000000"],
    ["x,3-1,-2", [], "0"],
  ])("%p is %p, mask %p", (list, cores, mask) => {
    expect(parseCores(list)).toEqual(cores);
    expect(coreMask(cores)).toBe(mask);
    expect(parseCores(formatCores(cores))).toEqual(cores);
  });

  test("formatCores() and parseCores() are inverse", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 300 })), (cores) => {
        expect(parseCores(formatCores(cores))).toEqual(cores.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe("planPlacement()", () => {
  test("leaves a small machine to everybody", () => {
    for (const physicalCores of [1, 2, 3]) {
      const plan = planPlacement(topologyOf({ physicalCores, threadsPerCore: 2, nodes: 1 }));
      expect([plan.seats.length, plan.shared.length]).toEqual([0, physicalCores * 2]);
      expect(plan.notes[0]).toContain(`${physicalCores} physical cores: all threads share`);
    }
  });

  test("gives the hot thread the last of four cores", () => {
    const plan = planPlacement(topologyOf({ physicalCores: 4, threadsPerCore: 1, nodes: 1 }));
    expect(seatsOf(plan)).toEqual({ arbitrage: 3 });
    expect(plan.shared).toEqual([0, 1, 2]);
    expect(plan.notes.join()).toContain("no core for feed, arbitrage-io, mev");
  });

  test("takes isolated cores first and leaves their other threads empty", () => {
    const plan = planPlacement(topologyOf({ physicalCores: 8, threadsPerCore: 2, nodes: 1, isolated: "2-3,10-11" }));
    expect(seatsOf(plan)).toEqual({ arbitrage: 3, feed: 2, "arbitrage-io": 7, mev: 6 });
    expect(plan.idle).toEqual([10, 11, 14, 15]);
    expect(plan.shared).toEqual([0, 1, 4, 5, 8, 9, 12, 13]);
    expect(plan.notes.join()).toContain("cores 7, 6 are not isolated");
  });

  test("sits on the network card's node", () => {
    const plan = planPlacement(topologyOf({ physicalCores: 16, threadsPerCore: 1, nodes: 2, nicNode: 0 }));
    expect(plan.seats.map(({ node }) => node)).toEqual([0, 0, 0, 0]);
    expect(seatsOf(plan)["arbitrage"]).toBe(7);
  });

  test("on any machine: no core twice, core 0 shared, owners' threads never shared, three physical cores left", () => {
    const machine = fc.record({
      physicalCores: fc.integer({ min: 1, max: 24 }),
      threads: fc.integer({ min: 1, max: 2 }),
      nodes: fc.integer({ min: 1, max: 2 }),
      isolatedFrom: fc.integer({ min: 3, max: 30 }),
      nicNode: fc.option(fc.integer({ min: 0, max: 1 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(machine, ({ physicalCores, threads, nodes, isolatedFrom, nicNode }) => {
        const cores = Array.from({ length: physicalCores * threads }, (_, id) => ({
          id,
          siblings: Array.from({ length: threads }, (_, thread) => (id % physicalCores) + thread * physicalCores),
          node: (id % physicalCores) % nodes,
          isolated: id % physicalCores >= isolatedFrom,
          tickless: false,
        }));
        const topology: Topology = { cores, nodes: [0, 1].slice(0, nodes), nics: [{ name: "eth0", node: nicNode }] };
        const { seats, shared, idle } = planPlacement(topology);
        const owned = seats.map(({ core }) => core);
        const placed = [...owned, ...shared, ...idle];
        expect(new Set(placed).size).toBe(placed.length);
        expect(shared).toContain(0);
        expect(owned.filter((id) => shared.some((other) => other % physicalCores === id % physicalCores))).toEqual([]);
        expect(
          new Set([...Array(physicalCores).keys()].filter((id) => !owned.some((one) => one % physicalCores === id)))
            .size,
        ).toBeGreaterThanOrEqual(Math.min(3, physicalCores));
      }),
      { numRuns: 500 },
    );
  });
});
