import { expect, test } from "bun:test";
import { SwapCounter } from "./swap-counter.ts";

test("SwapCounter.total() counts every swap by its DEX", () => {
  const counter = new SwapCounter();
  counter.see("raydium-amm-v4", "a");
  counter.see("raydium-cpmm", "b");
  counter.see("raydium-cpmm", "b");
  expect(counter.total()).toEqual({ total: 3, byDex: { "raydium-amm-v4": 1, "raydium-cpmm": 2, "raydium-clmm": 0 } });
});

test("SwapCounter.takeWindow() starts a new window and leaves the total alone", () => {
  const counter = new SwapCounter();
  counter.see("raydium-cpmm", "a");
  expect(counter.takeWindow().total).toBe(1);
  counter.see("raydium-amm-v4", "a");
  counter.see("raydium-amm-v4", "a");
  expect(counter.takeWindow()).toEqual({
    total: 2,
    byDex: { "raydium-amm-v4": 2, "raydium-cpmm": 0, "raydium-clmm": 0 },
  });
  expect(counter.takeWindow().total).toBe(0);
  expect(counter.total().total).toBe(3);
});

test("SwapCounter.pools() gives the busiest first, ties by address", () => {
  const counter = new SwapCounter();
  for (const pool of ["b", "c", "a", "c"]) counter.see("raydium-cpmm", pool);
  expect(counter.pools(2)).toEqual([
    ["c", 2],
    ["a", 1],
  ]);
});

test("SwapCounter.see() counts pools beyond its bound together", () => {
  const counter = new SwapCounter(2);
  for (const pool of ["a", "b", "c", "d", "a"]) counter.see("raydium-cpmm", pool);
  expect(counter.otherPools).toBe(2);
  expect(counter.pools(10)).toEqual([
    ["a", 2],
    ["b", 1],
  ]);
  expect(counter.total().total).toBe(5);
});
