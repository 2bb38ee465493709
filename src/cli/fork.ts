/**
 * `sandpiper fork --market.rpcUrl URL`: a private copy of a cluster on loopback, its programs and accounts fetched as they
 * are asked for and kept equal as its market moves. Send it transactions as you would the real one: they run on the real
 * programs and pools, nothing reaches the network, and what they changed is listed when it ends.
 */
import type { Config } from "#core/config.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { createLog } from "#core/log.ts";
import { readConfig } from "#core/read-config.ts";
import { createRpc, whole } from "#execute/rpc.ts";
import { createSystemClock } from "#ffi/system-clock.ts";
import { createCluster } from "#sim/cluster/lite-cluster.ts";
import { startRpcDoor } from "#sim/cluster/rpc-door.ts";
import { startSlotClock } from "#sim/cluster/slot-clock.ts";
import { startSocketDoor } from "#sim/cluster/socket-door.ts";
import { type Difference, RemoteFork } from "#sim/fork/remote-fork.ts";
import { CLI_ERROR } from "./errors.ts";

const CALL_MS_MAX = 20_000;

/** Runs until it is interrupted. Throws a SandpiperError when the origin does not answer at the start. */
export async function runFork(args: readonly string[]): Promise<number> {
  const { config } = readConfig(args, process.env);
  const log = createLog({ process: "fork", level: config["log.level"], format: config["log.format"] });
  const clock = createSystemClock();
  const origin = createRpc({ url: originOf(config), timeoutMs: CALL_MS_MAX });
  const slot = await origin("getSlot", []);
  const startSlot = slot.ok ? whole(slot.value) : undefined;
  if (startSlot === undefined)
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot fork: an origin (market.rpcUrl) that says its slot, was ${slot.ok ? "another answer" : slot.error.text}`,
      "later",
    );
  const slotMs = config["sim.slotMs"];
  const cluster = createCluster({ seed: config["sim.seed"], clock, slotMs, startSlot: BigInt(Math.max(1, startSlot)) });
  const fork = new RemoteFork(cluster, origin);
  const ws = startSocketDoor(cluster, { port: config["sim.wsPort"], clock });
  const rpc = startRpcDoor(cluster, { port: config["sim.rpcPort"], socketPort: ws.port, prepare: fork.prepare });
  const slotClock = startSlotClock(cluster, { slotMs, clock });
  log.info("fork open", { rpc: rpc.url, ws: ws.url, slot: cluster.slot });
  const stopped = new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  let running = true;
  const following = (async () => {
    while (running) {
      try {
        await fork.refresh();
      } catch (thrown) {
        log.warn("the origin did not answer; the fork is older than it", { why: errorText(thrown) });
      }
      await Promise.race([stopped, Bun.sleep(slotMs)]);
    }
  })();
  await stopped;
  running = false;
  await following;
  slotClock.stop();
  fork.close();
  await Promise.all([rpc.stop(), ws.stop()]);
  process.stdout.write(describe(fork.differences(), fork.counters));
  return EXIT_CODE.ok;
}

function originOf(config: Config): string {
  const url = config["market.rpcUrl"];
  if (url === "") throw new SandpiperError(CLI_ERROR.usage, "Cannot fork: market.rpcUrl set, was empty");
  return url;
}

function describe(differences: readonly Difference[], counters: RemoteFork["counters"]): string {
  const { fetched, programs, moved, keptApart } = counters;
  return [
    `${fetched} accounts fetched, ${programs} of them programs; ${moved} changes of the origin taken over, ${keptApart} kept apart`,
    `${differences.length} accounts that transactions on the fork changed (fork minus origin):`,
    ...differences.map(({ address, lamports, tokens, dataDiffers, movedAtOrigin }) =>
      [
        `  ${address.padEnd(44)} ${lamports} lamports`,
        tokens === undefined ? "" : `, ${tokens} tokens`,
        dataDiffers && tokens === undefined ? ", other data" : "",
        movedAtOrigin ? ", changed at the origin too" : "",
      ].join(""),
    ),
    "",
  ].join("\n");
}
