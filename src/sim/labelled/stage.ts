/**
 * Where a labelled run happens: slots with leaders, transactions in them, and a queue of what people mean to do. An
 * intent has a place within its slot, and what it does is decided when its turn comes, on the pools as they are then.
 */
import { type Random, seededRandom } from "#core/random.ts";
import { type Address, SIGNATURE_FEE_LAMPORTS, type Signature } from "#core/units.ts";
import { newAddress, newSignature } from "./names.ts";
import { applyOrder, type PaperFill, type PaperOrder, type PaperPool, tellsReserves } from "./paper-pool.ts";
import type { PersonRow, RunRow, SwapRow } from "./run-rows.ts";

const LEADERS = 64;
const SLOTS_PER_LEADER = 4;
const FIRST_SLOT = 300_000_000;

type PlannedSwap = {
  readonly pool: PaperPool;
  readonly order: PaperOrder;
  readonly trader: Address;
  readonly program: Address;
  /** Owner of the account that is paid into, where it is not the trader. */
  readonly paidTo?: Address;
  /** Least output (exact in) or most input (exact out); beyond it the transaction fails. */
  readonly limit?: bigint;
};

export type Planned = {
  readonly feePayer: Address;
  readonly swaps: readonly PlannedSwap[];
  readonly priorityFeeLamports?: bigint;
  readonly transfers?: readonly { readonly from: Address; readonly to: Address; readonly lamports: bigint }[];
  readonly tokenTransfers?: readonly { readonly from: Address; readonly to: Address }[];
};

/** A transaction that was executed; `fills` by swap, empty when it failed. */
export type Executed = {
  readonly slot: number;
  readonly index: number;
  readonly signature: Signature;
  readonly feeLamports: bigint;
  readonly fills: readonly PaperFill[];
};

type Intent = { readonly place: number; readonly act: () => void };

export class Stage {
  slot = FIRST_SLOT;
  swaps = 0;
  readonly random: Random;
  readonly #names: Random;
  readonly #write: (row: RunRow) => void;
  readonly #leaders: readonly Address[];
  readonly #later = new Map<number, Intent[]>();
  #now: Intent[] = [];
  #place = 0;
  #index = 0;

  constructor(seed: string, write: (row: RunRow) => void) {
    this.random = seededRandom(`${seed}/stage`);
    this.#names = seededRandom(`${seed}/names`);
    this.#write = write;
    this.#leaders = Array.from({ length: LEADERS }, () => this.address());
  }

  address(): Address {
    return newAddress(this.#names);
  }

  /** Somebody with a trade, as the truth of the run. */
  person(role: PersonRow["role"]): Address {
    const address = this.address();
    this.#write({ type: "person", address, role });
    return address;
  }

  leader(slot = this.slot): number {
    return Math.floor(slot / SLOTS_PER_LEADER) % LEADERS;
  }

  /** Where in the slot it stands now, in 0..1. */
  get place(): number {
    return this.#place;
  }

  /** `place` is in 0..1 and, in this slot, not before now. */
  plan(slot: number, place: number, act: () => void): void {
    if (slot > this.slot) {
      const waiting = this.#later.get(slot);
      if (waiting === undefined) this.#later.set(slot, [{ place, act }]);
      else waiting.push({ place, act });
      return;
    }
    const intent = { place: Math.max(place, this.#place), act };
    const at = this.#now.findIndex((other) => other.place > intent.place);
    this.#now.splice(at < 0 ? this.#now.length : at, 0, intent);
  }

  /** Runs all that is planned for the next slot. */
  runSlot(): void {
    this.slot++;
    this.#index = 0;
    this.#place = 0;
    this.#write({ type: "slot", slot: this.slot, leader: this.#leaders[this.leader()] as Address });
    this.#now = (this.#later.get(this.slot) ?? []).sort((a, b) => a.place - b.place);
    this.#later.delete(this.slot);
    for (let next = this.#now.shift(); next !== undefined; next = this.#now.shift()) {
      this.#place = next.place;
      next.act();
    }
  }

  /** Executes all swaps or none. */
  execute(planned: Planned): Executed {
    const { feePayer, swaps, transfers = [], tokenTransfers = [], priorityFeeLamports = 0n } = planned;
    const before = swaps.map(({ pool }) => ({ pool, reserves: pool.reserves, events: pool.history.length }));
    const signature = newSignature(this.#names);
    const cyclic = isCircle(swaps);
    const rows: SwapRow[] = [];
    const fills: PaperFill[] = [];
    for (const swap of swaps) {
      const found = swap.pool.reserves;
      const fill = applyOrder(swap.pool, swap.order, { signature, cyclic });
      if (fill === undefined || beyondLimit(swap, fill)) {
        fills.length = 0;
        for (const { pool, reserves, events } of before.reverse()) {
          pool.reserves = reserves;
          pool.history.length = events;
        }
        break;
      }
      rows.push(swapRow(swap, fill, found));
      fills.push(fill);
    }
    const failed = fills.length < swaps.length;
    const feeLamports = SIGNATURE_FEE_LAMPORTS + priorityFeeLamports;
    const [slot, index] = [this.slot, this.#index++];
    this.swaps += fills.length;
    this.#write({
      type: "transaction",
      slot,
      index,
      signature,
      fee_payer: feePayer,
      failed,
      fee_lamports: `${feeLamports}`,
      transfers: failed ? [] : transfers.map(({ from, to, lamports }) => ({ from, to, lamports: `${lamports}` })),
      token_transfers: failed ? [] : tokenTransfers,
      swaps: failed ? [] : rows,
    });
    return { slot, index, signature, feeLamports, fills };
  }

  write(row: RunRow): void {
    this.#write(row);
  }
}

/** Buys on one pool and sells the same token on another. */
function isCircle(swaps: readonly PlannedSwap[]): boolean {
  const [first, last] = [swaps[0], swaps.at(-1)];
  return first?.pool.token === last?.pool.token && first?.order.buy !== last?.order.buy && first?.pool !== last?.pool;
}

function beyondLimit({ order, limit }: PlannedSwap, { amountIn, amountOut }: PaperFill): boolean {
  if (limit === undefined) return false;
  return order.exact === "in" ? amountOut < limit : amountIn > limit;
}

function swapRow(
  { pool, order, trader, program, paidTo }: PlannedSwap,
  fill: PaperFill,
  found: readonly [bigint, bigint],
): SwapRow {
  const [moneyFirst, tokenFirst] = [pool.money, pool.token];
  const [reserveIn, reserveOut] = order.buy ? found : [found[1], found[0]];
  return {
    venue: pool.venue,
    program,
    pool: pool.address,
    trader,
    paid_to: paidTo ?? trader,
    mint_in: order.buy ? moneyFirst : tokenFirst,
    mint_out: order.buy ? tokenFirst : moneyFirst,
    amount_in: `${fill.amountIn}`,
    amount_out: `${fill.amountOut}`,
    exact: order.exact,
    ...(tellsReserves(pool) ? { reserve_in: `${reserveIn}`, reserve_out: `${reserveOut}` } : {}),
  };
}
