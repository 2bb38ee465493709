/** What the configuration says of the tables: where they are, how long rows stay, and where old ones go. */
import type { Config } from "#core/config.ts";
import type { RunPaths } from "#core/paths.ts";
import { connectStore, type Store } from "./client.ts";
import type { ColdStorage } from "./engine-files.ts";
import type { Retention } from "./retention.ts";

const DAY_SECONDS = 86_400;

/** The embedded engine of this data folder, or a ClickHouse server. */
export function openStore(config: Config, paths: RunPaths): Store {
  // What comes from Kafka may stand in a table twice until a merge.
  const final = config["bus.engine"] === "kafka";
  if (config["store.engine"] === "embedded")
    return connectStore({ port: config["clickhouse.port"], secretPath: paths.clickhouseSecret, final });
  return connectStore({
    url: config["clickhouse.url"],
    user: config["clickhouse.user"],
    password: config["clickhouse.password"],
    final,
  });
}

/** Whether ClickHouse's own Kafka engine carries messages into the tables, in the recorder's place. */
export const isReadByClickhouse = (config: Config): boolean =>
  config["bus.engine"] === "kafka" && config["store.reader"] === "clickhouse";

/** For the embedded engine; a server has its own clickhouse/storage.xml. */
export function coldStorageOf(config: Config): ColdStorage | undefined {
  const endpoint = config["clickhouse.s3Endpoint"];
  if (endpoint === "") return undefined;
  return { endpoint, keyId: config["clickhouse.s3KeyId"], secret: config["clickhouse.s3Secret"] };
}

export function retentionOf(config: Config): Retention {
  const hasCold = config["clickhouse.s3Endpoint"] !== "";
  return {
    hotSeconds: hasCold ? config["clickhouse.hotDays"] * DAY_SECONDS : undefined,
    keepSeconds: config["clickhouse.keepDays"] * DAY_SECONDS,
  };
}
