/** Several regions of the local block engine as one route, and its tip stream. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ManualClock } from "#core/clock.ts";
import type { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { compileMessage } from "#execute/message.ts";
import { transferLamports } from "#execute/plan.ts";
import { startWorld, type World } from "#execute/test-world.ts";
import { signTransaction } from "#execute/transaction.ts";
import { BlockEngine } from "#sim/block-engine/block-engine.ts";
import { type BlockEngineDoor, startBlockEngineDoor } from "#sim/block-engine/door.ts";
import { type JitoRegions, openJitoRegions } from "./jito-regions.ts";

const PER_SECOND_MAX = 3;
const WAIT_MS = 60_000;
let world: World;
let doors: BlockEngineDoor[];
const clock = new ManualClock(0n, 1e9);

beforeAll(async () => {
  world = await startWorld();
  const second = new BlockEngine(world.cluster, { clock: world.clock });
  // Time stands still: each region answers this often, then says 429.
  doors = [world.engine, second].map((engine) =>
    startBlockEngineDoor(engine, { port: 0, requestsPerSecondMax: PER_SECOND_MAX }),
  );
});
afterAll(async () => {
  await Promise.all(doors.map((door) => door.stop()));
  await world.stop();
});

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await what())) {
    if (Date.now() > deadline) throw new Error("it did not come about");
    await Bun.sleep(5);
  }
}
const open = (...urls: string[]): Promise<JitoRegions> => openJitoRegions({ urls, clock, random: () => 0 });
const urls = () => doors.map(({ url }) => url);

describe("openJitoRegions()", () => {
  test("begins with what answers, and without any says what one alone would", async () => {
    const gone = "http://127.0.0.1:1";
    const opening = open(gone, gone);
    expect(await opening.catch((thrown: SandpiperError) => [thrown.code, thrown.retry])).toEqual([1106, "later"]);
    const route = await open(gone, world.engineDoor.url);
    expect(route.tipAccount()).not.toBe("");
    expect(route.health.healthy).toBe(true);
    route.close();
  });

  test("offers a bundle that one region refuses with 429 to the next", async () => {
    const route = await open(...urls());
    const answers: string[] = [];
    // What is no transaction is refused by whoever takes the call.
    while (answers.length < 10 && answers.at(-1)?.includes("429") !== true) {
      const answer = await route.send(new Uint8Array(20).fill(1), "our-id");
      answers.push(answer.kind === "accepted" ? answer.kind : answer.why);
    }
    expect(answers.at(-1)).toContain("429");
    // More than one region lets through, its tip accounts not counted.
    expect(answers.length - 1).toBeGreaterThanOrEqual(PER_SECOND_MAX);
    expect(route.health.healthy).toBe(false);
    clock.advanceNs(10e9);
    expect(route.health.healthy).toBe(true);
    route.close();
  });

  test("asks the region that has a bundle for its status", async () => {
    const other = startBlockEngineDoor(new BlockEngine(world.cluster, { clock: world.clock }), { port: 0 });
    const both = await open(world.engineDoor.url, other.url);
    const { blockhash } = world.cluster.latestBlockhash();
    const tip = transferLamports(world.wallet.address, both.tipAccount() as Address, 50_000n);
    const message = compileMessage({ payer: world.wallet.address, blockhash, instructions: [tip] });
    const answer = await both.send(signTransaction(message, [world.wallet.keypair]), "our-id");
    const id = answer.kind === "accepted" ? answer.routeId : "";
    expect(id).not.toBe("");
    expect(await both.statuses(["else", id])).toEqual([{ kind: "unknown" }, { kind: "pending" }]);
    const later = await open(other.url, world.engineDoor.url);
    expect(await later.statuses([id])).toEqual([{ kind: "pending" }]);
    const alone = await Promise.all([open(world.engineDoor.url), open(other.url)]);
    const kinds = await Promise.all(alone.map(async (one) => (await one.statuses([id]))?.[0]?.kind));
    expect(kinds.sort()).toEqual(["pending", "unknown"]);
    for (const route of [both, later, ...alone]) route.close();
    await other.stop();
  });
});

test("TipStream hears the floor of the block engine, and says when it hears no more", async () => {
  const door = startBlockEngineDoor(world.engine, { port: 0, requestsPerSecondMax: 1_000 });
  const route = await open(door.url);
  world.engine.tipFloor.record(250_000n);
  await until(() => route.tipFloorLamports === 250_000);
  await door.stop();
  clock.advanceNs(11e9);
  // Now it would be asked for, and nobody answers.
  await route.refreshTipFloor();
  expect(route.tipFloorLamports).toBe(0);
  route.close();
});
