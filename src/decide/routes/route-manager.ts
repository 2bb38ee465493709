/**
 * Which way goes first: for each route, leader and hour of the day a moving average (ALPHA) of how long the route takes to
 * acknowledge and of how many attempts it lands. A page that has seen nothing begins from that of the route alone, and
 * that one from a prior. The order is by
 *
 *   value(route) = EV if landed · p(landed | route) − what the attempt costs there
 *
 * and of equal values the quicker first. One attempt in EXPLORE_EVERY goes another way first: what is never tried is
 * never learnt.
 */
export type RouteEstimate = { readonly pLand: number; readonly rttNs: number; readonly attempts: number };
export type RouteMoment = { readonly leader: string; readonly hour: number };

const ALPHA = 0.15;
const EXPLORE_EVERY = 20;
/** Leaders × hours × routes that are remembered; the oldest are forgotten. */
const PAGES_MAX = 8_192;
const PRIOR: RouteEstimate = { pLand: 0.5, rttNs: 20e6, attempts: 0 };

export class RouteManager<Name extends string> {
  readonly #pages = new Map<string, RouteEstimate>();

  constructor(
    private readonly names: readonly Name[],
    /** 0 <= x < 1. */
    private readonly random: () => number,
    private readonly priors: Partial<Readonly<Record<Name, Partial<RouteEstimate>>>> = {},
  ) {}

  /** All routes, the one to be tried first in front. `costLamports`: of an attempt on each, landed or not. */
  order(
    moment: RouteMoment,
    evLamports: number,
    costLamports: Partial<Readonly<Record<Name, number>>> = {},
  ): readonly Name[] {
    const value = (name: Name) => evLamports * this.estimate(name, moment).pLand - (costLamports[name] ?? 0);
    const order = [...this.names].sort(
      (a, b) => value(b) - value(a) || this.estimate(a, moment).rttNs - this.estimate(b, moment).rttNs,
    );
    if (order.length < 2 || this.random() >= 1 / EXPLORE_EVERY) return order;
    const other = 1 + Math.floor(this.random() * (order.length - 1));
    return [order[other] as Name, ...order.filter((_, i) => i !== other)];
  }

  estimate(name: Name, { leader, hour }: RouteMoment): RouteEstimate {
    return this.#pages.get(pageOf(name, leader, hour)) ?? this.#pages.get(name) ?? { ...PRIOR, ...this.priors[name] };
  }

  acknowledged(name: Name, moment: RouteMoment, rttNs: number): void {
    this.#learn(name, moment, (before) => ({ ...before, rttNs: before.rttNs + ALPHA * (rttNs - before.rttNs) }));
  }

  ended(name: Name, moment: RouteMoment, landed: boolean): void {
    this.#learn(name, moment, (before) => ({
      ...before,
      pLand: before.pLand + ALPHA * ((landed ? 1 : 0) - before.pLand),
      attempts: before.attempts + 1,
    }));
  }

  #learn(name: Name, moment: RouteMoment, next: (before: RouteEstimate) => RouteEstimate): void {
    const page = pageOf(name, moment.leader, moment.hour);
    const learnt = next(this.estimate(name, moment));
    const route = next(this.#pages.get(name) ?? { ...PRIOR, ...this.priors[name] });
    this.#pages.delete(page);
    this.#pages.set(page, learnt);
    this.#pages.set(name, route);
    if (this.#pages.size <= PAGES_MAX) return;
    for (const oldest of this.#pages.keys())
      if (oldest.includes("/")) {
        this.#pages.delete(oldest);
        return;
      }
  }
}

const pageOf = (name: string, leader: string, hour: number): string => `${name}/${leader}/${hour}`;
