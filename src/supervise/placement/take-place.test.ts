import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { planPlacement } from "./plan.ts";
import { type Place, placeOf, takePlace } from "./take-place.ts";

const MODULE = JSON.stringify(join(import.meta.dir, "take-place.ts"));

/** What a process of its own says after it took its place; so the test's own stays where it is. */
async function answerOf(program: string): Promise<unknown> {
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  return JSON.parse(await new Response(child.stdout).text());
}

const core = (id: number) => ({ id, siblings: [id], node: id < 4 ? 0 : 1, isolated: false, tickless: false });
const plan = planPlacement({ cores: Array.from({ length: 8 }, (_, id) => core(id)), nodes: [0, 1], nics: [] });

describe("placeOf()", () => {
  test("gives a process the seats of its threads, and everybody the shared cores", () => {
    expect(placeOf(plan, "arbitrage", 2)).toEqual({
      cores: { arbitrage: 7, "arbitrage-io": 5 },
      shared: "0-3",
      node: 1,
    });
    expect(placeOf(plan, "gateway", 2)).toEqual({ cores: {}, shared: "0-3" });
    expect(placeOf(plan, "feed", 1)).toEqual({ cores: { feed: 6 }, shared: "0-3" });
  });

  test("is nothing where nobody owns a core", () => {
    expect(placeOf({ ...plan, seats: [] }, "arbitrage", 1)).toBeUndefined();
  });
});

describe("takePlace()", () => {
  test("pins the main thread, and placeHelpers() moves what it started to the shared cores", async () => {
    const place: Place = { cores: { arbitrage: 0 }, shared: "1" };
    const said = await answerOf(`
      import { readdirSync, readFileSync } from "node:fs";
      import { placeHelpers, takePlace } from ${MODULE};
      const place = ${JSON.stringify(place)};
      const { got, refused } = takePlace(place, "arbitrage");
      const worker = new Worker("data:text/javascript,postMessage(1)");
      await new Promise((resolve) => { worker.onmessage = resolve; });
      const moved = placeHelpers(place, "arbitrage");
      // A helper of the runtime may end between the listing and this.
      const statusOf = (id) => { try { return readFileSync("/proc/self/task/" + id + "/status", "utf8"); } catch { return ""; } };
      const cores = (id) => /Cpus_allowed_list:\\s*(.*)/.exec(statusOf(id))?.[1];
      const onOwned = readdirSync("/proc/self/task").filter((id) => cores(id) === "0").map(Number);
      console.log(JSON.stringify({ moved: moved > 0, alone: onOwned.length === 1 && onOwned[0] === process.pid, got, words: got.length + refused.length }));
      process.exit(0);`);
    expect(said).toMatchObject({ moved: true, alone: true, words: 3 });
    expect((said as { got: string[] }).got).toContain("core 0");
  });

  test("says what the kernel refused, and goes on", () => {
    expect(takePlace({ cores: {}, shared: "1000" }, "gateway")).toEqual({
      got: [],
      refused: ["cores 1000: one of them is not this process's to use"],
    });
  });
});
