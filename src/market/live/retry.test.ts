import { expect, test } from "bun:test";
import { seededRandom } from "#core/random.ts";
import { Retry } from "./retry.ts";

const limits = { retryMsMin: 50, retryMsMax: 1_000 };

test("Retry doubles up to its bound, half of it chance, and starts anew after a success", () => {
  const retry = new Retry(limits, seededRandom("retry"));
  for (const most of [50, 100, 200, 400, 800, 1_000, 1_000]) {
    const ms = retry.nextMs();
    expect(ms).toBeGreaterThanOrEqual(most / 2);
    expect(ms).toBeLessThanOrEqual(most);
  }
  retry.succeeded();
  expect(retry.nextMs()).toBeLessThanOrEqual(50);
});

test("Retry waits as long as the other side asks", () => {
  expect(new Retry(limits, seededRandom("asked")).nextMs(2_000)).toBe(2_000);
});

test("Retry spreads a thousand clients of one node over the whole pause", () => {
  const first = Array.from({ length: 1_000 }, (_, i) => new Retry(limits, seededRandom(`client ${i}`)).nextMs());
  const perMs = Map.groupBy(first, Math.floor);
  expect(Math.max(...[...perMs.values()].map(({ length }) => length))).toBeLessThan(100);
});

test("Retry.wake() ends a pause", async () => {
  const retry = new Retry({ retryMsMin: 1e6, retryMsMax: 1e6 }, seededRandom("wake"));
  const paused = retry.pause();
  retry.wake();
  await paused;
  expect(true).toBe(true);
});
