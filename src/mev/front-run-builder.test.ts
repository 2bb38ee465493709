import { expect, test } from "bun:test";
import type { FrontRunBuilder, FrontRunLimits, FrontRunPlan, PendingSwap } from "./front-run-builder.ts";
import { frontRunBuilderOf } from "./front-run-builder.ts";

/** What an operator would write, as far as types go: it wants nothing. */
const idle: FrontRunBuilder = {
  name: "idle",
  build: (_pending: PendingSwap, _limits: FrontRunLimits): FrontRunPlan | undefined => undefined,
};

test("frontRunBuilderOf() gives the builder that a module exports", () => {
  expect(frontRunBuilderOf({ builder: idle }, "mine.ts")).toBe(idle);
  expect(
    frontRunBuilderOf({ builder: idle }, "mine.ts").build({} as PendingSwap, {} as FrontRunLimits),
  ).toBeUndefined();
});

test.each([
  ["nothing", undefined],
  ["null", null],
  ["a module without one", {}],
  ["a builder without a name", { builder: { build: () => undefined } }],
  ["a builder that builds nothing", { builder: { name: "x", build: 1 } }],
  ["an inherited one", Object.create({ builder: idle })],
])("frontRunBuilderOf() refuses %s", (_, module) => {
  expect(() => frontRunBuilderOf(module, "mine.ts")).toThrow("Cannot use mine.ts as a front-run builder: ");
});
