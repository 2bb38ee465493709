/** Brings ClickHouse to what this version and the configuration want of it; whoever starts may do it, again and again. */
import type { Config } from "#core/config.ts";
import type { Store } from "./client.ts";
import { ensureKafkaTables, KAFKA_HISTORY, KAFKA_MIGRATIONS } from "./kafka-tables.ts";
import { migrate } from "./migrate.ts";
import { MIGRATIONS } from "./migrations.ts";
import { isReadByClickhouse, retentionOf } from "./open.ts";
import { ensureRetention } from "./retention.ts";

/** Answers what was done, a line each; nothing when all was as it should be. */
export async function prepareStore(store: Store, config: Config): Promise<string[]> {
  const done = (await migrate(store)).map((number) => `applied ${number} ${MIGRATIONS[number - 1]?.name ?? ""}`);
  if (config["bus.engine"] === "kafka")
    for (const number of await migrate(store, KAFKA_MIGRATIONS, KAFKA_HISTORY))
      done.push(`applied kafka ${number} ${KAFKA_MIGRATIONS[number - 1]?.name ?? ""}`);
  const altered = await ensureRetention(store, retentionOf(config));
  if (altered.length > 0) done.push(`set how long rows stay: ${altered.join(", ")}`);
  if (isReadByClickhouse(config))
    for (const topic of await ensureKafkaTables(store, { brokers: config["kafka.brokers"] }))
      done.push(`reads ${topic} from Kafka`);
  return done;
}
