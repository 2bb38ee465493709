/** The bus that the configuration asks for: the one way by which agents open it. */
import type { Config } from "#core/config.ts";
import type { Log } from "#core/log.ts";
import type { RunPaths } from "#core/paths.ts";
import type { Bus } from "./bus.ts";
import { openEmbeddedBus } from "./embedded.ts";

/**
 * `owner` names the process among those of its dataDir: with Kafka, what it could not deliver is kept under that name.
 * Kafka's client is loaded only where it is asked for: it is a third of what the mev process needs to start.
 */
export async function openBus(config: Config, paths: RunPaths, log: Log, owner: string): Promise<Bus> {
  const lingerMs = config["bus.lingerMs"];
  if (config["bus.engine"] === "embedded")
    return openEmbeddedBus({ path: paths.bus, lingerMs, retainMiB: config["bus.retainMiB"], log });
  const [{ openKafkaBus }, { kafkaOptionsOf }] = await Promise.all([import("./kafka.ts"), import("./kafka-client.ts")]);
  const spool = { spoolFolder: paths.spool, spoolMiB: config["bus.spoolMiB"] };
  return openKafkaBus({ kafka: kafkaOptionsOf(config), lingerMs, ...spool, owner, log });
}
