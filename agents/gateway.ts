/** The gateway process: the page, the API and the live stream over the bus and the tables. */
import { openBus } from "#bus/open.ts";
import { VERSION } from "#core/version.ts";
import { startGateway } from "#gateway/gateway.ts";
import { storeData } from "#gateway/store-data.ts";
import { startTraces } from "#slo/traces.ts";
import { openStore } from "#store/open.ts";
import { runAgent } from "#supervise/agent-runtime.ts";
import { isUnit, keepUnitReport } from "#supervise/service/unit-report.ts";

runAgent("gateway", async ({ config, paths, log, runId, ready }) => {
  const stopReport = isUnit(process.env) ? keepUnitReport(config, paths, log) : () => undefined;
  const bus = await openBus(config, paths, log, "gateway");
  const store = openStore(config, paths);
  const gateway = await startGateway({ config, paths, runId, bus, data: storeData(store), log });
  log.info("page is up", { at: `http://${config["gateway.host"]}:${gateway.port}/` });
  const endpoint = config["otel.endpoint"];
  const traces =
    endpoint === "" ? undefined : startTraces({ bus, endpoint, share: config["otel.share"], version: VERSION, log });
  ready();
  return async () => {
    stopReport();
    await traces?.stop();
    await gateway.stop();
    await Promise.all([store.close(), bus.close()]);
  };
});
