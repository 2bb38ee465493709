/** Who leads a slot, asked for once. */
import { list, type Rpc } from "./rpc.ts";

const CACHE_MAX = 1_024;

export class Leaders {
  readonly #known = new Map<number, string>();

  /** A number that stands for the leader of the slot that `learn` was last asked about; 0 unknown. */
  next = 0;
  /** Its identity; empty while unknown. */
  nextName = "";

  constructor(private readonly rpc: Rpc) {}

  /** Base58 identity of the slot's leader; empty when the cluster does not say. */
  async of(slot: number): Promise<string> {
    const known = this.#known.get(slot);
    if (known !== undefined) return known;
    const answer = await this.rpc("getSlotLeaders", [slot, 1]);
    const leader = answer.ok ? list(answer.value)[0] : undefined;
    if (typeof leader !== "string") return "";
    if (this.#known.size >= CACHE_MAX) this.#known.delete(this.#known.keys().next().value as number);
    this.#known.set(slot, leader);
    return leader;
  }

  async learn(slot: number): Promise<void> {
    const leader = await this.of(slot);
    this.nextName = leader;
    this.next = leader === "" ? 0 : Bun.hash.crc32(leader) >>> 0;
  }
}
