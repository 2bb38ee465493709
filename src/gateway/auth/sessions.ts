/**
 * Who is signed in. A session is made by a sign-in and lives on refresh tokens: each may be used once and gives the next; one that
 * comes a second time was stolen or its answer lost, and ends the session. Sessions are kept in a file (mode 0600), refresh
 * tokens only as hashes, so a restart signs nobody out and the file signs nobody in. An access token names its session and is
 * worth nothing once that is gone.
 */
import { createHash, randomBytes } from "node:crypto";
import { readJsonFile, writeFileAtomic } from "#core/atomic-file.ts";
import type { Role } from "./accounts.ts";

type Session = {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the refresh token that may come next. */
  refreshSha256: string;
  untilMs: number;
};
export type SignedIn = Pick<Session, "id" | "name" | "role">;

const SESSION_MS = 12 * 3_600_000;
/** Sessions at a time; the oldest gives way. */
const SESSIONS_MAX = 1_000;
const TOKEN_BYTES = 32;

export class Sessions {
  readonly #sessions: Map<string, Session>;

  constructor(
    private readonly path: string,
    private readonly nowMs: () => number,
  ) {
    this.#sessions = readSessions(path);
  }

  /** Undefined once it has ended. */
  get(id: string): SignedIn | undefined {
    const session = this.#sessions.get(id);
    return session !== undefined && session.untilMs > this.nowMs() ? session : undefined;
  }

  begin(name: string, role: Role): { readonly session: SignedIn; readonly refreshToken: string } {
    this.#forgetEnded();
    const oldest = this.#sessions.keys().next();
    if (this.#sessions.size >= SESSIONS_MAX && oldest.done !== true) this.#sessions.delete(oldest.value);
    const id = randomBytes(16).toString("base64url");
    const secret = newSecret();
    const session = { id, name, role, refreshSha256: sha256(secret), untilMs: this.nowMs() + SESSION_MS };
    this.#sessions.set(id, session);
    this.#keep();
    return { session, refreshToken: `${id}.${secret}` };
  }

  /** The next refresh token for this one; undefined when it is not good, and then its session is over. */
  refresh(token: string): { readonly session: SignedIn; readonly refreshToken: string } | undefined {
    const [id = "", secret = ""] = token.split(".");
    const session = this.#sessions.get(id);
    if (session === undefined || session.untilMs <= this.nowMs()) return undefined;
    if (session.refreshSha256 !== sha256(secret)) {
      this.end(id);
      return undefined;
    }
    const next = newSecret();
    session.refreshSha256 = sha256(next);
    session.untilMs = this.nowMs() + SESSION_MS;
    this.#keep();
    return { session, refreshToken: `${id}.${next}` };
  }

  end(id: string): void {
    if (this.#sessions.delete(id)) this.#keep();
  }

  /** Ends every session of a name; answers how many. */
  endAll(name: string): number {
    const theirs = [...this.#sessions.values()].filter((session) => session.name === name);
    for (const { id } of theirs) this.#sessions.delete(id);
    if (theirs.length > 0) this.#keep();
    return theirs.length;
  }

  #forgetEnded(): void {
    for (const [id, { untilMs }] of this.#sessions) if (untilMs <= this.nowMs()) this.#sessions.delete(id);
  }

  #keep(): void {
    writeFileAtomic(this.path, JSON.stringify({ version: 1, sessions: [...this.#sessions.values()] }), 0o600);
  }
}

/** A file that cannot be read signs everybody out: people sign in again. */
function readSessions(path: string): Map<string, Session> {
  try {
    const { sessions } = (readJsonFile(path) ?? { sessions: [] }) as { sessions: readonly Session[] };
    return new Map(sessions.map((session) => [session.id, session]));
  } catch {
    return new Map();
  }
}

const newSecret = () => randomBytes(TOKEN_BYTES).toString("base64url");
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
