/**
 * A pool of concentrated liquidity as the hot loop holds it: its price, its liquidity there, and its initialized ticks.
 *
 * Between two neighbouring ticks such a pool is a constant product with virtual reserves x = L/√P and y = L·√P, good for
 * as much input as moves the price to the next tick. There the tick's net liquidity joins (upwards) or leaves (downwards)
 * and the next segment begins. Floats serve the screening; a winner is quoted on the exact words (concentrated-quote.ts).
 * A new price allocates nothing; a new tick does.
 */

/** Ticks kept per pool; a pool with more cannot be followed. */
export const TICKS_MAX = 4_096;
/** Ticks one swap may cross: its instruction must name their arrays, and a route has few bytes for them. */
export const CROSSINGS_MAX = 8;

const X64 = 2 ** 64;
const WORD = 2 ** 32;
const LOG_SQRT_BASE = Math.log(1.0001) / 2;

export class ConcentratedPool {
  /** √P as a float, and the liquidity there. */
  price = 0;
  liquidity = 0;
  tickCurrent = 0;
  tickCount = 0;
  /** Indices of the initialized ticks, ascending, and what each adds to the liquidity on the way up. */
  ticks = new Int32Array(64);
  nets: bigint[] = [];
  /** Whether all ticks are known: since they were told from the first on, none was lost or found no room. */
  whole = false;
  #prices = new Float64Array(64);
  #netFloats = new Float64Array(64);
  /** √P · 2^64 and the liquidity, each as four words, low first. */
  readonly #words = new Uint32Array(new ArrayBuffer(32));
  readonly #exact = new BigUint64Array(this.#words.buffer);
  /** The place of the greatest tick at or below the current one; −1 when there is none. */
  #below = -1;

  get sqrtPriceX64(): bigint {
    return ((this.#exact[1] as bigint) << 64n) | (this.#exact[0] as bigint);
  }

  get exactLiquidity(): bigint {
    return ((this.#exact[3] as bigint) << 64n) | (this.#exact[2] as bigint);
  }

  /** Begins anew: all ticks follow. */
  clearTicks(): void {
    this.tickCount = 0;
    this.nets.length = 0;
    this.whole = true;
  }

  /** Puts a tick in, or changes or (undefined) removes it. The state that follows makes it count. */
  setTick(index: number, net: bigint | undefined): void {
    const place = this.#placeAfter(index) - 1;
    if (place >= 0 && this.ticks[place] === index) {
      if (net === undefined) this.#remove(place);
      else this.#put(place, index, net);
    } else if (net !== undefined) this.#insert(place + 1, index, net);
  }

  /** A new price and liquidity: eight words as they stand in a record, from `at` on. */
  setState(words: Uint32Array, at: number, tickCurrent: number): void {
    for (let i = 0; i < 8; i++) this.#words[i] = words[at + i] as number;
    this.price = this.#number(0) / X64;
    this.liquidity = this.#number(4);
    this.tickCurrent = tickCurrent;
    this.#below = this.#placeAfter(tickCurrent) - 1;
  }

  /** How much of the input, fees off, moves the price to the next tick; −1 where no tick is left on that side. */
  room(inputSide: number): number {
    const place = inputSide === 0 ? this.#below : this.#below + 1;
    if (place < 0 || place >= this.tickCount) return -1;
    return roomTo(this.#prices[place] as number, this.price, this.liquidity, inputSide);
  }

  /** What `net` units of input, fees off, pay out over as many segments as it takes; in floats. */
  output(inputSide: number, net: number): number {
    let { price, liquidity } = this;
    let left = net;
    let out = 0;
    let place = inputSide === 0 ? this.#below : this.#below + 1;
    for (let crossed = 0; left > 0 && crossed <= CROSSINGS_MAX; crossed++) {
      if (place < 0 || place >= this.tickCount) break;
      const target = this.#prices[place] as number;
      const room = roomTo(target, price, liquidity, inputSide);
      if (left <= room)
        return out + paidOut(priceAfter(left, price, liquidity, inputSide), price, liquidity, inputSide);
      out += paidOut(target, price, liquidity, inputSide);
      left -= room;
      price = target;
      const change = this.#netFloats[place] as number;
      liquidity = Math.max(0, inputSide === 0 ? liquidity - change : liquidity + change);
      place += inputSide === 0 ? -1 : 1;
    }
    // Beyond the last tick, or the last that may be crossed, more input earns nothing.
    return out;
  }

  /** The place of the first tick above `index`. */
  #placeAfter(index: number): number {
    let low = 0;
    let high = this.tickCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ticks[middle] as number) <= index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #put(place: number, index: number, net: bigint): void {
    this.ticks[place] = index;
    this.nets[place] = net;
    this.#prices[place] = Math.exp(index * LOG_SQRT_BASE);
    this.#netFloats[place] = Number(net);
  }

  #insert(place: number, index: number, net: bigint): void {
    if (this.tickCount === TICKS_MAX) {
      this.whole = false;
      return;
    }
    if (this.tickCount === this.ticks.length) this.#grow();
    for (const list of [this.ticks, this.#prices, this.#netFloats]) list.copyWithin(place + 1, place, this.tickCount);
    this.nets.splice(place, 0, net);
    this.tickCount++;
    this.#put(place, index, net);
  }

  #remove(place: number): void {
    for (const list of [this.ticks, this.#prices, this.#netFloats]) list.copyWithin(place, place + 1, this.tickCount);
    this.nets.splice(place, 1);
    this.tickCount--;
  }

  #grow(): void {
    const length = this.ticks.length * 2;
    const [ticks, prices, nets] = [new Int32Array(length), new Float64Array(length), new Float64Array(length)];
    ticks.set(this.ticks);
    prices.set(this.#prices);
    nets.set(this.#netFloats);
    this.ticks = ticks;
    this.#prices = prices;
    this.#netFloats = nets;
  }

  #number(at: number): number {
    const words = this.#words;
    return (
      (((words[at + 3] as number) * WORD + (words[at + 2] as number)) * WORD + (words[at + 1] as number)) * WORD +
      (words[at] as number)
    );
  }
}

/** Net input that moves the price from `price` to `target`. */
const roomTo = (target: number, price: number, liquidity: number, inputSide: number): number =>
  inputSide === 0 ? liquidity * (1 / target - 1 / price) : liquidity * (target - price);

const priceAfter = (net: number, price: number, liquidity: number, inputSide: number): number =>
  inputSide === 0 ? (liquidity * price) / (liquidity + net * price) : price + net / liquidity;

const paidOut = (target: number, price: number, liquidity: number, inputSide: number): number =>
  inputSide === 0 ? liquidity * (price - target) : liquidity * (1 / price - 1 / target);
