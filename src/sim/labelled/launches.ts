/** New tokens: snipers who are in with the pool, the crowd behind them, and the way out of both. */
import { type Random, seededRandom } from "#core/random.ts";
import type { Address } from "#core/units.ts";
import type { Crowd } from "./crowd.ts";
import { type Market, partOf } from "./market.ts";
import type { PaperPool } from "./paper-pool.ts";
import { programOfVenue, tipTransfer } from "./programs.ts";
import type { Stage } from "./stage.ts";

const EVERY_SLOTS = 70;
const SNIPERS = 40;
const CROWD_SLOTS = 30;

export class Launches {
  readonly #random: Random;
  readonly #stage: Stage;
  readonly #market: Market;
  readonly #crowd: Crowd;
  readonly #snipers: { wallet: Address; program: Address | undefined }[];

  constructor(seed: string, stage: Stage, market: Market, crowd: Crowd) {
    this.#random = seededRandom(`${seed}/launches`);
    this.#stage = stage;
    this.#market = market;
    this.#crowd = crowd;
    this.#snipers = Array.from({ length: SNIPERS }, () => ({
      wallet: stage.person("sniper"),
      program: this.#random.unit() < 0.6 ? stage.address() : undefined,
    }));
  }

  prepare(slot: number): void {
    if (this.#random.unit() * EVERY_SLOTS < 1) this.#stage.plan(slot, this.#random.unit(), () => this.#launch());
  }

  #launch(): void {
    const [stage, random] = [this.#stage, this.#random];
    const pool = this.#market.launch();
    stage.execute({ feePayer: stage.address(), swaps: [] });
    this.#market.moveWorth(pool, 1 + random.unit() * 2);
    for (let i = random.between(1, 6); i > 0; i--) {
      const place = stage.place + random.unit() * 0.02;
      stage.plan(stage.slot, place, () => this.#snipe(pool));
    }
    for (let after = 0; after < CROWD_SLOTS; after++)
      for (let i = Math.floor((4 * random.unit()) / (1 + after / 6)); i > 0; i--)
        stage.plan(stage.slot + after, after === 0 ? stage.place + 0.03 + random.unit() * 0.3 : random.unit(), () => {
          const size = 0.002 + random.unit() * 0.02;
          this.#crowd.submit(this.#crowd.order(pool, random.unit() < 0.85, undefined, size));
        });
  }

  #snipe(pool: PaperPool): void {
    const [stage, random] = [this.#stage, this.#random];
    const { wallet, program = programOfVenue(pool.venue) } = random.pick(this.#snipers);
    const amount = partOf(pool.reserves[0], 0.01 + random.unit() * 0.05);
    const tip = random.unit() < 0.7 ? [tipTransfer(random, wallet, BigInt(random.between(100_000, 10_000_000)))] : [];
    const swap = { pool, order: { buy: true, exact: "in" as const, amount }, trader: wallet, program };
    const tokens = stage.execute({ feePayer: wallet, swaps: [swap], transfers: tip }).fills[0]?.amountOut;
    if (tokens === undefined) return;
    const parts = random.between(1, 5);
    let slot = stage.slot + random.between(1, 25);
    for (let i = 0; i < parts; i++) {
      stage.plan(slot, random.unit(), () => {
        const order = { buy: false, exact: "in" as const, amount: tokens / BigInt(parts) };
        stage.execute({ feePayer: wallet, swaps: [{ pool, order, trader: wallet, program }] });
      });
      slot += random.between(0, 6);
    }
  }
}
