/**
 * The route straight to the leaders: the one of the slot and the next one, each over its QUIC door. Leaders and their
 * addresses are asked of the cluster about once a slot, and those of the next slots are connected ahead.
 */
import type { RouteStatus, SendAnswer, SendingRoute } from "#execute/route.ts";
import { field, isRecord, list, type Rpc } from "#execute/rpc.ts";
import { signatureOf } from "#execute/transaction.ts";
import type { TpuAnswer, TpuEngine } from "./tpu-engine.ts";

/** Slots that are looked ahead: two leaders of four slots each, and the start of the third. */
const LOOK_AHEAD_SLOTS = 9;
/** Leaders that get a transaction: one of the last slots of a leader may come too late for it. */
const FANOUT = 2;
/** Rounds after which the addresses are asked for again. */
const NODES_EVERY_ROUNDS = 150;

export class TpuRoute implements SendingRoute {
  readonly name = "tpu";
  #addresses: readonly string[] = [];
  #nodes = new Map<string, string>();
  #rounds = 0;

  constructor(
    private readonly rpc: Rpc,
    private readonly client: TpuEngine,
  ) {}

  get health() {
    const [leader] = this.#addresses;
    const { inFlight, handshakeNs, sent, failed } = this.client;
    return {
      healthy: leader !== undefined && this.client.isConnected(leader),
      rttNs: handshakeNs,
      inFlight,
      sent,
      failed,
    };
  }

  /** Follows the schedule from this slot on; keeps what it had where the cluster does not answer. */
  async follow(slot: number): Promise<void> {
    if (this.#rounds++ % NODES_EVERY_ROUNDS === 0 || this.#nodes.size === 0) await this.#readNodes();
    const answer = await this.rpc("getSlotLeaders", [slot, LOOK_AHEAD_SLOTS]);
    if (!answer.ok) return;
    const addresses = list(answer.value).flatMap((leader) => this.#nodes.get(String(leader)) ?? []);
    this.#addresses = [...new Set(addresses)];
    await Promise.all(this.#addresses.map((address) => this.client.prepare(address)));
    this.client.lead(this.#addresses[0]);
  }

  async send(wire: Uint8Array): Promise<SendAnswer> {
    const leaders = this.#addresses.slice(0, FANOUT);
    if (leaders.length === 0) return { kind: "rejected", why: "no leader has a known TPU address" };
    const answers = await Promise.all(leaders.map((address) => this.client.send(address, wire)));
    const best = answers.reduce<TpuAnswer>((a, b) => (RANK[b.kind] < RANK[a.kind] ? b : a), answers[0] as TpuAnswer);
    return best.kind === "accepted" ? { kind: "accepted", routeId: signatureOf(wire) } : best;
  }

  /** A leader says nothing of what it took: the ledger and the blockhash decide. */
  async statuses(routeIds: readonly string[]): Promise<readonly RouteStatus[]> {
    return routeIds.map(() => ({ kind: "pending" }));
  }

  async #readNodes(): Promise<void> {
    const answer = await this.rpc("getClusterNodes", []);
    if (!answer.ok) return;
    const nodes = new Map<string, string>();
    for (const node of list(answer.value)) {
      const [identity, address] = [field(node, "pubkey"), isRecord(node) ? node["tpuQuic"] : undefined];
      if (typeof identity === "string" && typeof address === "string") nodes.set(identity, address);
    }
    this.#nodes = nodes;
  }
}

const RANK = { accepted: 0, unanswered: 1, rejected: 2 } as const;
