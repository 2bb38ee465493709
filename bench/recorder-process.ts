/**
 * The recorder in a process of its own, for benches that kill it or want its CPU apart. One argument, a JSON text:
 * {"port", "secretPath", and "path" of an embedded bus or "brokers" and "spoolFolder" of Kafka}.
 */
import { openEmbeddedBus } from "#bus/embedded.ts";
import { openKafkaBus } from "#bus/kafka.ts";
import { createLog } from "#core/log.ts";
import { connectStore } from "#store/client.ts";
import { startIngest } from "#store/ingest.ts";

type Places = {
  readonly port: number;
  readonly secretPath: string;
  readonly path?: string;
  readonly brokers?: string;
  readonly spoolFolder?: string;
};

/** Starts it; what it has to say goes to stderr. */
export function spawnRecorder(places: Places): Bun.Subprocess {
  return Bun.spawn([process.execPath, import.meta.path, JSON.stringify(places)], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
}

if (import.meta.main) {
  const { port, secretPath, path = "", brokers, spoolFolder = "" } = JSON.parse(process.argv[2] ?? "{}") as Places;
  const log = createLog({ process: "recorder", level: "warn", format: "text" });
  const bus =
    brokers === undefined
      ? openEmbeddedBus({ path, lingerMs: 1, retainMiB: 2_048, log })
      : openKafkaBus({
          kafka: { brokers, clientId: "recorder" },
          lingerMs: 1,
          spoolFolder,
          spoolMiB: 1,
          owner: "recorder",
          log,
        });
  startIngest({ bus, store: connectStore({ port, secretPath }), log });
}
