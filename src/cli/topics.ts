/** `sandpiper topics`: makes the topics on Kafka as planned (src/bus/topics.ts), and prints what is there. */
import { kafkaOptionsOf } from "#bus/kafka-client.ts";
import { applyTopics, type TopicState } from "#bus/topics.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { createLog } from "#core/log.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";

const DAY_MS = 86_400_000;

export async function runTopics(args: readonly string[]): Promise<number> {
  const config = await readConfigWithSecrets(args, process.env);
  const log = createLog({ process: "topics", level: config["log.level"], format: config["log.format"] });
  const states = await applyTopics(kafkaOptionsOf(config), config["kafka.replicas"], log);
  process.stdout.write(`topics at ${config["kafka.brokers"]}:\n${states.map(line).join("")}`);
  return EXIT_CODE.ok;
}

function line({
  topic,
  partitions,
  plannedPartitions,
  replicas,
  retentionMs,
  minInsync,
  why,
  done,
}: TopicState): string {
  const planned =
    partitions === plannedPartitions ? "" : ` (${plannedPartitions} planned; left, so that keys stay put)`;
  const facts = `${partitions} partitions${planned}, ${replicas} copies, ${minInsync} in sync, ${retentionMs / DAY_MS} days`;
  return `  ${topic.padEnd(26)} ${done.padEnd(9)}  ${facts}: ${why}\n`;
}
