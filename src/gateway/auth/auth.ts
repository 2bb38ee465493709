/**
 * Sign-in and roles. Reading is open to whoever reaches the loopback port unless gateway.anonymous says none; everything that
 * changes something needs a token with role admin. What is turned away is audited.
 *
 *   password        name and password of an account
 *   operator's key  Ed25519 over "sandpiper sign-in\n" and a challenge of ours, which counts once and for a minute;
 *                   a key that may do everything is an admin, any other one a viewer
 *
 * Failed passwords lock the account, never the keys: nobody can lock an operator out.
 */

import { createHash, randomBytes } from "node:crypto";
import { decodeJwt } from "jose";
import type { KeySet } from "#control/keys.ts";
import type { Audit } from "#gateway/audit.ts";
import { failure, TurnedAway } from "#gateway/door.ts";
import { ACCESS_SECONDS, type AccessTokens } from "./access-token.ts";
import { type Accounts, PASSWORD_LENGTH_MAX, type Role } from "./accounts.ts";
import { LockOut, RateLimit } from "./limits.ts";
import type { Sessions, SignedIn } from "./sessions.ts";

export type AuthOptions = {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly tokens: AccessTokens;
  /** The keys that may give commands. */
  readonly keys: () => KeySet;
  readonly anonymous: "viewer" | "none";
  readonly audit: Audit;
  readonly nowMs: () => number;
};
export type SignInAnswer = {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly role: Role;
};
/** Who asks: somebody signed in, or anybody (undefined). */
export type Visitor = SignedIn | undefined;

const SIGN_IN_PREFIX = "sandpiper sign-in\n";
const CHALLENGE_MS = 60_000;
const CHALLENGES_MAX = 1_000;
const SIGN_IN = { burst: 10, perSecond: 1 } as const;
const COMMANDS = { burst: 200, perSecond: 100 } as const;
const LOCK = { failuresMax: 5, firstMs: 30_000, longestMs: 3_600_000 } as const;

/** The bytes an operator's key signs to sign in. */
export const signInBytes = (challenge: string): Uint8Array => new TextEncoder().encode(SIGN_IN_PREFIX + challenge);

export class Auth {
  readonly #options: AuthOptions;
  readonly #challenges = new Map<string, number>();
  readonly #signIns: RateLimit;
  readonly #commands: RateLimit;
  readonly #lockOut: LockOut;

  constructor(options: AuthOptions) {
    this.#options = options;
    const { nowMs } = options;
    this.#signIns = new RateLimit({ ...SIGN_IN, nowMs });
    this.#commands = new RateLimit({ ...COMMANDS, nowMs });
    this.#lockOut = new LockOut({ ...LOCK, nowMs });
  }

  /** Who asks. Throws TurnedAway when the token that came is not good: a bad one is never taken for none. */
  async visitor(request: Request): Promise<Visitor> {
    const token = tokenOf(request);
    if (token === undefined) return undefined;
    const read = await this.#options.tokens.read(token);
    const session = "sessionId" in read ? this.#options.sessions.get(read.sessionId) : undefined;
    if (session !== undefined) return session;
    const fault = "fault" in read ? read.fault : "of a session that has ended";
    const hash = createHash("sha256").update(token).digest();
    this.#options.audit.refused({ door: "api", who: "", code: "bad_token", reason: fault, message: hash });
    throw unauthorized("bad_token", `a valid access token, was one that is not (${fault})`);
  }

  /** Who asks, when they may do what needs the role, and not too often; otherwise throws TurnedAway. */
  async admit(request: Request, needed: Role, what: string): Promise<Visitor> {
    const visitor = await this.visitor(request);
    const { audit, anonymous } = this.#options;
    const who = visitor?.name ?? "";
    const role = visitor?.role ?? (anonymous === "viewer" ? "viewer" : undefined);
    if (role !== "admin" && !(role === "viewer" && needed === "viewer")) {
      const code = visitor === undefined ? "sign_in_needed" : "role_needed";
      audit.refused({ door: "api", who, code, reason: what, message: NOTHING });
      if (visitor === undefined) throw unauthorized("sign_in_needed", `the role ${needed}, was nobody known`);
      throw new TurnedAway(failure(403, "role_needed", `Cannot ${what}: the role ${needed}, was ${visitor.role}`));
    }
    if (needed === "admin" && !this.#commands.take(who)) {
      audit.refused({ door: "api", who, code: "too_many_attempts", reason: what, message: NOTHING });
      throw later("too_many_attempts", `at most ${COMMANDS.perSecond} a second`, 1);
    }
    return visitor;
  }

  challenge(): string {
    const now = this.#options.nowMs();
    for (const [old, untilMs] of this.#challenges) if (untilMs < now) this.#challenges.delete(old);
    const oldest = this.#challenges.keys().next();
    if (this.#challenges.size >= CHALLENGES_MAX && oldest.done !== true) this.#challenges.delete(oldest.value);
    const challenge = randomBytes(32).toString("base64url");
    this.#challenges.set(challenge, now + CHALLENGE_MS);
    return challenge;
  }

  async signInWithPassword(name: string, password: string): Promise<SignInAnswer> {
    const { accounts, audit } = this.#options;
    const waitMs = this.#lockOut.waitMs(name);
    if (waitMs > 0 || !this.#signIns.take("password")) {
      const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
      const code = waitMs > 0 ? "locked_out" : "too_many_attempts";
      audit.refused({ door: "sign-in", who: name, code, reason: "password", message: NOTHING });
      throw later(code, `fewer attempts, and a wait of ${seconds} s`, seconds);
    }
    const account = password.length <= PASSWORD_LENGTH_MAX ? await accounts.check(name, password) : undefined;
    if (account === undefined) {
      if (accounts.has(name)) this.#lockOut.failed(name);
      audit.refused({ door: "sign-in", who: name, code: "wrong_password", reason: "password", message: NOTHING });
      throw unauthorized("wrong_password", "the name and password of an account, was something else");
    }
    this.#lockOut.succeeded(name);
    return await this.#begin(account.name, account.role);
  }

  async signInWithKey(keyId: string, challenge: string, signature: Uint8Array): Promise<SignInAnswer> {
    const { audit, keys, nowMs } = this.#options;
    const untilMs = this.#challenges.get(challenge) ?? 0;
    this.#challenges.delete(challenge);
    const key = keys().get(keyId);
    const seconds = BigInt(Math.floor(nowMs() / 1_000));
    const inForce =
      key !== undefined &&
      !key.revoked &&
      seconds >= (key.notBeforeSeconds ?? 0n) &&
      (key.notAfterSeconds === undefined || seconds <= key.notAfterSeconds);
    if (untilMs < nowMs() || !inForce || !key.key.verifies(signInBytes(challenge), signature)) {
      audit.refused({ door: "sign-in", who: keyId, code: "wrong_signature", reason: "key", message: NOTHING });
      throw unauthorized("wrong_signature", "a signature of a key in force over a fresh challenge, was something else");
    }
    const everything = key.scopes.some(({ module, action }) => module === "*" && action === "*");
    return await this.#begin(`key:${keyId}`, everything ? "admin" : "viewer");
  }

  async refresh(token: string): Promise<SignInAnswer> {
    const next = this.#options.sessions.refresh(token);
    if (next !== undefined) return await this.#answer(next.session, next.refreshToken);
    this.#options.audit.refused({ door: "sign-in", who: "", code: "bad_token", reason: "refresh", message: NOTHING });
    throw unauthorized("bad_token", "a refresh token that was not used yet, was another");
  }

  signOut({ id }: SignedIn): void {
    this.#options.sessions.end(id);
  }

  /** Signs a name out everywhere; answers from how many sessions. */
  revoke(name: string): number {
    return this.#options.sessions.endAll(name);
  }

  async #begin(name: string, role: Role): Promise<SignInAnswer> {
    const { session, refreshToken } = this.#options.sessions.begin(name, role);
    return await this.#answer(session, refreshToken);
  }

  async #answer({ id, role }: SignedIn, refreshToken: string): Promise<SignInAnswer> {
    const access = await this.#options.tokens.issue(id);
    return { access_token: access, refresh_token: refreshToken, expires_in: ACCESS_SECONDS, role };
  }
}

const NOTHING = new Uint8Array(0);

/** Until when the token of an admitted request is good, Unix ms; for ever without one. */
export function untilMsOf(request: Request): number {
  const token = tokenOf(request);
  return token === undefined ? Number.POSITIVE_INFINITY : (decodeJwt(token).exp ?? 0) * 1_000;
}

/** From the Authorization header, or for a browser's WebSocket, which has none, from a subprotocol bearer.<token>. */
function tokenOf({ headers }: Request): string | undefined {
  const header = headers.get("authorization");
  if (header !== null) return /^bearer /i.test(header) ? header.slice("bearer ".length).trim() : header;
  const protocols = headers.get("sec-websocket-protocol")?.split(",") ?? [];
  return protocols
    .map((name) => name.trim())
    .find((name) => name.startsWith("bearer."))
    ?.slice("bearer.".length);
}

function unauthorized(
  code: "bad_token" | "sign_in_needed" | "wrong_password" | "wrong_signature",
  want: string,
): TurnedAway {
  const answer = failure(401, code, `Cannot answer: ${want}`);
  answer.headers.set("WWW-Authenticate", "Bearer");
  return new TurnedAway(answer);
}

function later(code: "locked_out" | "too_many_attempts", want: string, seconds: number): TurnedAway {
  const answer = failure(429, code, `Cannot answer now: ${want}`);
  answer.headers.set("Retry-After", String(seconds));
  return new TurnedAway(answer);
}
