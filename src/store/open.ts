/** The Store that the configuration names: the embedded engine of this data folder, or a ClickHouse server. */
import type { Config } from "#core/config.ts";
import type { RunPaths } from "#core/paths.ts";
import { connectStore, type Store } from "./client.ts";

export function openStore(config: Config, paths: RunPaths): Store {
  if (config["store.engine"] === "embedded")
    return connectStore({ port: config["clickhouse.port"], secretPath: paths.clickhouseSecret });
  return connectStore({
    url: config["clickhouse.url"],
    user: config["clickhouse.user"],
    password: config["clickhouse.password"],
  });
}
