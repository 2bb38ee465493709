/**
 * What every request passes before anything looks at it, and what every answer wears. Reading may need no sign-in
 * (gateway.anonymous), so these checks keep other people's web pages from reading through the operator's browser (DNS
 * rebinding, cross-site fetches and sockets); who may do what is decided behind them (auth/).
 */
import type { Config } from "#core/config.ts";
import { SandpiperError } from "#core/error.ts";
import type { ErrorCode } from "./api/schemas.ts";
import { GATEWAY_ERROR } from "./errors.ts";

const LOOPBACK = /^(localhost|127(\.[0-9]{1,3}){3}|::1|\[::1\])$/;
/** The Host header of a request that was meant for this machine; a tunnel may change the port, never the name. */
const LOOPBACK_HOST = /^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?$/i;
/** Far above any address of ours. */
const ADDRESS_LENGTH_MAX = 2_048;

/** Everything that changes something; all else is only read. */
const POST_PATHS =
  /^\/api\/(auth\/(challenge|sign-in|refresh|sign-out|revoke)|control\/module\/[^/]*|training\/(start|jobs\/[^/]*\/cancel)|models\/(promote|shadow|rollback))$/;

/** The largest body is a signed command in hexadecimal digits. */
const BODY_BYTES_MAX = 16_384;

const SECURITY_HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
} as const;

/** Throws unless the address is loopback: tokens must not cross a network without TLS. */
export function assertLoopback(host: string): void {
  if (LOOPBACK.test(host)) return;
  throw new SandpiperError(
    GATEWAY_ERROR.address,
    `Cannot listen on gateway.host: a loopback address (127.0.0.1, ::1, localhost; others come through a proxy with TLS), was ${JSON.stringify(host)}`,
  );
}

/** The origin that a proxy serves the page under, or undefined. Throws unless it has TLS and reading needs a token. */
export function publicOriginOf(config: Config): URL | undefined {
  const text = config["gateway.publicOrigin"];
  if (text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:" || url.origin !== text)
    throw new SandpiperError(
      GATEWAY_ERROR.address,
      `Cannot serve gateway.publicOrigin: an origin such as https://desk.example, was ${JSON.stringify(text)}`,
    );
  if (config["gateway.anonymous"] !== "none")
    throw new SandpiperError(
      GATEWAY_ERROR.address,
      'Cannot serve gateway.publicOrigin: gateway.anonymous = "none", since a network can reach it, was "viewer"',
    );
  return url;
}

/** Why a request is turned away at the door, or undefined when it may come in. */
export function refusalOf(request: Request, publicOrigin?: URL): Response | undefined {
  const { method, headers } = request;
  const host = headers.get("host") ?? "";
  const isPublic = publicOrigin !== undefined && host.toLowerCase() === publicOrigin.host;
  if (!isPublic && !LOOPBACK_HOST.test(host))
    return failure(
      421,
      "host_refused",
      `Cannot answer for this Host: a loopback name or that of gateway.publicOrigin, was ${quoted(host)}`,
    );
  const origin = headers.get("origin");
  if (isPublic && origin !== null && origin !== publicOrigin.origin)
    return failure(403, "origin_refused", `Cannot answer this Origin: the page's own, was ${quoted(origin)}`);
  if (!isPublic && origin !== null && origin !== `http://${host}` && origin !== `https://${host}`)
    return failure(403, "origin_refused", `Cannot answer this Origin: the page's own, was ${quoted(origin)}`);
  const allowed = POST_PATHS.test(new URL(request.url).pathname) ? ["POST"] : ["GET", "HEAD"];
  if (!allowed.includes(method)) {
    const answer = failure(405, "method_not_allowed", `Cannot ${method.slice(0, 20)}: ${allowed.join(" or ")} here`);
    answer.headers.set("Allow", allowed.join(", "));
    return answer;
  }
  // A form of another page could send its fields without asking first, but never as JSON.
  if (method === "POST" && !/^application\/json\b/i.test(headers.get("content-type") ?? ""))
    return failure(415, "invalid_body", "Cannot read the body: application/json, was another type");
  const bodyBytes = Number(headers.get("content-length") ?? "0");
  if (bodyBytes > BODY_BYTES_MAX)
    return failure(413, "invalid_body", `Cannot read the body: at most ${BODY_BYTES_MAX} bytes, was ${bodyBytes}`);
  if (request.url.length > ADDRESS_LENGTH_MAX)
    return failure(
      414,
      "address_too_long",
      `Cannot read the address: at most ${ADDRESS_LENGTH_MAX} characters, was ${request.url.length}`,
    );
  return undefined;
}

/** Whether a page of ours says it: a loopback name at our port, or the public origin. */
export function isOwnOrigin(origin: string, port: number, publicOrigin?: URL): boolean {
  if (publicOrigin !== undefined && origin === publicOrigin.origin) return true;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  return url !== undefined && LOOPBACK.test(url.hostname) && url.port === String(port);
}

/** The typed error body of the API. */
export function failure(status: number, code: ErrorCode, message: string): Response {
  return Response.json({ error: { code, message } }, { status });
}

/** Turned away further inside than the door: thrown by what asks who somebody is, answered as it stands. */
export class TurnedAway extends Error {
  constructor(readonly response: Response) {
    super(`turned away with status ${response.status}`);
  }
}

/** Adds what every answer wears. An answer that says nothing about caching must not be cached. */
export function withSecurityHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value);
  if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "no-store");
  return response;
}

const quoted = (text: string) => JSON.stringify(text.slice(0, 100));
