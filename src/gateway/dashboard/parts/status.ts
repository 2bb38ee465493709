/**
 * What the page reads of the gateway's answers. The page runs in a browser and imports nothing of the server, so the
 * shapes are said again here; test/gateway.test.ts holds the two together by type.
 */

type PageProcess = {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  readonly core: string;
  readonly restarts: number;
  readonly last_exit: string;
};

export type PageAlarm = {
  readonly name: string;
  readonly severity: string;
  readonly summary: string;
  readonly says: string;
};

export type PageGuardState = {
  readonly acts: boolean;
  readonly age_ms: number;
  readonly throttle_pct: number;
  readonly killed: boolean;
  readonly violated: readonly string[];
};

export type PageStatus = {
  readonly mode: string;
  readonly version: string;
  readonly run_id: string;
  readonly started_at: string | null;
  readonly now_ms: number;
  readonly report_age_ms: number | null;
  readonly landed: number;
  readonly attempts: number;
  readonly decisions: number;
  readonly profit_lamports: string;
  readonly exact_share: number | null;
  readonly processes: readonly PageProcess[];
  readonly off: readonly { readonly part: string; readonly why: string }[];
  readonly hotpath: { readonly p50_ms: number | null; readonly p99_ms: number | null };
  readonly market: { readonly slot: string | null; readonly lag_ms: number | null };
  readonly guard: PageGuardState | null;
  readonly alarms: readonly PageAlarm[];
  readonly store: {
    readonly reachable: boolean;
    readonly totals_age_ms: number | null;
    readonly why: string;
    readonly behind: number;
  };
};

export type PageProfit = {
  readonly started_at_ms: number;
  readonly points: readonly { readonly at_ms: number; readonly profit_lamports: string }[];
};

/** Text frames of the live stream. */
export type PageText =
  | { readonly kind: "status"; readonly status: PageStatus }
  | { readonly kind: "dropped"; readonly drops: Readonly<Record<string, number>> };
