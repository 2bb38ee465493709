/**
 * `sandpiper record`: market events into a recording, from the market that the options name until it is stopped, or out
 * of files of others.
 *
 *   record --out FOLDER [--seconds N] [options]      the local cluster (mode sim, fork) or the network (mode live)
 *   record PATH --out FOLDER                         getBlock JSON (file or folder), or a recorded Yellowstone stream
 */
import { basename } from "node:path";
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { createLog } from "#core/log.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { VERSION } from "#core/version.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { createStreamImport } from "#market/live/stream-import.ts";
import { openMarketSource } from "#market/open-source.ts";
import { MarketRecorder, zeroWallNsOf } from "#market/recording/recorder.ts";
import { createReplaySource } from "#market/replay-source.ts";
import type { MarketSource } from "#market/source.ts";
import { CLI_ERROR } from "./errors.ts";
import { takeFlag } from "./replay-input.ts";

const STREAM = /\.bin(\.gz|\.zst)?$/;

type Command = {
  readonly path: string | undefined;
  readonly out: string;
  readonly seconds: number;
  readonly rest: string[];
};

/** Answers the exit code. Throws a SandpiperError for what cannot be recorded. */
export async function runRecord(args: readonly string[]): Promise<number> {
  const command = readCommand(args);
  const config = await readConfigWithSecrets(command.rest, process.env);
  const log = createLog({ process: "record", level: config["log.level"], format: config["log.format"] });
  const clock = createSystemClock();
  const live = command.path === undefined;
  const source = live
    ? openMarketSource({ config, clock, log, runId: `record-${process.pid}`, pace: async () => {} })
    : openFile(command.path);
  const recorder = new MarketRecorder({
    folder: command.out,
    version: VERSION,
    source: live ? config.mode : basename(command.path),
    zeroWallNs: live ? zeroWallNsOf(clock) : 0n,
  });
  const stop = () => source.stop();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  const timer = command.seconds > 0 ? setTimeout(stop, command.seconds * 1_000) : undefined;
  try {
    await source.run(recorder.take);
  } finally {
    clearTimeout(timer);
    process.removeListener("SIGINT", stop);
    process.removeListener("SIGTERM", stop);
    recorder.close();
  }
  const { items, rawBytes, diskBytes } = recorder.counters;
  const perEvent = items === 0 ? 0 : diskBytes / items;
  process.stdout.write(`${items} events, ${rawBytes} bytes, ${diskBytes} on disk (${perEvent.toFixed(1)} per event)\n`);
  return items > 0 ? EXIT_CODE.ok : EXIT_CODE.failure;
}

function openFile(path: string): MarketSource {
  return STREAM.test(path) ? createStreamImport(path) : createReplaySource({ path });
}

function readCommand(args: readonly string[]): Command {
  const rest = [...args];
  const out = takeFlag(rest, "--out");
  const seconds = Number(takeFlag(rest, "--seconds") ?? 0);
  const path = rest[0]?.startsWith("--") === false ? rest.shift() : undefined;
  const timed = Number.isFinite(seconds) && seconds >= 0;
  if (out === undefined || !timed)
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot record: [PATH] --out FOLDER [--seconds N], was ${JSON.stringify(args.join(" "))}`,
    );
  return { path, out, seconds, rest };
}
