/** The two ways to the gateway, alike to their user: frames come in, and at some time the way is closed. */

type Frame = Uint8Array<ArrayBuffer>;
export type WayEvents = {
  readonly onFrame: (frame: Frame) => void;
  /** The gateway's clock before the way opens, Unix ms: what it tells from then on can be resumed. */
  readonly onClock: (nowMs: number) => void;
  /** Once; never after close(). `code` is the gateway's, 0 when the way broke. */
  readonly onClose: (code: number) => void;
};
export type Way = { readonly name: "WebTransport" | "WebSocket"; close(): void };
export type Address = {
  /** Of the gateway: http(s)://host[:port]. */
  readonly origin: string;
  readonly token: string | undefined;
  /** See Batch.resume_ms. */
  readonly sinceMs: number | undefined;
};

type Realtime = {
  readonly webtransport: { readonly port: number; readonly certificate_sha256: readonly string[] } | null;
  readonly now_ms: number;
};

/** A browser says nothing about UDP that is blocked: it just never becomes ready. */
const READY_MS_MAX = 1_500;
const FRAME_BYTES_MAX = 4 * 1024 * 1024;

/** Resolves when the way is open; rejects for any reason, of which a browser does not tell. */
export async function openWebTransport(address: Address, events: WayEvents): Promise<Way> {
  const answer = await fetch(`${address.origin}/api/realtime`, { headers: bearer(address.token) });
  if (!answer.ok) throw new Error("the gateway does not say how it is reached");
  const { webtransport, now_ms } = (await answer.json()) as Realtime;
  events.onClock(now_ms);
  if (webtransport === null) throw new Error("WebTransport is off");
  const url = new URL("/live", address.origin);
  url.protocol = "https:";
  url.port = String(webtransport.port);
  if (address.sinceMs !== undefined) url.searchParams.set("since", String(address.sinceMs));
  if (address.token !== undefined) url.searchParams.set("token", address.token);
  const hashes = webtransport.certificate_sha256.map((hex) => ({ algorithm: "sha-256", value: bytesOf(hex) }));
  const transport = new WebTransport(url.href, {
    congestionControl: "low-latency",
    ...(hashes.length > 0 ? { serverCertificateHashes: hashes } : {}),
  });
  let open = true;
  const ended = (code: number) => {
    if (open) events.onClose(code);
    open = false;
  };
  transport.closed.then(
    ({ closeCode = 0 }) => ended(closeCode),
    () => ended(0),
  );
  const late = setTimeout(() => transport.close(), READY_MS_MAX);
  try {
    await transport.ready;
  } catch (thrown) {
    open = false;
    throw thrown;
  } finally {
    clearTimeout(late);
  }
  const broken = () => ended(0);
  readDatagrams(transport, events.onFrame).catch(broken);
  readStreams(transport, events.onFrame).catch(broken);
  return {
    name: "WebTransport",
    close: () => {
      open = false;
      transport.close();
    },
  };
}

/** Resolves when the way is open; rejects when it was refused. */
export function openWebSocket(address: Address, events: WayEvents): Promise<Way> {
  const url = new URL("/live", address.origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (address.sinceMs !== undefined) url.searchParams.set("since", String(address.sinceMs));
  const socket = new WebSocket(url, address.token === undefined ? [] : ["sandpiper", `bearer.${address.token}`]);
  socket.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    let open = false;
    socket.onopen = () => {
      open = true;
      resolve({
        name: "WebSocket",
        close: () => {
          // A dead peer may never finish the closing handshake.
          socket.onmessage = null;
          socket.onclose = null;
          socket.close();
        },
      });
    };
    socket.onmessage = ({ data }) => events.onFrame(new Uint8Array(data as ArrayBuffer));
    socket.onclose = ({ code }) => {
      if (open) events.onClose(code);
      else reject(new Error("the WebSocket was refused"));
    };
  });
}

async function readDatagrams(transport: WebTransport, onFrame: WayEvents["onFrame"]): Promise<void> {
  const reader = (transport.datagrams.readable as ReadableStream<Frame>).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onFrame(value);
  }
}

/** The gateway opens one stream; frames on it stand behind their length, a big-endian u32. */
async function readStreams(transport: WebTransport, onFrame: WayEvents["onFrame"]): Promise<void> {
  const streams = (transport.incomingUnidirectionalStreams as ReadableStream<ReadableStream<Frame>>).getReader();
  for (;;) {
    const { value: stream, done } = await streams.read();
    if (done) return;
    await readFrames(stream.getReader(), onFrame);
  }
}

async function readFrames(reader: ReadableStreamDefaultReader<Frame>, onFrame: WayEvents["onFrame"]): Promise<void> {
  let held: Frame = new Uint8Array(0);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    held = joined(held, value);
    for (;;) {
      if (held.length < 4) break;
      const length = new DataView(held.buffer, held.byteOffset).getUint32(0);
      if (length > FRAME_BYTES_MAX) throw new Error("a frame that is too long");
      if (held.length < 4 + length) break;
      onFrame(held.slice(4, 4 + length));
      held = held.subarray(4 + length);
    }
  }
}

function joined(left: Frame, right: Frame): Frame {
  if (left.length === 0) return right;
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` };

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
