/**
 * The model that an agent decides with, swapped while it trades: one reference, replaced between two decisions.
 *
 *   the symlink is flipped ─▸ noticed (folder watched, readlink every LOOK_MS) ─▸ tried in a child process ─▸ opened by
 *   its own unique path ─▸ called once to compile its door ─▸ the reference is swapped ─▸ the old one is closed later
 *
 * Whatever fails on the way leaves the old model in place, is counted, and is said once per version. The shadow is a
 * second such reference that decides nothing.
 */
import { type FSWatcher, readFileSync, watch } from "node:fs";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { type ModelLibrary, openModelLibrary, openModelSource, openTriedLibrary } from "#ffi/model-library.ts";
import { createFeatureRow } from "./features.ts";
import { passGates } from "./gates.ts";
import { fileInUse, hashOf, type ModelKind, type ModelRole } from "./models-folder.ts";

/** How often the symlink is read, whatever the watch says. */
const LOOK_MS = 25;
/** How long an old library stays open after nobody calls it any more. */
const CLOSE_AFTER_MS = 1_000;

export type SwapStats = {
  readonly swaps: number;
  /** Versions that a gate refused; the old model went on. */
  readonly refused: number;
  /** Why the last one was refused; empty when none was. */
  readonly lastRefusal: string;
};

export class LiveModel {
  readonly #dir: string;
  readonly #kind: ModelKind;
  readonly #role: ModelRole;
  readonly #log: Pick<Log, "info" | "error">;
  #library: ModelLibrary | undefined;
  #hash = "";
  /** The target that was last looked into, sound or not: a bad one is not tried again. */
  #tried: string | undefined;
  #trying = false;
  #closed = false;
  #swaps = 0;
  #refused = 0;
  #lastRefusal = "";
  #watcher: FSWatcher | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;

  /** `first` is the version to begin with: the file and the opened library. */
  constructor(
    options: {
      readonly modelsDir: string;
      readonly kind: ModelKind;
      readonly role: ModelRole;
      readonly log: Pick<Log, "info" | "error">;
    },
    first?: { readonly path: string; readonly library: ModelLibrary },
  ) {
    this.#dir = options.modelsDir;
    this.#kind = options.kind;
    this.#role = options.role;
    this.#log = options.log;
    if (first === undefined) return;
    this.#library = first.library;
    this.#tried = first.path;
    this.#hash = hashOf(readFileSync(first.path));
  }

  /** Of the version that answers now; empty when there is none. Belongs to the next predict() until the event loop runs. */
  get hash(): string {
    return this.#hash;
  }

  /** The score of one row, 0..1; NaN when there is no version. Never allocates. */
  predict(features: Float32Array): number {
    return this.#library === undefined ? Number.NaN : this.#library.predict(features);
  }

  stats(): SwapStats {
    return { swaps: this.#swaps, refused: this.#refused, lastRefusal: this.#lastRefusal };
  }

  /** Begins to follow the symlink. `onSwap` is called after each change. */
  follow(onSwap: () => void = () => {}): void {
    const look = () => void this.look().then((swapped) => swapped && onSwap());
    this.#looking = setInterval(look, LOOK_MS);
    // A watch on the symlink itself sees nothing; on some file systems nor does one on its folder.
    try {
      this.#watcher = watch(this.#dir, look);
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      this.#watcher = undefined;
    }
  }

  /** Looks at the symlink now; resolves with whether another version answers from then on. Never rejects. */
  async look(): Promise<boolean> {
    if (this.#trying || this.#closed) return false;
    let target: string | undefined;
    try {
      target = fileInUse(this.#dir, this.#kind, this.#role);
    } catch (thrown) {
      this.#refuse(errorText(thrown));
      return false;
    }
    if (target === this.#tried) return false;
    this.#tried = target;
    if (target === undefined) return this.#role === "shadow" && this.#leave();
    this.#trying = true;
    try {
      await passGates(target, this.#kind);
      if (this.#closed) return false;
      this.#swap(target);
      return true;
    } catch (thrown) {
      this.#refuse(errorText(thrown));
      return false;
    } finally {
      this.#trying = false;
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#looking);
    this.#watcher?.close();
    this.#library?.close();
    this.#library = undefined;
  }

  #swap(target: string): void {
    const hash = hashOf(readFileSync(target));
    const next = openTriedLibrary(target, `predict_${this.#kind}`);
    // The first call compiles; the hot path must not wait for that.
    next.predict(createFeatureRow());
    const old = this.#library;
    this.#library = next;
    this.#hash = hash;
    this.#swaps++;
    this.#log.info(`${this.#role} model swapped`, { hash });
    if (old !== undefined) setTimeout(() => old.close(), CLOSE_AFTER_MS).unref();
  }

  #leave(): boolean {
    const old = this.#library;
    this.#library = undefined;
    this.#hash = "";
    if (old !== undefined) setTimeout(() => old.close(), CLOSE_AFTER_MS).unref();
    return old !== undefined;
  }

  #refuse(why: string): void {
    this.#refused++;
    this.#lastRefusal = why;
    this.#log.error(`ALARM: the ${this.#role} model stays as it is: ${why}`, { hash: this.#hash });
  }
}

/** Opens the file in use for a start: a child process tries it first, and C source is compiled in memory. */
export function openVersion(path: string, kind: ModelKind): ModelLibrary {
  return path.endsWith(".c") ? openModelSource(path, `predict_${kind}`) : openModelLibrary(path, `predict_${kind}`);
}
