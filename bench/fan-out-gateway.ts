/** The gateway of the fan-out benches, in a process of its own: argv is its data folder and most clients. Says its port on stdout. */
import { openEmbeddedBus } from "#bus/embedded.ts";
import { loadConfig } from "#core/config.ts";
import { createLog } from "#core/log.ts";
import { runPaths } from "#core/paths.ts";
import { startGateway } from "#gateway/gateway.ts";
import { storeData } from "#gateway/store-data.ts";
import { connectStore } from "#store/client.ts";

const [folder = "", clients = "1000"] = process.argv.slice(2);
const paths = runPaths(folder);
const log = createLog({ process: "gateway", level: "error", format: "text" });
const flags = ["--dataDir", folder, "--gateway.liveClientsMax", clients, "--gateway.liveClientsPerAddressMax", clients];
const { config } = loadConfig({ environment: {}, flags });
const bus = openEmbeddedBus({ path: paths.bus, lingerMs: 1, retainMiB: 512, log });
const data = storeData(connectStore({ port: 1, secretPath: paths.clickhouseSecret }));
const gateway = await startGateway({ config, paths, runId: "bench", bus, data, log, port: 0, show: () => {} });
process.stdout.write(`${gateway.port}\n`);
process.on("SIGTERM", () => void gateway.stop().then(() => process.exit(0)));
