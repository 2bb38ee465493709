/**
 * `sandpiper fork --market.rpcUrl URL`: a private copy of a cluster on loopback, its programs and accounts fetched as they
 * are asked for and kept equal as its market moves. Send it transactions as you would the real one: they run on the real
 * programs and pools, nothing reaches the network, and what they changed is listed when it ends. `sandpiper fork show`
 * lists it for the fork of this data folder, also while it runs (`supervisor --mode fork`).
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { watchOrigin } from "#market/live/watch-origin.ts";
import { describeFork, readForkReport } from "#sim/fork/fork-report.ts";
import { startFork } from "#sim/fork/start-fork.ts";
import { CLI_ERROR } from "./errors.ts";

/** Runs until it is interrupted. Throws a SandpiperError when the origin does not answer at the start. */
export async function runFork(args: readonly string[]): Promise<number> {
  const show = args[0] === "show";
  const json = show && args.includes("--json");
  const flags = show ? args.slice(1).filter((arg) => arg !== "--json") : args;
  const config = await readConfigWithSecrets(flags, process.env);
  const paths = runPaths(config.dataDir);
  const tell = () => {
    const report = readForkReport(paths.forkReport);
    if (report === undefined)
      throw new SandpiperError(CLI_ERROR.usage, `Cannot show a fork: one on ${config.dataDir}, was none`);
    process.stdout.write(json ? `${JSON.stringify(report)}\n` : describeFork(report));
  };
  if (!show) {
    if (config["market.rpcUrl"] === "")
      throw new SandpiperError(CLI_ERROR.usage, "Cannot fork: market.rpcUrl set, was empty");
    const log = createLog({ process: "fork", level: config["log.level"], format: config["log.format"] });
    const parts = { config, paths, log, clock: createSystemClock(), runId: `fork-${process.pid}` };
    const { stop } = await startFork({ ...parts, watch: await watchOrigin(parts) });
    await new Promise<void>((resolve) => {
      process.once("SIGINT", resolve);
      process.once("SIGTERM", resolve);
    });
    await stop();
  }
  tell();
  return EXIT_CODE.ok;
}
