/** How far each remembered group is behind, asked of the brokers every few seconds while somebody wants to know. */
import type { Admin } from "kafkajs";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { TOPICS, type Topic } from "#wire/topics.ts";
import type { GroupLag } from "./bus.ts";

const REFRESH_MS = 5_000;
const GROUP_ID = /^sandpiper-(.+)\.([^.]+)$/;

export class KafkaGroups {
  #lags: readonly GroupLag[] = [];
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshing = false;
  readonly #admin: Admin;
  readonly #log: Log;

  constructor(admin: Admin, log: Log) {
    this.#admin = admin;
    this.#log = log;
  }

  /** As of the last refresh, which this call starts when it is due. */
  lags(): readonly GroupLag[] {
    if (!this.#refreshing && performance.now() - this.#refreshedAt > REFRESH_MS) void this.refresh();
    return this.#lags;
  }

  async refresh(): Promise<void> {
    this.#refreshing = true;
    try {
      await this.#admin.connect();
      const { groups } = await this.#admin.listGroups();
      const lags: GroupLag[] = [];
      for (const { groupId } of groups) {
        const [, group, name] = GROUP_ID.exec(groupId) ?? [];
        const topic = TOPICS.find((one) => one === name);
        if (group === undefined || topic === undefined) continue;
        const messages = await this.#lagOf(groupId, topic);
        if (messages !== undefined) lags.push({ group, topic, messages });
      }
      this.#lags = lags.sort((left, right) => (left.group < right.group ? -1 : 1));
    } catch (thrown) {
      this.#log.debug("bus: the groups' lags are not known now", { why: errorText(thrown) });
    } finally {
      this.#refreshing = false;
      this.#refreshedAt = performance.now();
    }
  }

  /** Undefined for a group that never committed: an onlooker. */
  async #lagOf(groupId: string, topic: Topic): Promise<number | undefined> {
    const bounds = await this.#admin.fetchTopicOffsets(topic);
    const [committed] = await this.#admin.fetchOffsets({ groupId, topics: [topic] });
    const known = committed?.partitions.filter(({ offset }) => Number(offset) >= 0) ?? [];
    if (known.length === 0) return undefined;
    return known.reduce((sum, { partition, offset }) => {
      const bound = bounds.find((one) => one.partition === partition);
      return sum + Math.max(0, Number(bound?.high ?? 0) - Math.max(Number(offset), Number(bound?.low ?? 0)));
    }, 0);
  }
}
