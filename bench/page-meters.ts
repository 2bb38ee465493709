/** Where the time of a page goes: its own thread by what it did, and the CPU of every process that takes part. */
import { readFileSync } from "node:fs";
import type { Browser, CDPSession, Page } from "playwright-core";

/** Of the kernel's accounting in /proc; Linux says 100 to user space on every machine. */
const TICKS_A_SECOND = 100;

export type Did = {
  readonly scriptMs: number;
  readonly styleMs: number;
  readonly layoutMs: number;
  /** Painting, garbage collection, messages from other threads. */
  readonly otherMs: number;
};

/** Counts from now on what the page's main thread does, by Chromium's own counters. */
export async function mainThread(page: Page): Promise<{ did(): Promise<Did> }> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return (name: string) => (metrics.find((one) => one.name === name)?.value ?? 0) * 1_000;
  };
  const before = await read();
  return {
    did: async () => {
      const after = await read();
      const spent = (name: string) => after(name) - before(name);
      const [scriptMs, styleMs, layoutMs] = [
        spent("ScriptDuration"),
        spent("RecalcStyleDuration"),
        spent("LayoutDuration"),
      ];
      return { scriptMs, styleMs, layoutMs, otherMs: spent("TaskDuration") - scriptMs - styleMs - layoutMs };
    },
  };
}

export type Cpu = Readonly<Record<"renderer" | "gpu" | "browser" | "gateway" | "publisher", number>>;

/** CPU milliseconds of each process between begin() and end(). */
export class CpuMeter {
  readonly #session: CDPSession;
  readonly #gatewayPid: number;
  #before: Cpu | undefined;

  private constructor(session: CDPSession, gatewayPid: number) {
    this.#session = session;
    this.#gatewayPid = gatewayPid;
  }

  static async open(browser: Browser, gatewayPid: number): Promise<CpuMeter> {
    return new CpuMeter(await browser.newBrowserCDPSession(), gatewayPid);
  }

  async begin(): Promise<void> {
    this.#before = await this.#read();
  }

  async end(): Promise<Cpu> {
    const [before, after] = [this.#before, await this.#read()];
    if (!before) throw new Error("Cannot measure: begin() before end()");
    const spent = (name: keyof Cpu) => after[name] - before[name];
    return {
      ...{ renderer: spent("renderer"), gpu: spent("gpu"), browser: spent("browser") },
      ...{ gateway: spent("gateway"), publisher: spent("publisher") },
    };
  }

  async #read(): Promise<Cpu> {
    const { processInfo } = await this.#session.send("SystemInfo.getProcessInfo");
    const sum = (wanted: (type: string) => boolean) =>
      processInfo.filter(({ type }) => wanted(type)).reduce((total, { cpuTime }) => total + cpuTime * 1_000, 0);
    const { user, system } = process.cpuUsage();
    return {
      renderer: sum((type) => type === "renderer"),
      gpu: sum((type) => type === "GPU"),
      browser: sum((type) => type !== "renderer" && type !== "GPU"),
      gateway: cpuMsOf(this.#gatewayPid),
      publisher: (user + system) / 1_000,
    };
  }
}

function cpuMsOf(pid: number): number {
  // The name in parentheses may hold spaces; the fields behind it do not (proc_pid_stat(5): 14 utime, 15 stime).
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_A_SECOND;
}
