import { expect, test } from "bun:test";
import { GUARD_LINE_BYTES, GuardLine, GuardLineReader } from "#memory/guard-line.ts";
import { createPolicyTarget, Switchboard } from "#memory/switchboard.ts";
import { PolicyDesk } from "./policy-desk.ts";

const POLICY = {
  killed: false,
  stopped: false,
  throttlePct: 10,
  evMinLamports: 5_000,
  tipLadderLamports: [1_000, 2_000],
};

test("PolicyDesk keeps the stricter of operator and guard, and gives back what the operator asked for", () => {
  const region = new ArrayBuffer(GUARD_LINE_BYTES);
  const guard = new GuardLine(region);
  const switchboard = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  const told: number[] = [];
  const operator = new Switchboard(new SharedArrayBuffer(Switchboard.bytes));
  const desk = new PolicyDesk(switchboard, new GuardLineReader(region, 1e9), operator, ({ throttlePct }) => {
    told.push(throttlePct);
  });
  const target = createPolicyTarget();
  const inForce = () => {
    switchboard.readPolicyInto(target);
    return [target.throttlePct, target.killed, target.evMinLamports];
  };
  desk.keep(1e9);
  expect(inForce()).toEqual([100, true, Number.MAX_SAFE_INTEGER]);
  operator.writePolicy(POLICY);
  desk.keep(1e9);
  expect(inForce()).toEqual([100, false, 5_000]);
  guard.say({ throttlePct: 0, killed: false }, false, 1e9);
  desk.keep(1e9);
  expect(inForce()).toEqual([10, false, 5_000]);
  guard.say({ throttlePct: 50, killed: false }, true, 2e9);
  desk.keep(2e9);
  expect(inForce()).toEqual([50, false, 5_000]);
  operator.writePolicy({ ...POLICY, throttlePct: 70, evMinLamports: 9_000 });
  desk.keep(2e9);
  expect(inForce()).toEqual([70, false, 9_000]);
  guard.say({ throttlePct: 50, killed: true }, true, 3e9);
  desk.keep(3e9);
  expect(inForce()).toEqual([70, true, 9_000]);
  guard.say({ throttlePct: 0, killed: false }, false, 4e9);
  desk.keep(4e9);
  desk.keep(4e9);
  expect(inForce()).toEqual([70, false, 9_000]);
  desk.keep(20e9);
  expect(inForce()).toEqual([75, false, 9_000]);
  operator.writePolicy({ ...POLICY, killed: true, stopped: true });
  desk.keep(20e9);
  expect([...inForce(), target.stopped]).toEqual([75, true, 5_000, true]);
  expect(told).toEqual([100, 0, 50, 50, 0, 75]);
});
