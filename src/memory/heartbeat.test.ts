import { describe, expect, test } from "bun:test";
import { PROCESS_NAMES, type ProcessState } from "#core/run-report.ts";
import { HEARTBEAT_BYTES, Heartbeat, readHeartbeat } from "./heartbeat.ts";

describe("Heartbeat", () => {
  test("each process has its own line", () => {
    const table = new SharedArrayBuffer(HEARTBEAT_BYTES);
    PROCESS_NAMES.forEach((_, index) => {
      const heartbeat = new Heartbeat(table, index);
      for (let beat = 0; beat <= index; beat++) heartbeat.beat();
    });
    const read = PROCESS_NAMES.map((_, index) => readHeartbeat(table, index));
    expect(read).toEqual(PROCESS_NAMES.map((_, index) => ({ beats: index + 1, state: "starting", pid: 0 })));
  });

  test("a new life has a process id of its own, and starts", () => {
    const table = new SharedArrayBuffer(HEARTBEAT_BYTES);
    const heartbeat = new Heartbeat(table, 2);
    heartbeat.setState("ready");
    heartbeat.begin(4_711);
    expect(readHeartbeat(table, 2)).toEqual({ beats: 0, state: "starting", pid: 4_711 });
  });

  const states: ProcessState[] = ["starting", "ready", "stalled", "restarting", "stopping", "stopped"];
  test.each(states)("the state %s is read as it was set", (state) => {
    const table = new SharedArrayBuffer(HEARTBEAT_BYTES);
    new Heartbeat(table, 3).setState(state);
    expect(readHeartbeat(table, 3).state).toBe(state);
  });

  test("beats wrap at 2^32", () => {
    const table = new SharedArrayBuffer(HEARTBEAT_BYTES);
    new Uint32Array(table)[0] = 2 ** 32 - 1;
    new Heartbeat(table, 0).beat();
    expect(readHeartbeat(table, 0).beats).toBe(0);
  });

  test("an unknown state word reads as starting", () => {
    const table = new SharedArrayBuffer(HEARTBEAT_BYTES);
    new Uint32Array(table)[1] = 99;
    expect(readHeartbeat(table, 0).state).toBe("starting");
  });

  test.each([-1, PROCESS_NAMES.length, 0.5])("line %p is refused", (index) => {
    expect(() => new Heartbeat(new SharedArrayBuffer(HEARTBEAT_BYTES), index)).toThrow("Cannot use heartbeat");
  });

  test("a table too short is refused", () => {
    expect(() => readHeartbeat(new SharedArrayBuffer(64), 0)).toThrow("Cannot use heartbeat");
  });
});
