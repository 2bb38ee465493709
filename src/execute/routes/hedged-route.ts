/**
 * One signed transaction by two ways: the best route first, and when nobody has acknowledged it within the hedge delay
 * the very same bytes by the next one. It cannot execute twice, for a ledger takes a signature once. The delay follows
 * what the first route usually takes, within its bounds; the extra load has a budget.
 *
 * What was also sent another way is not given up because the first route gave it up: only the ledger, and the death of
 * its blockhash, decide then.
 */
import type { Clock } from "#core/clock.ts";
import type { RouteManager, RouteMoment } from "#decide/routes/route-manager.ts";
import type { Route, RouteName, RouteStatus, SendAnswer, SendingRoute } from "#execute/route.ts";

export type HedgedRouteParts = {
  /** Gives tips and statuses; one of `routes`. */
  readonly main: Route;
  readonly routes: readonly SendingRoute[];
  readonly manager: RouteManager<RouteName>;
  readonly moment: () => RouteMoment;
  readonly hedgeMsMin: number;
  readonly hedgeMsMax: number;
  /** Most sends by a second route, in % of all. */
  readonly extraPctMax: number;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly clock: Pick<Clock, "monotonicNs">;
};

/** Bundles whose ways are remembered until their end; more than can be open. */
const REMEMBERED_MAX = 1_024;
/** A budget that was saved up is at most this many sends. */
const SAVED_MAX = 10;
/** The second route is asked when the first one takes this much longer than usual. */
const PATIENCE = 1.5;

export class HedgedRoute implements Route {
  readonly name: RouteName;
  readonly counters = { sends: 0, hedged: 0, overBudget: 0 };
  readonly #ways = new Map<string, { readonly first: RouteName; readonly moment: RouteMoment; both: boolean }>();
  #budget = 0;

  constructor(private readonly parts: HedgedRouteParts) {
    this.name = parts.main.name;
  }

  get tipFloorLamports(): number {
    return this.parts.main.tipFloorLamports;
  }

  get health() {
    return this.parts.main.health;
  }

  tipAccount(): string {
    return this.parts.main.tipAccount();
  }

  refreshTipFloor(): Promise<void> {
    return this.parts.main.refreshTipFloor();
  }

  async send(wire: Uint8Array, routeId: string): Promise<SendAnswer> {
    const { manager, routes, sleep, extraPctMax } = this.parts;
    const moment = this.parts.moment();
    const [firstName, secondName] = manager.order(moment, 1);
    const first = routes.find(({ name }) => name === firstName) ?? (routes[0] as SendingRoute);
    const second = routes.find(({ name }) => name === secondName);
    this.counters.sends++;
    this.#budget = Math.min(SAVED_MAX, this.#budget + extraPctMax / 100);
    const way = { first: first.name, moment, both: false };
    this.#remember(routeId, way);
    const sending = this.#timed(first, wire, routeId, moment);
    if (second === undefined) return this.#named(await sending, routeId);
    const early = await Promise.race([sending, sleep(this.#delayMs(first.name, moment))]);
    if (isAnswer(early) && early.kind === "accepted") return this.#named(early, routeId);
    if (this.#budget < 1) {
      this.counters.overBudget++;
      return this.#named(await sending, routeId);
    }
    this.#budget--;
    this.counters.hedged++;
    way.both = true;
    const answers = await Promise.all([sending, this.#timed(second, wire, routeId, moment)]);
    const best = answers.find(({ kind }) => kind === "accepted") ?? answers.find(({ kind }) => kind === "unanswered");
    return this.#named(best ?? answers[0], routeId);
  }

  async statuses(routeIds: readonly string[]): Promise<readonly RouteStatus[] | undefined> {
    const statuses = await this.parts.main.statuses(routeIds);
    return statuses?.map((status, i) => {
      const way = this.#ways.get(routeIds[i] as string);
      const onlyMain = way === undefined || (way.first === this.name && !way.both);
      return onlyMain || status.kind === "landed" ? status : { kind: "pending" };
    });
  }

  settled(routeId: string, landed: boolean): void {
    const way = this.#ways.get(routeId);
    this.#ways.delete(routeId);
    // Of two ways nobody knows which one it was.
    if (way !== undefined && !way.both) this.parts.manager.ended(way.first, way.moment, landed);
  }

  #delayMs(name: RouteName, moment: RouteMoment): number {
    const usualMs = this.parts.manager.estimate(name, moment).rttNs / 1e6;
    return Math.min(this.parts.hedgeMsMax, Math.max(this.parts.hedgeMsMin, PATIENCE * usualMs));
  }

  async #timed(route: SendingRoute, wire: Uint8Array, routeId: string, moment: RouteMoment): Promise<SendAnswer> {
    const startNs = this.parts.clock.monotonicNs();
    const answer = await route.send(wire, routeId);
    if (answer.kind === "accepted")
      this.parts.manager.acknowledged(route.name, moment, this.parts.clock.monotonicNs() - startNs);
    return answer;
  }

  /** Followed under the main route's name for it, whichever way it went. */
  #named(answer: SendAnswer, routeId: string): SendAnswer {
    return answer.kind === "accepted" ? { kind: "accepted", routeId } : answer;
  }

  #remember(routeId: string, way: { readonly first: RouteName; readonly moment: RouteMoment; both: boolean }): void {
    this.#ways.set(routeId, way);
    if (this.#ways.size > REMEMBERED_MAX) this.#ways.delete(this.#ways.keys().next().value as string);
  }
}

const isAnswer = (value: unknown): value is SendAnswer =>
  typeof value === "object" && value !== null && "kind" in value;
