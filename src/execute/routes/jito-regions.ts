/**
 * Jito's block engine in several regions as one route: the quickest one that is well goes first. One that says 429 rests for
 * its own back-off, and the same bundle, which it refused, goes to the next; one that says nothing rests for a while, and
 * what it may have taken is not said again here. A bundle's status is asked of the region that has it.
 */
import type { Clock } from "#core/clock.ts";
import { type JitoOptions, type JitoRoute, jitoRouteOf, openJitoRoute } from "#execute/jito.ts";
import type { Route, RouteStatus, SendAnswer } from "#execute/route.ts";
import { TipStream } from "./tip-stream.ts";

export type JitoRegionsOptions = Omit<JitoOptions, "url"> & {
  /** At least one. */
  readonly urls: readonly string[];
};

/** Weight of the newest time in a region's average. */
const ALPHA = 0.15;
/** Regions that one bundle is offered to. */
const TRIES_MAX = 2;
/** How long a region that did not answer is left alone. */
const SILENCE_NS = 5e9;
/** Bundles whose region is remembered; more than can be open. */
const REMEMBERED_MAX = 1_024;
/** Of a region that has not answered yet: behind all that have. */
const RTT_UNKNOWN_NS = 1e10;

/** Of what regions say of one bundle, the firmest counts. */
const RANK = { landed: 0, failed: 1, pending: 2, unknown: 3 } as const;

type Region = { readonly route: JitoRoute; rttNs: number; restUntilNs: number };

/** Asks all regions for their tip accounts; throws the first one's SandpiperError when none answers. */
export async function openJitoRegions(options: JitoRegionsOptions): Promise<JitoRegions> {
  const { urls, clock } = options;
  const opened = await Promise.allSettled(
    urls.map(async (url) => {
      const startNs = clock.monotonicNs();
      const route = await openJitoRoute({ ...options, url });
      return { route, rttNs: clock.monotonicNs() - startNs, restUntilNs: 0 };
    }),
  );
  const first = opened.find((one) => one.status === "fulfilled");
  if (first === undefined) throw (opened[0] as PromiseRejectedResult).reason;
  // Tip accounts are the same everywhere: a region that is away now may be used as soon as it is back.
  const regions = opened.map((one, i): Region => {
    if (one.status === "fulfilled") return one.value;
    const route = jitoRouteOf({ ...options, url: urls[i] as string }, first.value.route.tipAccounts);
    return { route, rttNs: RTT_UNKNOWN_NS, restUntilNs: clock.monotonicNs() + SILENCE_NS };
  });
  return new JitoRegions(regions, clock, new TipStream(options.tipFloorUrl || (urls[0] as string), clock));
}

export class JitoRegions implements Route {
  readonly name = "jito";
  readonly #regionOf = new Map<string, Region>();
  #turn = 0;

  constructor(
    private readonly regions: readonly Region[],
    private readonly clock: Pick<Clock, "monotonicNs">,
    private readonly tips: TipStream,
  ) {}

  get tipAccounts(): readonly string[] {
    return this.#best.route.tipAccounts;
  }

  get tipFloorLamports(): number {
    return this.tips.fresh ? this.tips.tipFloorLamports : this.#best.route.tipFloorLamports;
  }

  get health() {
    const all = this.regions.map(({ route }) => route.health);
    const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
    return {
      healthy: this.regions.some((region) => !this.#rests(region)),
      rttNs: this.#best.route.health.rttNs,
      inFlight: sum(({ inFlight }) => inFlight),
      sent: sum(({ sent }) => sent),
      failed: sum(({ failed }) => failed),
    };
  }

  tipAccount(): string {
    return this.#best.route.tipAccount();
  }

  async send(wire: Uint8Array, routeId: string): Promise<SendAnswer> {
    let answer: SendAnswer = { kind: "rejected", why: "no region" };
    for (const region of this.#order().slice(0, TRIES_MAX)) {
      answer = await region.route.send(wire, routeId);
      if (answer.kind === "accepted") {
        region.rttNs += ALPHA * (region.route.health.rttNs - region.rttNs);
        this.#remember(answer.routeId, region);
      }
      if (answer.kind === "unanswered") region.restUntilNs = this.clock.monotonicNs() + SILENCE_NS;
      if (answer.kind !== "rejected" || !region.route.isSilent) return answer;
    }
    return answer;
  }

  async statuses(routeIds: readonly string[]): Promise<readonly RouteStatus[] | undefined> {
    const asked = new Map<Region, string[]>();
    // What an earlier life sent may be with any of them.
    for (const id of routeIds)
      for (const region of this.#regionOf.has(id) ? [this.#regionOf.get(id) as Region] : this.regions)
        asked.set(region, [...(asked.get(region) ?? []), id]);
    const known = new Map<string, RouteStatus>();
    await Promise.all(
      [...asked].map(async ([region, ids]) => {
        const statuses = await region.route.statuses(ids);
        ids.forEach((id, i) => {
          // A region that cannot be asked now leaves its bundles as they were.
          const status = statuses?.[i] ?? { kind: "pending" };
          const before = known.get(id);
          if (before === undefined || RANK[status.kind] < RANK[before.kind]) known.set(id, status);
        });
      }),
    );
    return routeIds.map((id) => known.get(id) ?? { kind: "pending" });
  }

  settled(routeId: string): void {
    this.#regionOf.delete(routeId);
  }

  /** By the stream where it speaks; else it is asked for. One more region is timed, in turn, so that none is forgotten. */
  async refreshTipFloor(): Promise<void> {
    const other = this.regions[this.#turn++ % this.regions.length] as Region;
    const best = this.#best;
    await Promise.all([
      this.tips.fresh ? undefined : best.route.refreshTipFloor(),
      other === best || this.#rests(other) ? undefined : this.#time(other),
    ]);
  }

  close(): void {
    this.tips.close();
  }

  async #time(region: Region): Promise<void> {
    const startNs = this.clock.monotonicNs();
    if (await region.route.ping()) {
      const rttNs = this.clock.monotonicNs() - startNs;
      region.rttNs = region.rttNs === RTT_UNKNOWN_NS ? rttNs : region.rttNs + ALPHA * (rttNs - region.rttNs);
    } else region.restUntilNs = this.clock.monotonicNs() + SILENCE_NS;
  }

  #rests(region: Region): boolean {
    return region.route.isSilent || this.clock.monotonicNs() < region.restUntilNs;
  }

  #order(): readonly Region[] {
    return [...this.regions].sort((a, b) => Number(this.#rests(a)) - Number(this.#rests(b)) || a.rttNs - b.rttNs);
  }

  get #best(): Region {
    return this.#order()[0] as Region;
  }

  #remember(routeId: string, region: Region): void {
    this.#regionOf.set(routeId, region);
    if (this.#regionOf.size > REMEMBERED_MAX) this.#regionOf.delete(this.#regionOf.keys().next().value as string);
  }
}
