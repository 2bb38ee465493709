/**
 * What the gateway asks of the record: a narrow interface, so that the API does not know where the rows are. Rows carry
 * the field names of proto/realtime.proto; 64-bit integers are decimal text, as in protobuf's own JSON mapping.
 */
import type { DecisionRow, OutcomeRow, SandwichRow } from "./api/schemas.ts";

/** Where a page of a listing ends: everything strictly before this time and id. */
export type Cursor = { readonly ns: bigint; readonly id: string };

export type DecisionQuery = {
  readonly limit: number;
  readonly before?: Cursor;
  readonly action?: string;
  readonly reason?: string;
};

export type OutcomeQuery = {
  readonly limit: number;
  readonly before?: Cursor;
  readonly landed?: boolean;
};

export type SandwichQuery = {
  readonly limit: number;
  readonly before?: Cursor;
  /** One of its attackers. */
  readonly attacker?: string;
};

/** Sums over one run. */
export type RunTotals = {
  readonly decisions: number;
  readonly attempts: number;
  readonly landed: number;
  readonly exact: number;
  readonly profitLamports: bigint;
};

/** Which rows belong to a run. A replay's decisions carry the recording's times, so they are told by when they came in. */
export type RunWindow = { readonly sinceMs: number; readonly by: "at" | "inserted_at" };

export type RecordedDecision = {
  readonly decision: DecisionRow;
  /** In the order of the model's feature list. */
  readonly features: readonly number[];
  readonly outcome: OutcomeRow | null;
};

/** How bundles of a run fared by one way. Times in ms; 0 when nothing was measured. */
export type RouteSums = {
  readonly path: string;
  readonly sent: number;
  readonly landed: number;
  readonly tipLamports: bigint;
  readonly profitLamports: bigint;
  readonly acknowledgedMsP50: number;
  readonly acknowledgedMsP99: number;
  readonly landedMsP50: number;
  /** Landed bundles by slots from the decision's to the landing's. */
  readonly slotDeltas: readonly { readonly slots: number; readonly bundles: number }[];
  readonly ends: readonly { readonly state: string; readonly bundles: number }[];
};

/** Sent bundles whose estimated chance to land was in one tenth. */
export type CalibrationBucket = {
  readonly modelHash: string;
  /** 0 to 9. */
  readonly bucket: number;
  readonly bundles: number;
  /** Mean of the estimates. */
  readonly estimated: number;
  readonly landedShare: number;
};

type ProfitStep = { readonly bucket: number; readonly lamports: bigint; readonly landed: number };

export interface GatewayData {
  totals(window: RunWindow): Promise<RunTotals>;
  /** Newest first. */
  decisions(query: DecisionQuery): Promise<DecisionRow[]>;
  decision(id: string): Promise<RecordedDecision | undefined>;
  /** Newest first. */
  outcomes(query: OutcomeQuery): Promise<OutcomeRow[]>;
  /** What the mev agent found, newest first. */
  sandwiches(query: SandwichQuery): Promise<SandwichRow[]>;
  /** Realised profit per bucket of `stepMs` since the window's start, oldest first, empty buckets left out. */
  profit(window: RunWindow, stepMs: number): Promise<ProfitStep[]>;
  /** The most used way first. */
  routes(window: RunWindow): Promise<RouteSums[]>;
  calibration(window: RunWindow): Promise<CalibrationBucket[]>;
}
