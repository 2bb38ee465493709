/**
 * The topics on Kafka: how each is cut and kept, and why. applyTopics() makes what is missing and sets what differs;
 * partitions are only ever added to, by hand, because adding some would move keys and break their order.
 */
import kafkajs, { type Admin } from "kafkajs";
import type { Log } from "#core/log.ts";
import { TOPICS, type Topic } from "#wire/topics.ts";
import { brokersError, createKafka, type KafkaOptions } from "./kafka-client.ts";

const DAY_MS = 86_400_000;
/** A message may have 1 MiB (the bus refuses more), and its record a head. */
const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;
/** From so many copies on, a write must be on two; with fewer, one broker less would stop all writing. */
const REPLICAS_FOR_TWO_IN_SYNC = 3;

type TopicPlan = { readonly partitions: number; readonly retentionDays: number; readonly why: string };

const PLANS: Readonly<Record<Topic, TopicPlan>> = {
  "arbitrage-decisions-proto": { partitions: 4, retentionDays: 7, why: "the most by far; order per pool pair" },
  "sandwich-decisions-proto": { partitions: 4, retentionDays: 7, why: "many; order per attacker" },
  "bundle-outcomes-proto": { partitions: 4, retentionDays: 30, why: "money: a month to load the tables again from" },
  "metrics-proto": { partitions: 1, retentionDays: 3, why: "few, and old ones are in the tables" },
  "control-commands-proto": {
    partitions: 1,
    retentionDays: 30,
    why: "one order over all modules: what was asked when",
  },
  "control-acks-proto": { partitions: 1, retentionDays: 30, why: "kept as long as the commands they answer" },
  "train-requests-proto": { partitions: 1, retentionDays: 30, why: "few; a trainer may be off for weeks" },
  "train-acks-proto": { partitions: 1, retentionDays: 30, why: "kept as long as the requests they answer" },
  "policy-updates-proto": { partitions: 1, retentionDays: 30, why: "one order over all modules" },
  "control-audit-proto": { partitions: 1, retentionDays: 30, why: "kept as long as the commands, for the ledger" },
  "dead-letter-proto": { partitions: 1, retentionDays: 30, why: "time for a person to look" },
};

export type TopicState = {
  readonly topic: Topic;
  readonly partitions: number;
  readonly replicas: number;
  readonly retentionMs: number;
  readonly minInsync: number;
  readonly why: string;
  /** What this run did: nothing, made it, or set what differed. */
  readonly done: "as it was" | "made" | "set";
  /** Has other partitions than planned, which is left as it is. */
  readonly plannedPartitions: number;
};

/** Makes and sets the topics, then reads back what is there. Running it again changes nothing. */
export async function applyTopics(options: KafkaOptions, replicas: number, log: Log): Promise<TopicState[]> {
  const admin = createKafka(options, log).admin();
  try {
    await admin.connect();
    const before = new Set(await admin.listTopics());
    await admin.createTopics({
      waitForLeaders: true,
      topics: TOPICS.filter((topic) => !before.has(topic)).map((topic) => ({
        topic,
        numPartitions: PLANS[topic].partitions,
        replicationFactor: replicas,
        configEntries: settingsOf(topic, replicas),
      })),
    });
    const states: TopicState[] = [];
    for (const topic of TOPICS) states.push(await applyTopic(admin, topic, before.has(topic)));
    return states;
  } catch (thrown) {
    throw brokersError("set up the topics", thrown);
  } finally {
    await admin.disconnect();
  }
}

async function applyTopic(admin: Admin, topic: Topic, wasThere: boolean): Promise<TopicState> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics[0]?.partitions ?? [];
  // A topic that is there keeps its number of copies, and what it must have in sync follows from that.
  const replicas = partitions[0]?.replicas.length ?? 0;
  const wanted = settingsOf(topic, replicas);
  const found = await readSettings(admin, topic);
  const differs = wanted.some(({ name, value }) => found.get(name) !== value);
  if (differs)
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries: wanted }],
    });
  const settings = differs ? await readSettings(admin, topic) : found;
  const set = differs ? "set" : "as it was";
  return {
    topic,
    partitions: partitions.length,
    replicas,
    retentionMs: Number(settings.get("retention.ms")),
    minInsync: Number(settings.get("min.insync.replicas")),
    why: PLANS[topic].why,
    done: wasThere ? set : "made",
    plannedPartitions: PLANS[topic].partitions,
  };
}

async function readSettings(admin: Admin, topic: Topic): Promise<Map<string, string>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  return new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
}

const settingsOf = (topic: Topic, replicas: number) => [
  { name: "cleanup.policy", value: "delete" },
  { name: "retention.ms", value: String(PLANS[topic].retentionDays * DAY_MS) },
  { name: "min.insync.replicas", value: replicas >= REPLICAS_FOR_TWO_IN_SYNC ? "2" : "1" },
  { name: "max.message.bytes", value: String(MESSAGE_BYTES_MAX) },
  // As the producer made them: a broker that packs anew would only burn its CPU.
  { name: "compression.type", value: "producer" },
];
