/**
 * Access tokens: JWT (RFC 7519), HS256 with a key of this installation, ten minutes. The algorithm is fixed, so is who made it and whom
 * it is for; a token says whose session it belongs to, and the session says the role.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { jwtVerify, SignJWT } from "jose";

export const ACCESS_SECONDS = 600;
const ALGORITHM = "HS256";
const ISSUER = "sandpiper";
const AUDIENCE = "sandpiper-api";
const KEY_BYTES = 32;
const TOKEN_LENGTH_MAX = 2_048;

export class AccessTokens {
  readonly #key: Uint8Array;

  constructor(
    key: Uint8Array,
    private readonly nowMs: () => number,
  ) {
    this.#key = key;
  }

  /** For a session. */
  issue(sessionId: string): Promise<string> {
    const seconds = Math.floor(this.nowMs() / 1_000);
    return new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + ACCESS_SECONDS)
      .sign(this.#key);
  }

  /** The session of a token, or why it is not good. */
  async read(token: string): Promise<{ readonly sessionId: string } | { readonly fault: string }> {
    if (token.length > TOKEN_LENGTH_MAX) return { fault: `longer than ${TOKEN_LENGTH_MAX} characters` };
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ["exp", "iat", "sid"],
        currentDate: new Date(this.nowMs()),
      });
      const { sid } = payload;
      return typeof sid === "string" ? { sessionId: sid } : { fault: "without a session" };
    } catch (thrown) {
      // jose's codes are stable words such as ERR_JWT_EXPIRED.
      return { fault: (thrown as { code?: string }).code ?? "no token" };
    }
  }
}

/** The key of this installation; made when it is not there. Deleting the file signs everybody out. */
export function openTokenKey(path: string): Uint8Array {
  try {
    const file = openSync(path, "wx", 0o600);
    try {
      writeSync(file, randomBytes(KEY_BYTES).toString("hex"));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
  }
  return Uint8Array.from(Buffer.from(readFileSync(path, "utf8").trim(), "hex"));
}
