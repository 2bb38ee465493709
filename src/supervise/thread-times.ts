/**
 * What the kernel counts of the threads that matter: how long each ran, how long it could have run and waited for a core,
 * how often it got one. /proc/<pid>/task/<thread>/schedstat says it of our own processes without any right, on every
 * kernel that counts (CONFIG_SCHED_INFO): the mean of the scheduling delay where nobody may run a probe.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { ProcessName, ThreadReport } from "#core/run-report.ts";
import { type PlacementPlan, SEATS } from "./placement/plan.ts";

type Thread = { readonly name: string; readonly id: number };
type Known = { readonly pid: number; readonly threads: readonly Thread[] };

export class ThreadTimes {
  readonly #plan: PlacementPlan;
  readonly #root: string;
  /** Threads are looked for once in the life of a process, until all with a seat are there. */
  readonly #known = new Map<ProcessName, Known>();

  /** `root` stands before /proc: "" for this machine, a folder in tests. */
  constructor(plan: PlacementPlan, root = "") {
    this.#plan = plan;
    this.#root = root;
  }

  /** The main thread of a process, and those of its others that have a seat; undefined where the kernel does not count. */
  of(process: ProcessName, pid: number): readonly ThreadReport[] | undefined {
    try {
      return this.#threadsOf(process, pid).map(({ name, id }) => {
        const [ranNs, waitedNs, turns] = this.#read(pid, `${id}/schedstat`).split(" ").map(Number);
        const core = this.#plan.seats.find((seat) => seat.name === name)?.core;
        return {
          ...{ name, id, core: core === undefined ? "shared" : String(core) },
          ...{ ranMs: (ranNs ?? 0) / 1e6, waitedMs: (waitedNs ?? 0) / 1e6, turns: turns ?? 0 },
        };
      });
    } catch {
      this.#known.delete(process);
      return undefined;
    }
  }

  #threadsOf(process: ProcessName, pid: number): readonly Thread[] {
    const known = this.#known.get(process);
    if (known?.pid === pid) return known.threads;
    const wanted = SEATS.filter((seat) => seat.startsWith(`${process}-`));
    const found = wanted.length === 0 ? [] : this.#named(pid, wanted);
    const threads = [{ name: process, id: pid }, ...found];
    if (found.length === wanted.length) this.#known.set(process, { pid, threads });
    return threads;
  }

  #named(pid: number, names: readonly string[]): Thread[] {
    return readdirSync(`${this.#root}/proc/${pid}/task`).flatMap((id) => {
      const name = this.#read(pid, `${id}/comm`).trim();
      return names.includes(name) ? [{ name, id: Number(id) }] : [];
    });
  }

  #read(pid: number, path: string): string {
    return readFileSync(`${this.#root}/proc/${pid}/task/${path}`, "utf8");
  }
}
