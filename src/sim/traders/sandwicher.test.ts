/** The sandwicher on the market in the box, and the mev agent's own way from the cluster's transactions to findings. */
import { expect, test } from "bun:test";
import { testMarket } from "#sim/fixture.ts";

test("Sandwicher.around() buys before and sells behind larger purchases, and gains by it", async () => {
  const stage = await testMarket({ rivals: 0, tradesPerSlot: 40, sandwichShare: 1 });
  const { sandwicher } = stage.box;
  const wallet = sandwicher.wallet.keypair.address;
  const legs: string[] = [];
  stage.cluster.onTransaction(({ error, parsed }) => {
    if (parsed.staticKeys[0] === wallet) legs.push(error === null ? "landed" : "failed");
  });
  await stage.runSlots(12);
  expect(sandwicher.counters.attacks).toBeGreaterThan(5);
  expect(sandwicher.counters.failed).toBe(0);
  expect(legs.every((leg) => leg === "landed")).toBe(true);
  // Each attack is two transactions; the last may still wait for the next slot.
  expect(legs.length).toBeGreaterThanOrEqual(2 * sandwicher.counters.attacks - 1);
  expect(legs.length).toBeLessThanOrEqual(2 * sandwicher.counters.attacks);
}, 60_000);

test("Sandwicher.around() does nothing at share 0, and the script goes on as before", async () => {
  const stage = await testMarket({ rivals: 0 });
  await stage.runSlots(5);
  expect(stage.box.sandwicher.counters).toEqual({ attacks: 0, failed: 0 });
  expect(stage.box.traders.counters.landed).toBeGreaterThan(5);
}, 60_000);
