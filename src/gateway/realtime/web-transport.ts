/**
 * The live stream over WebTransport (HTTP/3). Telemetry goes as datagrams, each a zstd-compressed Batch; what must arrive
 * goes on one stream from the server, each Batch behind its length (big-endian u32). The address is
 * https://host:port/live?since=…&token=…, since a browser cannot set headers here. Server to page only.
 */
import type { Config } from "#core/config.ts";
import { errorText } from "#core/error.ts";
import type { Log } from "#core/log.ts";
import { loadNative } from "#core/native.ts";
import { readCertificate, renewMs } from "./certificates.ts";
import type { LiveFeed } from "./live-feed.ts";
import { type Carrier, LIVE_CLOSE, LiveSession, type Sent } from "./live-session.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Native, NativeEvent, WebTransportServer } from "./native.ts";
import type { Subscription } from "./subscription.ts";

/** Path and origin of a request, as the WebSocket's door would see them. */
export type LiveRequest = { readonly path: string; readonly origin: string; readonly token: string | undefined };
/** Until when somebody may read (Unix ms), or the HTTP status that turns it away. */
export type Admission = { readonly untilMs: number } | { readonly status: number };

export type WebTransportOptions = {
  readonly config: Config;
  readonly port: number;
  readonly feed: LiveFeed;
  readonly sessions: LiveSessions;
  readonly admit: (request: LiveRequest) => Promise<Admission>;
  readonly log: Log;
  readonly nowMs: () => number;
};

/** What a page needs to connect; sha256 is empty when the certificate is one that browsers know. */
type WebTransportInfo = { readonly port: number; readonly certificate_sha256: string[] };
export type WebTransport = { readonly info: () => WebTransportInfo; stop(): void };

const HANDSHAKES_MAX = 256;
const HANDSHAKES_PER_ADDRESS_MAX = 64;
const QUEUE_BYTES_MAX = 256 * 1024;
/** A session without a datagram size yet gets what every IPv6 path carries, less our headers. */
const DATAGRAM_BYTES_START = 1_150;
const SENT: readonly Sent[] = ["sent", "full", "tooLarge", "gone"];

type Opening = { readonly subscription: Subscription; readonly untilMs: number; session?: LiveSession };

/** Listens, or says why not: everything is to be had over WebSocket all the same. */
export function startWebTransport(options: WebTransportOptions): WebTransport | { readonly off: string } {
  const { config, log } = options;
  if (config["gateway.webTransport"] === "off") return { off: "gateway.webTransport is off" };
  const native = loadNative<Native>();
  if ("missing" in native) return { off: native.missing };
  try {
    let certificate = readCertificate(config, native);
    const open = new Map<number, Opening>();
    const server: WebTransportServer = new native.WebTransportServer(
      {
        address: `${bracketed(config["gateway.host"])}:${options.port}`,
        certificatePem: certificate.certificatePem,
        keyPem: certificate.keyPem,
        sessionsMax: config["gateway.liveClientsMax"],
        handshakesMax: HANDSHAKES_MAX,
        handshakesPerAddressMax: HANDSHAKES_PER_ADDRESS_MAX,
        queueBytesMax: QUEUE_BYTES_MAX,
      },
      (event) => void accept(event, server, open, options),
    );
    const renewing = setInterval(() => {
      try {
        certificate = readCertificate(config, native);
        server.setCertificate(certificate.certificatePem, certificate.keyPem);
      } catch (thrown) {
        log.warn("cannot renew the certificate, the old one stays", { why: errorText(thrown) });
      }
    }, renewMs(config));
    renewing.unref();
    return {
      info: () => ({ port: server.port, certificate_sha256: certificate.sha256 ? [certificate.sha256] : [] }),
      stop: () => {
        clearInterval(renewing);
        server.stop();
      },
    };
  } catch (thrown) {
    log.warn("no WebTransport, only WebSocket", { why: errorText(thrown) });
    return { off: errorText(thrown) };
  }
}

async function accept(
  { kind, id, path, origin, address }: NativeEvent,
  server: WebTransportServer,
  open: Map<number, Opening>,
  { feed, sessions, admit }: WebTransportOptions,
): Promise<void> {
  const known = open.get(id);
  switch (kind) {
    case "request": {
      const url = new URL(path, "https://live");
      const admission = await admit({ path: url.pathname, origin, token: url.searchParams.get("token") ?? undefined });
      if ("status" in admission) return server.answer(id, admission.status);
      const pieceBytesMax = () => server.datagramBytesMax(id) || DATAGRAM_BYTES_START;
      const subscription = feed.subscribe({ address, sinceMs: sinceOf(url), pieceBytesMax });
      if (subscription === undefined) return server.answer(id, 503);
      open.set(id, { subscription, untilMs: admission.untilMs });
      return server.answer(id, 200);
    }
    case "open":
      if (known === undefined) return;
      known.session = new LiveSession(known.subscription, carrierOf(server, id), known.untilMs);
      return sessions.add(known.session);
    case "said":
      return server.close(id, LIVE_CLOSE.policy, "this stream only speaks");
    case "closed":
      open.delete(id);
      if (known?.session) sessions.remove(known.session);
      else if (known) feed.unsubscribe(known.subscription);
  }
}

const carrierOf = (server: WebTransportServer, id: number): Carrier => ({
  sendLossy: (bytes) => SENT[server.sendDatagram(id, bytes)] ?? "gone",
  sendSure: (bytes) => SENT[server.sendStream(id, bytes)] ?? "gone",
  beats: true,
  close: (code, reason) => server.close(id, code, reason),
});

/** The `since` of an address: whole Unix ms, or nothing. */
export function sinceOf(url: URL): number | undefined {
  const text = url.searchParams.get("since") ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** As a socket address has it: names are not looked up there. */
function bracketed(host: string): string {
  if (host === "localhost") return "127.0.0.1";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
