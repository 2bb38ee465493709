import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import { pinThread, setNice, setThreadCores } from "./thread.ts";

const THREAD = JSON.stringify(join(import.meta.dir, "thread.ts"));
const DEADLINE_MS = 10_000;

const run = (program: string) => Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
const answerOf = async (program: string): Promise<string> => (await new Response(run(program).stdout).text()).trim();

describe("pinThread()", () => {
  test("keeps the thread on one core", async () => {
    const allowed = await answerOf(`
      import { readFileSync } from "node:fs";
      import { pinThread } from ${THREAD};
      pinThread(0);
      console.log(/Cpus_allowed_list:\\s*(.*)/.exec(readFileSync("/proc/thread-self/status", "utf8"))[1]);`);
    expect(allowed).toBe("0");
  });

  test.each([-1, 0.5, 1_024, Number.NaN])("refuses core %p", (core) => {
    expect(() => pinThread(core)).toThrow("Cannot pin the thread: a core from 0");
  });

  test("refuses a core the machine does not have", () => {
    expect(() => pinThread(1_023)).toThrow("a core this process may use, was 1023");
  });
});

describe("nameThread()", () => {
  test("is what the kernel calls the thread, cut at 15 characters", async () => {
    const named = await answerOf(`
      import { readFileSync } from "node:fs";
      import { nameThread } from ${THREAD};
      nameThread("recorder-of-everything");
      console.log(readFileSync("/proc/self/comm", "utf8"));`);
    expect(named).toBe("recorder-of-eve");
  });
});

describe("setThreadCores()", () => {
  test("places another thread of the process, and says no for a thread that is none", async () => {
    const moved = await answerOf(`
      import { readdirSync, readFileSync } from "node:fs";
      import { setThreadCores } from ${THREAD};
      const other = readdirSync("/proc/self/task").map(Number).find((id) => id !== process.pid);
      const cores = () => /Cpus_allowed_list:\\s*(.*)/.exec(readFileSync("/proc/self/task/" + other + "/status", "utf8"))[1];
      console.log(setThreadCores(other, [0]), cores());`);
    expect(moved).toBe("true 0");
    expect(setThreadCores(2 ** 22 + 1, [0])).toBe(false);
  });
});

describe("preferMemoryNode() and lockTouchedMemory()", () => {
  test("are granted or refused by the kernel's word", async () => {
    const said = await answerOf(`
      import { readFileSync } from "node:fs";
      import { lockTouchedMemory, preferMemoryNode } from ${THREAD};
      const locked = lockTouchedMemory();
      const page = new Uint8Array(1 << 22).fill(1);
      const kib = Number(/VmLck:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
      console.log(locked === kib > 0, preferMemoryNode(0), page.length);`);
    expect(said).toBe(`true true ${1 << 22}`);
  });
});

describe("setNice()", () => {
  test("lowers the thread's priority", async () => {
    const nice = await answerOf(`
      import { getPriority } from "node:os";
      import { setNice } from ${THREAD};
      console.log(setNice(7), getPriority());`);
    expect(nice).toBe("true 7");
  });

  test("says true for the priority the thread has already", () => {
    expect(setNice(getPriority())).toBe(true);
  });
});

describe("dieWithParent()", () => {
  test("ends the process when the one that started it is killed", async () => {
    const child = `
      import { dieWithParent } from ${THREAD};
      dieWithParent();
      console.log(process.pid);
      setInterval(() => {}, 1_000);`;
    const parent = run(`
      const child = Bun.spawn([process.execPath, "-e", ${JSON.stringify(child)}], { stdout: "inherit" });
      await child.exited;`);
    const reader = parent.stdout.getReader();
    const { value } = await reader.read();
    const pid = Number(new TextDecoder().decode(value));
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await parent.exited;
    const deadline = performance.now() + DEADLINE_MS;
    while (isAlive(pid) && performance.now() < deadline) await Bun.sleep(2);
    expect(isAlive(pid)).toBe(false);
  });

  test("ends the process at once when that one is gone already", async () => {
    const child = run(`
      import { dieWithParent } from ${THREAD};
      dieWithParent(process.ppid + 1);
      console.log("alive");`);
    expect(await child.exited).not.toBe(0);
    expect(child.signalCode).toBe("SIGKILL");
  });
});

/** False for a process that is gone or dead and only not yet collected by its new parent. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
