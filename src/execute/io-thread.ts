/** Both ends of the words between an agent's main thread and its io thread, a Worker: start, ready, stop, stopped. */
import type { Config } from "#core/config.ts";
import { errorText, type Retry, SandpiperError } from "#core/error.ts";
import type { AgentMemory } from "#decide/agent-memory.ts";
import { EXECUTE_ERROR } from "./errors.ts";

export type IoStart = {
  readonly config: Config;
  readonly modelHash: string;
  /** Unix ms; part of every decision id. */
  readonly runStartMs: number;
  readonly memory: AgentMemory;
  /** Where the run is recorded; undefined when it is not. */
  readonly recording: string | undefined;
};

type Command = { readonly kind: "start"; readonly start: IoStart } | { readonly kind: "stop" };
type Word =
  | { readonly kind: "ready" }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly code: number; readonly text: string; readonly retry: Retry };

/** The main thread's end. */
export class IoThread {
  #onWord: (word: Word) => void = () => {};
  #stopping = false;

  constructor(private readonly worker: Worker) {
    worker.onmessage = ({ data }: MessageEvent<Word>) => {
      this.#onWord(data);
    };
    // A thread that dies takes the process along: its successor is the supervisor's business.
    worker.onerror = ({ message }) => this.#died(message);
    worker.addEventListener("close", () => this.#died("one that ended"));
  }

  #died(why: string): void {
    if (this.#stopping) return;
    throw new SandpiperError(EXECUTE_ERROR.ioThread, `Cannot go on: a running io thread, was ${why}`, "later");
  }

  /** Resolves when the thread serves; rejects with the error that it met. */
  async start(start: IoStart): Promise<void> {
    const word = await this.#ask({ kind: "start", start });
    if (word.kind === "failed") throw new SandpiperError(word.code, word.text, word.retry);
  }

  async stop(): Promise<void> {
    await this.#ask({ kind: "stop" });
    this.#stopping = true;
    this.worker.terminate();
  }

  #ask(command: Command): Promise<Word> {
    return new Promise((resolve) => {
      this.#onWord = resolve;
      this.worker.postMessage(command);
    });
  }
}

/** The worker's end: `open` starts the service and answers how to stop it. */
export function serveIoThread(open: (start: IoStart) => Promise<() => Promise<void>>): void {
  const say = (word: Word) => self.postMessage(word);
  let stop: (() => Promise<void>) | undefined;
  self.onmessage = async ({ data }: MessageEvent<Command>) => {
    try {
      if (data.kind === "start") {
        stop = await open(data.start);
        say({ kind: "ready" });
      } else {
        await stop?.();
        say({ kind: "stopped" });
      }
    } catch (thrown) {
      const known = thrown instanceof SandpiperError;
      say({
        kind: "failed",
        code: known ? thrown.code : EXECUTE_ERROR.ioThread,
        text: errorText(thrown),
        retry: known ? thrown.retry : "later",
      });
    }
  };
}
