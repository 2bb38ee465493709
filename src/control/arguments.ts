/**
 * What a verified command asks for: its arguments, read whole or refused. An argument that the action does not know is
 * refused, not passed over: an order that is not understood to the last word is not carried out.
 *
 *   start, stop, restart   none
 *   throttle               throttle_pct, 0 to 100, up to three decimals
 *   policy                 ev_min, whole lamports; tip_ladder, 1 to 16 whole lamports, ascending; at least one of the two
 *   kill                   none, or kill = true
 */
import { err, ok, type Result } from "#core/result.ts";
import { TIP_LADDER_MAX } from "#memory/switchboard.ts";
import type { Command } from "#wire/command.ts";
import { type Refusal, refusal } from "./errors.ts";

export type Order =
  | { readonly kind: "start" | "stop" | "restart" | "kill" }
  | { readonly kind: "throttle"; readonly throttlePct: number }
  | { readonly kind: "policy"; readonly evMinLamports?: number; readonly tipLadderLamports?: readonly number[] };

const KNOWN = {
  start: [],
  stop: [],
  restart: [],
  throttle: ["throttle_pct"],
  policy: ["ev_min", "tip_ladder"],
  kill: ["kill"],
} as const satisfies Record<Command["action"], readonly string[]>;

/** Lamport amounts above this are not exact as doubles. */
const LAMPORTS_MAX = Number.MAX_SAFE_INTEGER;

export function readOrder({ action, args }: Command): Result<Order, Refusal> {
  const known: readonly string[] = KNOWN[action];
  const unknown = [...args.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const want = known.length === 0 ? "no arguments" : `the arguments ${known.join(", ")}`;
    return refuse(`${want} with ${action}`, JSON.stringify(unknown.slice(0, 40)));
  }
  switch (action) {
    case "start":
    case "stop":
    case "restart":
      return ok({ kind: action });
    case "throttle":
      return readThrottle(args.get("throttle_pct"));
    case "policy":
      return readPolicy(args.get("ev_min"), args.get("tip_ladder"));
    case "kill": {
      const kill = args.get("kill") ?? "true";
      return kill === "true" || kill === "1" ? ok({ kind: "kill" }) : refuse("kill = true", quoted(kill));
    }
  }
}

function readThrottle(text: string | undefined): Result<Order, Refusal> {
  const throttlePct = text !== undefined && /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  return throttlePct >= 0 && throttlePct <= 100
    ? ok({ kind: "throttle", throttlePct })
    : refuse("throttle_pct from 0 to 100", quoted(text));
}

function readPolicy(evMin: string | undefined, ladder: string | undefined): Result<Order, Refusal> {
  if (evMin === undefined && ladder === undefined) return refuse("ev_min or tip_ladder with policy", "neither");
  const evMinLamports = evMin === undefined ? undefined : lamports(evMin);
  if (Number.isNaN(evMinLamports)) return refuse(`ev_min in whole lamports, at most ${LAMPORTS_MAX}`, quoted(evMin));
  const tips = ladder?.split(",", TIP_LADDER_MAX + 1).map(lamports);
  const sound =
    tips === undefined ||
    (tips.length <= TIP_LADDER_MAX && tips.every((tip, i) => tip > 0 && (i === 0 || tip > (tips[i - 1] as number))));
  if (!sound) return refuse(`tip_ladder of 1 to ${TIP_LADDER_MAX} ascending whole lamports`, quoted(ladder));
  return ok({
    kind: "policy",
    ...(evMinLamports === undefined ? {} : { evMinLamports }),
    ...(tips === undefined ? {} : { tipLadderLamports: tips }),
  });
}

/** One way to write each amount: no sign, no leading zero, no exponent. NaN for anything else. */
function lamports(text: string): number {
  const value = /^(0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  return value <= LAMPORTS_MAX ? value : Number.NaN;
}

const quoted = (text: string | undefined) => (text === undefined ? "nothing" : JSON.stringify(text.slice(0, 80)));
const refuse = (want: string, was: string): Result<Order, Refusal> => err(refusal("argument", want, was));
