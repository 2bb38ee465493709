/** The recorder that the options ask for. */
import type { Clock } from "#core/clock.ts";
import type { Config } from "#core/config.ts";
import type { Log } from "#core/log.ts";
import { recordingFolder } from "#core/recording-folder.ts";
import { VERSION } from "#core/version.ts";
import { MarketRecorder, zeroWallNsOf } from "./recorder.ts";

export type OpenRecorderParts = {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly runId: string;
};

/** Undefined when nothing is recorded (record.path), and in a replay, which is one already. */
export function openRecorder({ config, clock, log, runId }: OpenRecorderParts): MarketRecorder | undefined {
  const folder = config.mode === "replay" ? undefined : recordingFolder(config["record.path"], runId, "market");
  if (folder === undefined) return undefined;
  log.info("recording", { folder });
  return new MarketRecorder({
    folder,
    version: VERSION,
    source: config.mode,
    zeroWallNs: zeroWallNsOf(clock),
    onFailure: (why) => log.error(`Cannot go on recording: room on the disk, was ${why}`),
  });
}
