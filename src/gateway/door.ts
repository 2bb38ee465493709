/**
 * What every request passes before anything looks at it, and what every answer wears. There is no sign-in yet: the API
 * is read-only and on loopback, and these checks keep other people's web pages from reading it through the operator's
 * browser (DNS rebinding, cross-site fetches and sockets).
 */
import { SandpiperError } from "#core/error.ts";
import type { ErrorCode } from "./api/schemas.ts";
import { GATEWAY_ERROR } from "./errors.ts";

const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|::1|\[::1\])$/;
/** The Host header of a request that was meant for this machine; a tunnel may change the port, never the name. */
const LOOPBACK_HOST = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?$/i;
/** Far above any address of ours. */
const ADDRESS_LENGTH_MAX = 2_048;

const SECURITY_HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
} as const;

/** Throws unless the address is loopback: without sign-in nobody else may read the page. */
export function assertLoopback(host: string): void {
  if (LOOPBACK.test(host)) return;
  throw new SandpiperError(
    GATEWAY_ERROR.address,
    `Cannot listen on gateway.host: a loopback address until sign-in exists (127.0.0.1, ::1, localhost), was ${JSON.stringify(host)}`,
  );
}

/** Why a request is turned away at the door, or undefined when it may come in. */
export function refusalOf(request: Request): Response | undefined {
  const { method, headers } = request;
  const host = headers.get("host") ?? "";
  if (!LOOPBACK_HOST.test(host))
    return failure(421, "host_refused", `Cannot answer for this Host: a loopback name, was ${quoted(host)}`);
  const origin = headers.get("origin");
  if (origin !== null && origin !== `http://${host}` && origin !== `https://${host}`)
    return failure(403, "origin_refused", `Cannot answer this Origin: the page's own, was ${quoted(origin)}`);
  if (method !== "GET" && method !== "HEAD") {
    const answer = failure(
      405,
      "method_not_allowed",
      `Cannot ${method.slice(0, 20)}: GET or HEAD, this API only reads`,
    );
    answer.headers.set("Allow", "GET, HEAD");
    return answer;
  }
  if (request.url.length > ADDRESS_LENGTH_MAX)
    return failure(
      414,
      "address_too_long",
      `Cannot read the address: at most ${ADDRESS_LENGTH_MAX} characters, was ${request.url.length}`,
    );
  return undefined;
}

/** The typed error body of the API. */
export function failure(status: number, code: ErrorCode, message: string): Response {
  return Response.json({ error: { code, message } }, { status });
}

/** Adds what every answer wears. An answer that says nothing about caching must not be cached. */
export function withSecurityHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value);
  if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "no-store");
  return response;
}

const quoted = (text: string) => JSON.stringify(text.slice(0, 100));
