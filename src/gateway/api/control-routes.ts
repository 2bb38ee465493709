/** Commands over the API: POST /api/control/module/{name}:{action} for admins, and how each agent stands. */
import { Elysia } from "elysia";
import { SandpiperError } from "#core/error.ts";
import type { Audit } from "#gateway/audit.ts";
import type { Auth } from "#gateway/auth/auth.ts";
import type { ControlDesk, Target } from "#gateway/control-desk.ts";
import { failure, TurnedAway } from "#gateway/door.ts";
import { GATEWAY_ERROR } from "#gateway/errors.ts";
import { type Ack, encodeAck } from "#wire/ack.ts";
import { ACTION_NAMES, MODULE_NAMES } from "#wire/command.ts";
import { CommandAnswerSchema, type CommandBody, CommandBodySchema, ControlStateSchema } from "./control-schemas.ts";
import { readNoQuery } from "./query.ts";
import { DOOR_REFUSALS, ErrorSchema } from "./schemas.ts";

export type ControlParts = { readonly auth: Auth; readonly control: ControlDesk; readonly audit: Audit };

const TARGETS = MODULE_NAMES.flatMap((module) => ACTION_NAMES.map((action) => ({ module, action })));
const nameOf = ({ module, action }: Target) => `${module}:${action}`;

export function controlRoutes({ auth, control, audit }: ControlParts) {
  const refusals = { ...DOOR_REFUSALS, 503: ErrorSchema } as const;
  return new Elysia({ normalize: false })
    .onBeforeHandle(({ request }) => readNoQuery(new URL(request.url)))
    .post(
      "/api/control/module/:target",
      async ({ request, params, body, status }) => {
        // The gateway has let in nobody but an admin before the body was read.
        const visitor = await auth.visitor(request);
        const what = `command ${String(params.target).slice(0, 40)}`;
        const target = TARGETS.find((one) => nameOf(one) === params.target);
        if (target === undefined)
          throw new TurnedAway(failure(404, "not_found", `Cannot ${what}: one of ${TARGETS.map(nameOf).join(", ")}`));
        const sent = await send(target, body, visitor?.name ?? "");
        const waitMs = body.wait_ms ?? 0;
        const acks = waitMs > 0 ? await control.acks(target, sent, waitMs) : [];
        return status(202, { request_id: sent.requestId, command_sha256: sent.sha256, acks: acks.map(ackRow) });
      },
      {
        parse: "json",
        body: CommandBodySchema,
        response: { 202: CommandAnswerSchema, 404: ErrorSchema, 409: ErrorSchema, 422: ErrorSchema, ...refusals },
        detail: {
          tags: ["Control"],
          summary: "Give a command to the agents of a module",
          description:
            "Answers as soon as the command is on the bus, or with the acks when wait_ms is given. Role admin. The signed command may be handed in.",
          security: [{ bearer: [] }],
          parameters: [
            {
              name: "target",
              in: "path",
              required: true,
              description: "module:action.",
              schema: { type: "string", enum: TARGETS.map(nameOf) },
            },
          ],
        },
      },
    )
    .get(
      "/api/control/state",
      () => ({
        can_sign: control.canSign,
        agents: control.states().map(({ agent, state }) => ({
          agent,
          trading: state.trading,
          throttle_pct: state.throttlePct,
          ev_min: state.evMinLamports?.toString() ?? null,
          tip_ladder: state.tipLadderLamports?.map(String) ?? null,
        })),
      }),
      {
        response: { 200: ControlStateSchema, ...refusals },
        detail: {
          tags: ["Control"],
          summary: "What commands have made of each agent",
          description: "As the agents keep it on disk; null is as configured.",
        },
      },
    );

  async function send(target: Target, body: CommandBody, who: string) {
    const { command_hex: hex, wait_ms: _, ...own } = body;
    if (hex !== undefined) {
      if (Object.keys(own).length > 0)
        throw new SandpiperError(GATEWAY_ERROR.body, "Cannot read the body: command_hex and wait_ms alone, was more");
      const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
      const passed = await control.pass(target, bytes);
      if (passed.ok) return passed.value;
      const { name, words } = passed.error;
      audit.refused({ door: "api", who, code: name, reason: words, message: bytes });
      throw new TurnedAway(failure(422, "command_refused", `${words} (${name})`));
    }
    try {
      const sent = await control.sign(target, argsOf(own), who, own.request_id);
      if (sent !== undefined) return sent;
    } catch (thrown) {
      if (!(thrown instanceof SandpiperError) || !thrown.message.startsWith("Cannot sign")) throw thrown;
      audit.refused({ door: "api", who, code: "argument", reason: thrown.message, message: new Uint8Array(0) });
      throw new SandpiperError(GATEWAY_ERROR.body, thrown.message);
    }
    const why = "Cannot sign a command: a secret key here, was none; hand it in signed (command_hex)";
    throw new TurnedAway(failure(409, "no_signing_key", why));
  }
}

function argsOf({ throttle_pct: pct, ev_min: evMin, tip_ladder: ladder }: CommandBody): ReadonlyMap<string, string> {
  const args = new Map<string, string>();
  // Three decimals are what an agent takes; toFixed never writes an exponent.
  if (pct !== undefined) args.set("throttle_pct", pct.toFixed(3).replace(/\.?0+$/, ""));
  if (evMin !== undefined) args.set("ev_min", evMin);
  if (ladder !== undefined) args.set("tip_ladder", ladder.join(","));
  return args;
}

const ackRow = (ack: Ack) => ({
  agent: ack.agent,
  answer: ack.answer,
  reason: ack.reason,
  words: ack.words,
  trading: ack.trading,
  throttle_pct: ack.throttlePct,
  ev_min: String(ack.evMinLamports),
  tip_ladder: ack.tipLadderLamports.map(String),
  at_ns: String(ack.atNs),
  sequence: String(ack.sequence),
  ack_hex: Buffer.from(encodeAck(ack)).toString("hex"),
});
