import { describe, expect, test } from "bun:test";
import { seededRandom } from "#core/random.ts";
import { RouteManager } from "./route-manager.ts";

const HERE = { leader: "a", hour: 1 };
const never = () => 0.99;

describe("RouteManager", () => {
  test("begins from the priors, and from the route alone where a leader is new", () => {
    const manager = new RouteManager(["jito", "tpu"] as const, never, { tpu: { pLand: 0.9 } });
    expect(manager.order(HERE, 1)).toEqual(["tpu", "jito"]);
    for (let i = 0; i < 20; i++) manager.ended("tpu", HERE, false);
    expect(manager.order(HERE, 1)).toEqual(["jito", "tpu"]);
    expect(manager.order({ leader: "b", hour: 1 }, 1)).toEqual(["jito", "tpu"]);
    for (let i = 0; i < 20; i++) manager.ended("tpu", { leader: "b", hour: 1 }, true);
    expect(manager.order({ leader: "b", hour: 1 }, 1)).toEqual(["tpu", "jito"]);
    expect(manager.order(HERE, 1)).toEqual(["jito", "tpu"]);
  });

  test("averages with the weight 0.15", () => {
    const manager = new RouteManager(["jito"] as const, never, { jito: { pLand: 0.5, rttNs: 10e6 } });
    manager.ended("jito", HERE, true);
    manager.acknowledged("jito", HERE, 20e6);
    expect(manager.estimate("jito", HERE).pLand).toBeCloseTo(0.575, 12);
    expect(manager.estimate("jito", HERE).rttNs).toBeCloseTo(11.5e6, 3);
  });

  test("sets what an attempt costs against its chance, and takes the quicker of equals", () => {
    const manager = new RouteManager(["jito", "tpu"] as const, never, { tpu: { pLand: 0.6, rttNs: 1e6 } });
    expect(manager.order(HERE, 1_000)).toEqual(["tpu", "jito"]);
    expect(manager.order(HERE, 1_000, { tpu: 200 })).toEqual(["jito", "tpu"]);
    expect(manager.order(HERE, 1_000, { tpu: 100 })).toEqual(["tpu", "jito"]);
  });

  test("keeps trying the other way now and then", () => {
    const manager = new RouteManager(["jito", "tpu"] as const, seededRandom("routes").unit, { jito: { pLand: 1 } });
    let other = 0;
    for (let i = 0; i < 10_000; i++) if (manager.order(HERE, 1)[0] === "tpu") other++;
    expect(other).toBeGreaterThan(350);
    expect(other).toBeLessThan(650);
  });
});
