/** The recorder's part of bench/bus.ts, in a process of its own: arguments are the bus file, the port, the secret. */
import { openEmbeddedBus } from "#bus/embedded.ts";
import { createLog } from "#core/log.ts";
import { connectStore } from "#store/client.ts";
import { startIngest } from "#store/ingest.ts";

const [path = "", port = "", secretPath = ""] = process.argv.slice(2);
const log = createLog({ process: "recorder", level: "warn", format: "text" });
const bus = openEmbeddedBus({ path, lingerMs: 1, retainMiB: 2_048, log });
startIngest({ bus, store: connectStore({ port: Number(port), secretPath }), log });
