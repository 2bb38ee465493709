/**
 * The shapes of the API's answers, as TypeBox schemas: Elysia checks the handlers against them, the OpenAPI document is
 * made from them, and the types below are read off them. Times ending in _ns and every amount are 64-bit integers and
 * therefore decimal text (protobuf's own JSON mapping); counts are numbers.
 */
import { type Static, t } from "elysia";

const whole64 = (description: string, example: string) =>
  t.String({ pattern: "^-?[0-9]{1,20}$", description, examples: [example] });
const text = (description: string, example: string) => t.String({ description, examples: [example] });
const count = (description: string, example = 0) => t.Integer({ minimum: 0, description, examples: [example] });
const maybe = (description: string, example: number) =>
  t.Union([t.Number(), t.Null()], { description, examples: [example] });

export const ErrorSchema = t.Object(
  {
    error: t.Object({
      code: text("Stable: branch on this.", "invalid_query"),
      message: text("For people.", 'Cannot read limit: a whole number from 1 to 1000, was "0"'),
    }),
  },
  { description: "What went wrong, with a code that never changes its meaning." },
);

/** What the door and the sign-in may answer before a route sees the request. */
export const DOOR_REFUSALS = {
  400: ErrorSchema,
  401: ErrorSchema,
  403: ErrorSchema,
  413: ErrorSchema,
  414: ErrorSchema,
  415: ErrorSchema,
  429: ErrorSchema,
} as const;

export const DecisionSchema = t.Object(
  {
    decision_id: text("Unique for ever.", "arb-7f3a-000001"),
    agent: text("The agent that decided.", "arbitrage"),
    version: text("Version of that agent.", "0.1.0"),
    mode: text("sim, replay, fork or live.", "sim"),
    model_hash: text("The model library that scored it.", "9c1e5b7a"),
    slot: whole64("Slot of the market state it was made on.", "4182"),
    classification: text("cycle-2, cycle-3 or cycle-4.", "cycle-3"),
    action: text("send or skip.", "send"),
    reason: text('Why it was skipped; "profitable" when sent.', "profitable"),
    bundle_id: text("Empty when nothing was sent.", "5f0c…"),
    tx_signature: text("Base58; empty when nothing was signed.", "3nVf…"),
    pools: t.Array(t.String(), { description: "Base58 pool addresses, in hop order; of a split hop its first pool." }),
    mints: t.Array(t.String(), { description: "Base58 mints, in hop order, the base mint first; one per hop." }),
    dexes: t.Array(t.String(), {
      description: "One per hop, of the pool in pools.",
      examples: [["raydium-cpmm", "raydium-cpmm"]],
    }),
    hop_amounts: t.Array(t.String(), {
      description: "Units: the input, then the output of each hop; of a split hop both pools together.",
    }),
    gross_lamports: whole64("Output minus input.", "1204331"),
    fee_lamports: whole64("Signature and priority fees.", "5000"),
    tip_lamports: whole64("Tip inside the bundle.", "300000"),
    net_lamports: whole64("Gross minus fee minus tip.", "899331"),
    ev_lamports: whole64("Expected value of sending.", "702110"),
    net_sol: t.Number({ description: "net_lamports in SOL, for charts only.", examples: [0.000899331] }),
    score: t.Number({ description: "What the model answered.", examples: [0.81] }),
    p_land_est: t.Number({ description: "Estimated chance to land, 0..1.", examples: [0.78] }),
    tip_ladder: t.Array(t.String(), { description: "Lamports, ascending: the tips it chose from." }),
    event_ns: whole64("When the market event left the source.", "1700000000000000000"),
    feed_ns: whole64("When the feed wrote it to the agent's ring.", "1700000000000020000"),
    decide_ns: whole64("When the hot thread had decided.", "1700000000000031000"),
    send_ns: whole64("When the send call started; 0 when nothing was sent.", "1700000000000240000"),
    sequence: whole64("Of the decision in its agent's run, from 1, without gaps.", "17"),
    sim_net_lamports: whole64("Change of the wallet when the built transaction was simulated.", "899331"),
    sim_compute_units: whole64("What it used there.", "24102"),
    sim_ns: whole64("How long that took; 0 when it was not simulated.", "410000"),
    sim_error: text("Why it would fail, or not_simulated and why; empty when it would work.", ""),
    split_hop: count("The hop that is split over two pools, from 1; 0 when none is.", 2),
    split_pool: text("Base58: its second pool; empty when no hop is split.", "7qbR…"),
    split_dex: text("Of its second pool.", "raydium-clmm"),
    split_amount_in: whole64("Units of the hop's input that go into its second pool.", "40000000"),
    split_amount_out: whole64("Units of the hop's output that its second pool pays out.", "39000000"),
    split_gain_lamports: whole64("Gross profit beyond that of the same cycle without the split.", "120000"),
    tip_policy: text("What chose the tip: model, thompson or ucb.", "thompson"),
    tip_propensity: t.Number({
      description: "Chance with which this tip was taken; 1 when nothing was left to chance.",
      examples: [0.61],
    }),
    tip_floor_lamports: whole64("75th percentile of the tips that landed lately; 0 unknown.", "120000"),
  },
  { description: "One arbitrage decision, sent or not." },
);

export const OutcomeSchema = t.Object(
  {
    bundle_id: text("The bundle.", "5f0c…"),
    decision_id: text("The decision that sent it.", "arb-7f3a-000001"),
    agent: text("The agent that sent it.", "arbitrage"),
    mode: text("sim, replay, fork or live.", "sim"),
    landed: t.Boolean({ description: "Whether it is on chain." }),
    state: text("landed, expired, rejected, dropped, outbid, simulation_failed, state_moved or unknown.", "landed"),
    reason: text("In words, with the figures that prove it.", "a rival tipped 400000 lamports"),
    path: text("Route: jito, tpu, rpc or paper.", "jito"),
    leader: text("Base58 identity of the leader of the slot.", "9xQe…"),
    tx_signature: text("Base58.", "3nVf…"),
    decided_slot: whole64("Slot of the market state it was decided on.", "4182"),
    landed_slot: whole64("0 when it did not land.", "4183"),
    tip_lamports: whole64("Tip inside the bundle.", "300000"),
    fee_lamports: whole64("Signature and priority fees.", "5000"),
    predicted_net_lamports: whole64("What the decision promised.", "899331"),
    realised_net_lamports: whole64("Change of the wallet.", "899331"),
    exact: t.Boolean({ description: "Landed, and realised equals predicted to the unit." }),
    compute_units: whole64("Used on chain.", "24102"),
    event_ns: whole64("When the market event left the source.", "1700000000000000000"),
    decide_ns: whole64("When the hot thread had decided.", "1700000000000031000"),
    send_ns: whole64("When the send call started.", "1700000000000240000"),
    accepted_ns: whole64("When the route acknowledged.", "1700000000001900000"),
    land_ns: whole64("When the outcome was known here.", "1700000000410000000"),
  },
  { description: "The one final state of a sent bundle." },
);

const EXECUTION_ORDER = "in the order of execution";
export const SandwichSchema = t.Object(
  {
    decision_id: text("Unique for ever; follows from the last leg.", "sandwich-3nVf…-2"),
    mode: text("sim, replay, fork or live.", "sim"),
    type: text("same_slot, bundle, wide or multi_wallet.", "bundle"),
    slot: whole64("Of the last leg.", "4183"),
    first_slot: whole64("Of the first leg.", "4183"),
    leader: text("Base58 identity of the leader of that slot; empty when it is not known.", "9xQe…"),
    attackers: t.Array(t.String(), { description: "Base58 wallets." }),
    gross_lamports: whole64("What the legs gained before fees and tips.", "5204331"),
    fee_lamports: whole64("Of the legs' transactions.", "10000"),
    tip_lamports: whole64("Of the legs' transactions.", "300000"),
    net_lamports: whole64("Gross without fees and tips.", "4894331"),
    victims_loss_lamports: whole64("Of the victims whose loss is known.", "5300000"),
    victims_unpriced: count("Victims whose loss is not known."),
    score: t.Number({ description: "Calibrated on labelled runs, 0..1 (docs/mev-scan.md).", examples: [0.993] }),
    leg_roles: t.Array(t.String(), { description: `front or back, ${EXECUTION_ORDER}.` }),
    leg_wallets: t.Array(t.String(), { description: `Base58, ${EXECUTION_ORDER}.` }),
    leg_signatures: t.Array(t.String(), { description: `Base58, ${EXECUTION_ORDER}.` }),
    leg_pools: t.Array(t.String(), { description: `Base58, ${EXECUTION_ORDER}.` }),
    leg_amounts_in: t.Array(t.String(), { description: "Units of the mint paid." }),
    leg_amounts_out: t.Array(t.String(), { description: "Units of the mint got." }),
    victim_wallets: t.Array(t.String(), { description: `Base58, ${EXECUTION_ORDER}.` }),
    victim_signatures: t.Array(t.String(), { description: `Base58, ${EXECUTION_ORDER}.` }),
    victim_losses_lamports: t.Array(t.String(), {
      description: "By exact replay without the legs; 0 where not known.",
    }),
    evidence: t.Array(t.String(), { description: "Why it is believed: name, weight in log-odds, words." }),
    decide_ns: whole64("When it was certain.", "1700000000000031000"),
  },
  { description: "One sandwich by others." },
);

const ProcessSchema = t.Object({
  name: text("The process.", "feed"),
  pid: t.Integer({ description: "0 when it is not running.", examples: [4711] }),
  state: text("starting, ready, stalled, restarting, stopping or stopped.", "ready"),
  core: text('The core it is pinned to, or "shared".', "shared"),
  restarts: count("Since the run started."),
  last_exit: text("Why it last ended; empty when it never did.", ""),
  stalls: count("Times it stood still while it should have served."),
  stalled_ms: count("How long, together."),
  stall_ms_max: count("The longest."),
  threads: t.Array(
    t.Object({
      name: text("Its seat; a main thread has the name of its process.", "feed"),
      core: text('The core it owns, or "shared".', "shared"),
      ran_ms: t.Number({ description: "How long it ran.", examples: [5_210.4] }),
      waited_ms: t.Number({ description: "How long it could have run and waited for a core.", examples: [31.7] }),
      turns: count("Times it was given a core."),
    }),
    { description: "What the kernel counts of its threads since they began; empty where it does not." },
  ),
});

const GuardActionSchema = t.Object({
  atMs: t.Integer({ description: "Unix ms.", examples: [1767225600000] }),
  agent: text("Whom it was done to.", "arbitrage"),
  kind: text("throttle, pause, kill, restore or lift.", "throttle"),
  throttlePct: t.Number({ description: "What is in force since, % of opportunities passed over.", examples: [50] }),
  because: text("What for, with its figures.", "hot-path-p99 was 31.2 ms, at most 20 ms is asked for (1204 samples)"),
  objective: t.Optional(text("The level it was done for; a restore and a lift have none.", "hot-path-p99")),
});

export const GuardSchema = t.Object(
  {
    atMs: t.Integer({ description: "When it last looked, Unix ms.", examples: [1767225600000] }),
    acts: t.Boolean({ description: "false: it only watches." }),
    clock: t.Optional(
      t.Object(
        {
          isSynchronised: t.Boolean({ description: "Whether anybody keeps it; the figures mean nothing otherwise." }),
          offsetMs: t.Number({ description: "Still to be corrected.", examples: [-0.2] }),
          estimatedErrorMs: t.Number({ examples: [0.5] }),
          errorMsMax: t.Number({ examples: [14] }),
        },
        { description: "The kernel's word on the wall clock." },
      ),
    ),
    agents: t.Array(
      t.Object({
        agent: text("The trading agent.", "arbitrage"),
        publishLagMs: t.Optional(
          t.Number({ description: "Since the bus last acknowledged something of the agent's.", examples: [21] }),
        ),
        throttlePct: t.Number({ description: "What the guard has it pass over, %.", examples: [0] }),
        killed: t.Boolean({ description: "true: nothing is sent until an operator starts it again." }),
        startsAtKill: count("How often operators had started it when it was last killed."),
        objectives: t.Array(
          t.Object({
            name: text("Names its page in the runbook.", "hot-path-p99"),
            about: text("What is measured.", "p99 from the feed's stamp to the decision, over a minute"),
            unit: text("Of value and limits.", "ms"),
            bad: text("above or below: on which side of the limit the trouble is.", "above"),
            limit: t.Number({ examples: [20] }),
            severeLimit: t.Number({ description: "Beyond it the guard does not climb its steps.", examples: [200] }),
            value: t.Number({ examples: [0.6] }),
            samples: count("On which the value stands.", 1204),
            state: text("good, violated, severe, or unknown when the samples are too few.", "good"),
          }),
        ),
      }),
    ),
    actions: t.Array(GuardActionSchema, { description: "The last 50, newest first." }),
  },
  { description: "What the guard sees and has done." },
);

export const StatusSchema = t.Object(
  {
    mode: text("sim, replay, fork or live.", "sim"),
    version: text("Of the running Sandpiper.", "0.1.0"),
    run_id: text("Unique per start of the supervisor.", "2026-01-01T00-00-00-4711"),
    started_at: t.Union([t.String(), t.Null()], {
      description: "Start of the run, ISO 8601; null when no supervisor has reported.",
      examples: ["2026-01-01T00:00:00.000Z"],
    }),
    now_ms: t.Integer({ description: "The gateway's clock, Unix ms.", examples: [1767225600000] }),
    report_age_ms: maybe("Age of the supervisor's report; null when there is none.", 400),
    landed: count("Bundles of this run that landed.", 21),
    attempts: count("Decisions of this run that were sent.", 30),
    decisions: count("Decisions of this run, sent or not.", 2201),
    profit_lamports: whole64("Realised in this run: the sum of realised_net_lamports over its outcomes.", "18220145"),
    exact_share: maybe("Of the landed bundles, the share whose profit was predicted to the unit; 0..1.", 0.97),
    processes: t.Array(ProcessSchema),
    off: t.Array(t.Object({ part: text("What is off.", "mev"), why: text("Why.", "mode replay has no cluster") })),
    hotpath: t.Object({
      p50_ms: maybe("From the feed's stamp to the decision, median of the newest second with events.", 0.021),
      p99_ms: maybe("The same, 99th percentile.", 0.074),
    }),
    market: t.Object({
      slot: t.Union([t.String(), t.Null()], { description: "Newest slot seen.", examples: ["4183"] }),
      lag_ms: maybe("Now minus the time of the newest market event, as the agent measured it.", 12),
    }),
    guard: t.Union(
      [
        t.Object({
          acts: t.Boolean({ description: "false: it only watches." }),
          age_ms: t.Number({ description: "Since it last looked; it looks every second.", examples: [400] }),
          throttle_pct: t.Number({ description: "The most it has any agent pass over, %.", examples: [0] }),
          killed: t.Boolean({ description: "true: it has killed an agent." }),
          violated: t.Array(t.String(), { description: "Service levels that are broken now.", examples: [[]] }),
        }),
        t.Null(),
      ],
      { description: "null when no guard has reported." },
    ),
    alarms: t.Array(
      t.Object({
        name: text("Names its page of the runbook (/api/runbook/{name}).", "market-lag"),
        severity: text("page or ticket.", "page"),
        summary: text("What it means.", "The market is not heard: nothing can be decided."),
        says: text("What is wrong now.", "arbitrage: 2,310 ms, at most 2,000 is asked for"),
      }),
      { description: "Sounding now, the urgent ones first." },
    ),
    store: t.Object({
      reachable: t.Boolean({ description: "False: the totals above are the last known ones." }),
      totals_age_ms: maybe("Age of the totals above; null when none were ever read (they are then 0).", 300),
      why: text("Why the store cannot be reached; empty when it can.", ""),
      behind: count("Messages on the bus that are not in the tables yet."),
    }),
  },
  { description: "The state of the run on one page." },
);

export const SandwichListSchema = t.Object({
  sandwiches: t.Array(SandwichSchema, { description: "Newest first." }),
  next: t.Union([t.String(), t.Null()], { description: "Give this as `before` for the next page; null at the end." }),
});

export const DecisionListSchema = t.Object({
  decisions: t.Array(DecisionSchema, { description: "Newest first." }),
  next: t.Union([t.String(), t.Null()], { description: "Give this as `before` for the next page; null at the end." }),
});
export const OutcomeListSchema = t.Object({
  outcomes: t.Array(OutcomeSchema, { description: "Newest first." }),
  next: t.Union([t.String(), t.Null()], { description: "Give this as `before` for the next page; null at the end." }),
});
export const DecisionDetailSchema = t.Object({
  decision: DecisionSchema,
  features: t.Array(
    t.Object({
      name: text("In the model's feature set; empty when the decision was made with another one.", "gross_log10"),
      unit: text("Of the value.", "log10 lamports"),
      source: text("What it is made from.", "exact output minus input of the cycle"),
      value: t.Number({ examples: [6.08] }),
    }),
    { description: "What the model was told, in its order." },
  ),
  outcome: t.Union([OutcomeSchema, t.Null()], { description: "Null while it is not known, or when nothing was sent." }),
});
export const ProfitSchema = t.Object({
  started_at_ms: t.Integer({ description: "Start of the run, Unix ms." }),
  points: t.Array(
    t.Object({
      at_ms: t.Integer({ description: "End of the bucket, Unix ms." }),
      profit_lamports: whole64("Realised since the start of the run.", "18220145"),
      landed: count("Landed since the start of the run.", 21),
    }),
    { description: "Oldest first; a bucket without outcomes is left out." },
  ),
});
export const RealtimeSchema = t.Object(
  {
    websocket: t.Literal("/live", { description: "Path of the WebSocket." }),
    webtransport: t.Union(
      [
        t.Object({
          port: t.Integer({ description: "UDP port; the path is /live." }),
          certificate_sha256: t.Array(t.String({ description: "Hexadecimal." }), {
            description: "For serverCertificateHashes; empty when browsers know the certificate's authority.",
          }),
        }),
        t.Null(),
      ],
      { description: "Null when it is off." },
    ),
    webtransport_off: t.String({ description: "Why it is off, and how to turn it on; empty when it is on." }),
    now_ms: t.Integer({ description: "The gateway's clock, Unix ms: resume from here before any Batch has come." }),
  },
  {
    examples: [
      {
        websocket: "/live",
        webtransport: {
          port: 8080,
          certificate_sha256: ["5f2c1c0b9e0f6d0a4b1e3c2d1a0f9e8d7c6b5a49382716059f8e7d6c5b4a3928"],
        },
        webtransport_off: "",
        now_ms: 1767225600000,
      },
    ],
  },
);

export const HealthSchema = t.Object({
  ok: t.Boolean(),
  reasons: t.Array(t.String(), { description: "Why not; empty when ok.", examples: [[]] }),
});

export type DecisionRow = Static<typeof DecisionSchema>;
export type SandwichRow = Static<typeof SandwichSchema>;
export type OutcomeRow = Static<typeof OutcomeSchema>;
export type Status = Static<typeof StatusSchema>;
export type Health = Static<typeof HealthSchema>;
/** Every error code of the API: stable, never renamed. */
export type ErrorCode =
  | "invalid_query"
  | "not_found"
  | "method_not_allowed"
  | "host_refused"
  | "origin_refused"
  | "address_too_long"
  | "too_many_clients"
  | "upgrade_required"
  | "store_unreachable"
  | "bus_unreachable"
  | "invalid_body"
  | "bad_token"
  | "sign_in_needed"
  | "role_needed"
  | "wrong_password"
  | "wrong_signature"
  | "locked_out"
  | "too_many_attempts"
  | "no_signing_key"
  | "command_refused"
  | "model_refused"
  | "ledger_unreadable"
  | "job_over"
  | "internal";
