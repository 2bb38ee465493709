/**
 * The live stream over WebSocket: each binary frame is one zstd-compressed Batch (proto/realtime.proto) of at most 256
 * envelopes, oldest first, or with a text of the gateway: {"kind":"status",…} once a second, {"kind":"dropped",…} when
 * this reader was too slow. Server to page only.
 */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import { type Carrier, LIVE_CLOSE, LiveSession } from "./live-session.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Subscription } from "./subscription.ts";

/** Bytes the socket may hold before the subscription is left to fill. */
const BUFFERED_BYTES_MAX = 256 * 1024;
/** Pages have nothing to say. */
const INCOMING_BYTES_MAX = 1_024;

export type LiveSocketData = { readonly subscription: Subscription; readonly untilMs: number; session?: LiveSession };

export function socketHandler(sessions: LiveSessions): WebSocketHandler<LiveSocketData> {
  return {
    maxPayloadLength: INCOMING_BYTES_MAX,
    idleTimeout: 60,
    sendPings: true,
    open: (socket) => {
      const { subscription, untilMs } = socket.data;
      socket.data.session = new LiveSession(subscription, carrierOf(socket), untilMs);
      sessions.add(socket.data.session);
    },
    message: (socket) => socket.close(LIVE_CLOSE.policy, "this stream only speaks"),
    close: ({ data }) => {
      if (data.session) sessions.remove(data.session);
    },
  };
}

function carrierOf(socket: ServerWebSocket<LiveSocketData>): Carrier {
  const send = (bytes: Uint8Array) => {
    if (socket.getBufferedAmount() > BUFFERED_BYTES_MAX) return "full";
    return socket.send(bytes) === 0 ? "gone" : "sent";
  };
  return {
    sendLossy: send,
    sendSure: send,
    beats: false,
    close: (code, reason) => {
      // A peer that reads nothing never answers the closing handshake.
      if (code === LIVE_CLOSE.behind) socket.terminate();
      else socket.close(code, reason);
    },
  };
}
