/**
 * ClickHouse's own Kafka consumers, in front of the very views that the recorder feeds in the embedded engine:
 *
 *   topic ─▸ kafka_X (engine Kafka) ─▸ pump_X ─▸ intake_X (keeps nothing) ─┬─▸ fit_X   ─▸ ingest_X ─▸ the typed tables
 *                                                                          └─▸ unfit_X ─▸ dead_letter
 *
 * The pump is made last and dropped first, so that no message is taken while a way is missing. ClickHouse commits a
 * block's offsets after all its rows are written; what it takes again after a fault is the same row in the large tables
 * (clickhouse/kafka/0001), and is not added again to the small ones, which are looked up here.
 *
 * Brokers and ages of blocks are options, so these tables are no migration: a comment on each holds the checksum of the
 * texts that made it, and what differs is made anew. The group's offsets are Kafka's and stay. How to sign in to the
 * brokers is said in ClickHouse's own configuration (clickhouse/kafka.xml), so that no password stands in a table's text.
 */
import { createHash } from "node:crypto";
import kafkaEachRowOnce from "#clickhouse/kafka/0001_each_row_once.sql" with { type: "text" };
import kafkaDeadLetterPartition from "#clickhouse/kafka/0002_dead_letter_partition.sql" with { type: "text" };
import { SandpiperError } from "#core/error.ts";
import { DATABASE, type Store } from "./client.ts";
import { STORE_ERROR } from "./errors.ts";
import type { Migration } from "./migrations.ts";
import { notThereYet, ROUTES, type Route } from "./routes.ts";

/** Applied before the tables of this file, with a history of their own: the embedded bus needs none of them. */
export const KAFKA_MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "each_row_once", sql: kafkaEachRowOnce },
  { number: 2, name: "dead_letter_partition", sql: kafkaDeadLetterPartition },
];
export const KAFKA_HISTORY = "schema_migrations_kafka";

/**
 * The consumer group of a topic's table. One for each: members of a group wait for one another whenever one comes or goes.
 * Not the recorder's, which keeps offsets in its own way.
 */
export const kafkaTablesGroup = (topic: string): string => `clickhouse-engine.${topic}`;

export type KafkaTablesOptions = {
  /** host:port with commas between. */
  readonly brokers: string;
  /** Consumers per topic: at most its partitions. */
  readonly consumers?: number;
};

/**
 * A block is written after FLUSH_MS, or when it has so many messages. Writing one takes the same time for few rows as for many,
 * so blocks that are too small fall behind (bench/queryable.ts); and a poll that finds nothing puts the reader to sleep for half a second.
 */
const FLUSH_MS = 200;
const POLL_MS = 100;
const POLL_MESSAGES_MAX = 65_536;

/** Answers the topics whose tables were made, or made anew. */
export async function ensureKafkaTables(store: Store, options: KafkaTablesOptions): Promise<string[]> {
  if (/['\\\s]/.test(options.brokers) || options.brokers === "")
    throw new SandpiperError(
      STORE_ERROR.refused,
      `Cannot read Kafka: kafka.brokers as host:port with commas between, was ${JSON.stringify(options.brokers)}`,
    );
  const made: string[] = [];
  for (const route of ROUTES) {
    const statements = statementsFor(route, await columnsOf(store, route.table), options);
    const checksum = createHash("sha256").update(statements.join(";\n")).digest("hex");
    const names = namesOf(route);
    const rows = await store.query<{ name: string; comment: string }>(
      `SELECT name, comment FROM system.tables WHERE database = '${DATABASE}' AND name IN ({pump:String}, {kafka:String})`,
      { pump: names.pump, kafka: names.kafka },
    );
    if (rows.length === 2 && rows.some(({ comment }) => comment === checksum)) continue;
    for (const name of [names.pump, names.kafka, names.fit, names.unfit, names.intake])
      await store.command(`DROP TABLE IF EXISTS ${DATABASE}.${name} SYNC`);
    for (const statement of statements) await store.command(statement.replace("@CHECKSUM@", checksum));
    made.push(route.topic);
  }
  return made;
}

type Names = Readonly<Record<"kafka" | "pump" | "intake" | "fit" | "unfit", string>>;

function namesOf({ table }: Route): Names {
  const base = table.replace(/^ingest_/, "");
  return {
    kafka: `kafka_${base}`,
    pump: `pump_${base}`,
    intake: `intake_${base}`,
    fit: `fit_${base}`,
    unfit: `unfit_${base}`,
  };
}

type Column = { readonly name: string; readonly type: string };

/** What a message of the topic is made of: the ingest table's columns but the offset. */
async function columnsOf(store: Store, table: string): Promise<Column[]> {
  const rows = await store.query<Column>(
    `SELECT name, type FROM system.columns
     WHERE database = '${DATABASE}' AND table = {table:String} AND name != 'bus_offset' ORDER BY position`,
    { table },
  );
  if (rows.length > 0) return rows;
  throw new SandpiperError(STORE_ERROR.migration, `Cannot read Kafka: the table ${DATABASE}.${table}, was not there`);
}

/** In the order in which they are made. */
function statementsFor(route: Route, columns: readonly Column[], options: KafkaTablesOptions): string[] {
  const { kafka, pump, intake, fit, unfit } = namesOf(route);
  const names = columns.map(({ name }) => `\`${name}\``).join(", ");
  const typed = columns.map(({ name, type }) => `\`${name}\` ${type}`).join(", ");
  const unfitBecause = UNFIT_BECAUSE[route.table] ?? refuseRoute(route);
  const notThere = notThereYet(route, DATABASE);
  const why = `multiIf(message_error != '', message_error, ${unfitBecause})`;
  return [
    `CREATE TABLE ${DATABASE}.${intake} (${typed}, message_partition UInt64, message_offset UInt64,
      message_at DateTime64(6, 'UTC'), message_error String, message_raw String) ENGINE = Null`,
    `CREATE MATERIALIZED VIEW ${DATABASE}.${fit} TO ${DATABASE}.${route.table} AS
      SELECT ${names}, message_offset AS bus_offset FROM ${DATABASE}.${intake}
      WHERE ${why} = '' ${notThere === "" ? "" : `AND ${notThere}`}`,
    `CREATE MATERIALIZED VIEW ${DATABASE}.${unfit} TO ${DATABASE}.dead_letter AS
      SELECT message_at AS at, '${route.topic}' AS topic, message_partition AS bus_partition,
        message_offset AS bus_offset, ${why} AS error, message_raw AS raw
      FROM ${DATABASE}.${intake}
      WHERE error != '' AND (message_partition, message_offset) NOT IN
        (SELECT bus_partition, bus_offset FROM ${DATABASE}.dead_letter WHERE topic = '${route.topic}')`,
    `CREATE TABLE ${DATABASE}.${kafka} (${typed}) ENGINE = Kafka SETTINGS
      kafka_broker_list = '${options.brokers}', kafka_topic_list = '${route.topic}',
      kafka_group_name = '${kafkaTablesGroup(route.topic)}', kafka_format = 'ProtobufSingle', kafka_schema = '${route.message}',
      kafka_handle_error_mode = 'stream', kafka_num_consumers = ${options.consumers ?? 1},
      kafka_flush_interval_ms = ${FLUSH_MS}, kafka_poll_timeout_ms = ${POLL_MS},
      kafka_poll_max_batch_size = ${POLL_MESSAGES_MAX} COMMENT '@CHECKSUM@'`,
    `CREATE MATERIALIZED VIEW ${DATABASE}.${pump} TO ${DATABASE}.${intake} AS
      SELECT ${names}, _partition AS message_partition, _offset AS message_offset,
        toDateTime64(ifNull(_timestamp_ms, now64(3)), 6, 'UTC') AS message_at, _error AS message_error,
        if(_error = '', formatRowNoNewline('JSONEachRow', ${names}), _raw_message) AS message_raw
      FROM ${DATABASE}.${kafka}`,
  ];
}

/** The rest of a multiIf that gives the reason, or ''. */
const UNFIT_BECAUSE: Readonly<Record<string, string>> = {
  ingest_arbitrage_decisions: envelopeOf({ ARB: "arb.decision_id" }),
  ingest_sandwich_decisions: envelopeOf({ MEV: "mev.decision_id" }),
  ingest_bundle_outcomes: envelopeOf({ OUTCOME: "outcome.bundle_id" }),
  ingest_metrics: envelopeOf({ METRICS: "metrics.agent", TRAINING: "training.job_id", DATASET: "dataset.name" }),
  ingest_control_commands: "request_id = '', 'a request id, was none', ''",
  ingest_train_requests: "job_id = '', 'a job id, was none', ''",
  ingest_train_acks: "job_id = '', 'a job id, was none', ''",
};

/** As src/store/routes.ts has it: schema, payload and type agree; and there is an id, or the row could not be told apart. */
function envelopeOf(idOf: Readonly<Record<string, string>>): string {
  const types = Object.keys(idOf).map((type) => `'${type}'`);
  const ids = Object.entries(idOf).map(([type, id]) => `type = '${type}' AND ${id} = ''`);
  return [
    "schema_version != 'rt-v1', concat('schema rt-v1, was ', schema_version)",
    `type NOT IN (${types.join(", ")}), concat('a payload of ${Object.keys(idOf).join(", ")}, was ', type)`,
    ...ids.map((isWithout) => `${isWithout}, 'the payload of its type with an id, was none'`),
    "''",
  ].join(", ");
}

function refuseRoute({ table }: Route): never {
  throw new SandpiperError(STORE_ERROR.refused, `Cannot read Kafka into ${table}: a rule for it, was none`);
}
