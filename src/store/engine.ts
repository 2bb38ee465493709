/**
 * The embedded ClickHouse as a child process: started with its own folder, port and password, watched, and stopped
 * cleanly. The child runs libchdb and nothing else; it dies with this process (see ffi/clickhouse-host.ts), so that a
 * killed parent leaves no orphan on the port or in the folder.
 *
 * The engine's main query opens the port and sleeps; KILL QUERY for it is the request to stop. (A main query that reads
 * stdin until it ends would do too, but needs READ ON FILE for a user that has no password.)
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { tryResolveLibchdb } from "chdb/libchdb";
import { errorText, SandpiperError } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { connectStore, type Store } from "./client.ts";
import { type ColdStorage, type EngineFiles, writeEngineFiles } from "./engine-files.ts";
import { STORE_ERROR } from "./errors.ts";

export type EngineOptions = {
  readonly folder: string;
  readonly port: number;
  readonly secretPath: string;
  /** Starts the process that calls runClickhouse() with what CLICKHOUSE_HOST_VARIABLE holds. */
  readonly hostCommand: readonly string[];
  /** Where old rows go; none keeps them all on the local disk. */
  readonly cold?: ColdStorage | undefined;
  readonly log: Log;
};

export interface Engine {
  readonly pid: number;
  /** Resolves with the reason when the engine ended without being asked to. */
  readonly died: Promise<string>;
  stop(): Promise<void>;
}

/** Names the variable that carries the host's options as JSON. No secret is in them. */
export const CLICKHOUSE_HOST_VARIABLE = "CLICKHOUSE_HOST_OPTIONS";
const START_MS_MAX = 30_000;
const START_LOOK_EVERY_MS = 25;
/** A clean stop; what is acknowledged is on disk before, so a kill after this loses nothing. */
const STOP_MS_MAX = 3_000;
/** Characters of the engine's last words that are kept. */
const LAST_WORDS_MAX = 4_000;
const MAIN_QUERY = "SELECT sleepEachRow(0.25) FROM system.numbers FORMAT Null SETTINGS max_block_size = 1";
const STOP_QUERY = "KILL QUERY WHERE query LIKE 'SELECT sleepEachRow(0.25) FROM system.numbers%' AND user != 'app'";

/** Resolves when the engine answers; throws a SandpiperError with one clear line when it does not start. */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const library = findLibrary();
  const files = prepare(options);
  const host = {
    library,
    workingFolder: files.formats,
    arguments: [
      `--config-file=${files.config}`,
      `--path=${files.tables}`,
      `--query=SYSTEM START LISTEN HTTP; ${MAIN_QUERY}`,
    ],
    parentPid: process.pid,
  };
  const child = Bun.spawn([...options.hostCommand], {
    env: { ...process.env, [CLICKHOUSE_HOST_VARIABLE]: JSON.stringify(host) },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    // A session of its own: Ctrl-C in a terminal goes to the supervisor, which stops the store last.
    detached: true,
  });
  const lastWords = keepLastWords(child.stderr);
  const store = connectStore(options);
  const deadline = performance.now() + START_MS_MAX;
  while (!(await isAnswering(store, files.startId))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      await store.close();
      throw startError(options, await lastWords());
    }
    if (performance.now() > deadline) {
      child.kill("SIGKILL");
      await store.close();
      throw startError(options, `no answer within ${START_MS_MAX} ms`);
    }
    await Bun.sleep(START_LOOK_EVERY_MS);
  }
  let stopping = false;
  return {
    pid: child.pid,
    died: new Promise((resolve) => {
      void child.exited.then(async () => {
        if (!stopping) resolve(`${child.signalCode ?? `exit ${child.exitCode}`} ${await lastWords()}`.trim());
      });
    }),
    stop: async () => {
      if (stopping) return;
      stopping = true;
      const killing = setTimeout(() => {
        options.log.warn("clickhouse: killed, it did not stop in time", { ms: STOP_MS_MAX });
        child.kill("SIGKILL");
      }, STOP_MS_MAX);
      await store.command(STOP_QUERY).catch(() => child.kill("SIGKILL"));
      await child.exited;
      clearTimeout(killing);
      await store.close();
    },
  };
}

function prepare(options: EngineOptions): EngineFiles {
  try {
    return writeEngineFiles(options.folder, options.port, options.secretPath, options.cold);
  } catch (thrown) {
    throw thrown instanceof SandpiperError ? thrown : startError(options, errorText(thrown));
  }
}

/** Whether it is our engine that answers: another on the same port may know the same password. */
async function isAnswering(store: Store, startId: string): Promise<boolean> {
  const rows = await store.query<{ start: string }>("SELECT getMacro('start') AS start").catch(() => []);
  return rows[0]?.start === startId;
}

/** Beside the executable in a compiled folder, else where the package manager put it. */
function findLibrary(): string {
  const beside = join(dirname(process.execPath), "lib", "libchdb.so");
  if (existsSync(beside)) return beside;
  const found = tryResolveLibchdb();
  if (found) return found.path;
  throw new SandpiperError(
    STORE_ERROR.engine,
    `Cannot start ClickHouse: libchdb.so in ${dirname(beside)} or the installed package chdb, was in neither (${process.platform} ${process.arch})`,
  );
}

function keepLastWords(stream: ReadableStream<Uint8Array>): () => Promise<string> {
  let words = "";
  const read = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) words = (words + decoder.decode(chunk, { stream: true })).slice(-LAST_WORDS_MAX);
  })().catch(() => undefined);
  return async () => {
    await read;
    return words.replaceAll(/\s*\n\s*/g, " ").trim();
  };
}

function startError({ port, folder }: EngineOptions, words: string): SandpiperError {
  const cannot = (must: string) => new SandpiperError(STORE_ERROR.engine, `Cannot start ClickHouse: ${must}`, "later");
  if (/Address already in use/.test(words))
    return cannot(`clickhouse.port must be a free TCP port, was taken: ${port}`);
  if (/Cannot lock file/.test(words)) return cannot(`a folder of its own, was locked by another instance: ${folder}`);
  if (/no space left|NOT_ENOUGH_SPACE|disk quota/i.test(words)) return cannot(`room on the disk, was full: ${folder}`);
  return cannot(`an engine that runs, was: ${words === "" ? "ended without a word" : words.slice(0, 600)}`);
}
