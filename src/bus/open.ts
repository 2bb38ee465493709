/** The bus that the configuration asks for: the one way by which agents open it. */
import type { Config } from "#core/config.ts";
import type { Log } from "#core/log.ts";
import type { RunPaths } from "#core/paths.ts";
import type { Bus } from "./bus.ts";
import { openEmbeddedBus } from "./embedded.ts";
import { openKafkaBus } from "./kafka.ts";
import { kafkaOptionsOf } from "./kafka-client.ts";

/** `owner` names the process among those of its dataDir: with Kafka, what it could not deliver is kept under that name. */
export function openBus(config: Config, paths: RunPaths, log: Log, owner: string): Bus {
  const lingerMs = config["bus.lingerMs"];
  if (config["bus.engine"] === "embedded")
    return openEmbeddedBus({ path: paths.bus, lingerMs, retainMiB: config["bus.retainMiB"], log });
  const spool = { spoolFolder: paths.spool, spoolMiB: config["bus.spoolMiB"] };
  return openKafkaBus({ kafka: kafkaOptionsOf(config), lingerMs, ...spool, owner, log });
}
