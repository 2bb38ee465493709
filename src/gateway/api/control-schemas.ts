/** The shapes of sign-in and control, as TypeBox schemas; see schemas.ts. */
import { type Static, t } from "elysia";

const lamports = (description: string) =>
  t.String({ pattern: "^(0|[1-9][0-9]{0,15})$", description, examples: ["10000"] });

export const PasswordSignInSchema = t.Object(
  {
    name: t.String({ minLength: 1, maxLength: 64 }),
    password: t.String({ minLength: 1, maxLength: 256 }),
  },
  { additionalProperties: false, description: "With the password of an account." },
);
export const KeySignInSchema = t.Object(
  {
    key_id: t.String({ minLength: 1, maxLength: 64 }),
    challenge: t.String({
      minLength: 1,
      maxLength: 64,
      description: "Of /api/auth/challenge; counts once, for a minute.",
    }),
    signature_hex: t.String({
      pattern: "^[0-9a-f]{128}$",
      description: 'Ed25519 over "sandpiper sign-in\\n" and the challenge.',
    }),
  },
  { additionalProperties: false, description: "With the key of an operator, who signs the challenge." },
);
export const RefreshSchema = t.Object(
  { refresh_token: t.String({ minLength: 1, maxLength: 256 }) },
  { additionalProperties: false },
);
export const RevokeSchema = t.Object(
  { name: t.String({ minLength: 1, maxLength: 128 }) },
  { additionalProperties: false },
);
export const NothingSchema = t.Object({}, { additionalProperties: false });

export const ChallengeAnswerSchema = t.Object({ challenge: t.String() });
export const SignInAnswerSchema = t.Object({
  access_token: t.String({ description: "JWT for the Authorization header: Bearer …" }),
  refresh_token: t.String({ description: "Counts once and gives the next one." }),
  expires_in: t.Integer({ description: "Seconds that the access token lives." }),
  role: t.Union([t.Literal("viewer"), t.Literal("admin")]),
});
export const WhoAmISchema = t.Object({
  name: t.Union([t.String(), t.Null()], { description: "null without a token." }),
  role: t.Union([t.Literal("viewer"), t.Literal("admin"), t.Null()]),
});
export const RevokedSchema = t.Object({ sessions: t.Integer({ description: "Sessions that were ended." }) });

export const CommandBodySchema = t.Object(
  {
    throttle_pct: t.Optional(
      t.Number({ minimum: 0, maximum: 100, description: "throttle: share to pass over, %, to three decimals." }),
    ),
    ev_min: t.Optional(lamports("policy: least expected value that is sent, lamports.")),
    tip_ladder: t.Optional(
      t.Array(lamports("A tip, lamports."), { minItems: 1, maxItems: 16, description: "policy: ascending tips." }),
    ),
    request_id: t.Optional(t.String({ pattern: "^[\\x21-\\x7e]{1,128}$", description: "Made up when left out." })),
    wait_ms: t.Optional(
      t.Integer({ minimum: 0, maximum: 30_000, description: "How long to wait for the agents' acks." }),
    ),
    command_hex: t.Optional(
      t.String({
        pattern: "^([0-9a-f]{2}){1,4096}$",
        description: "A command that was signed elsewhere (`sandpiper sign`), instead of everything above but wait_ms.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type CommandBody = Static<typeof CommandBodySchema>;

const AckSchema = t.Object(
  {
    agent: t.String(),
    answer: t.Union([t.Literal("applied"), t.Literal("refused"), t.Literal("secondKeyNeeded")]),
    reason: t.String({ description: "Name of the refusal; empty otherwise." }),
    words: t.String(),
    trading: t.Union([t.Literal("running"), t.Literal("stopped"), t.Literal("killed")]),
    throttle_pct: t.Number(),
    ev_min: t.String(),
    tip_ladder: t.Array(t.String()),
    at_ns: t.String({ description: "When the switchboard held it." }),
    sequence: t.String(),
    ack_hex: t.String({ description: "The signed ack itself, control.Ack." }),
  },
  { description: "What one agent did, and how it stands afterwards." },
);
export const CommandAnswerSchema = t.Object({
  request_id: t.String(),
  command_sha256: t.String({ description: "What the acks name." }),
  acks: t.Array(AckSchema, { description: "Those that came within wait_ms." }),
});
export const ControlStateSchema = t.Object({
  can_sign: t.Boolean({ description: "false: commands must be handed in signed." }),
  agents: t.Array(
    t.Object({
      agent: t.String(),
      trading: t.Union([t.Literal("running"), t.Literal("stopped"), t.Literal("killed")]),
      throttle_pct: t.Number(),
      ev_min: t.Union([t.String(), t.Null()], { description: "null: as configured." }),
      tip_ladder: t.Union([t.Array(t.String()), t.Null()], { description: "null: as configured." }),
    }),
  ),
});
