/** Hostile input for the live stream, from a seed: UDP datagrams, WebSocket frames behind a good handshake, and handshakes. */
import type { Random } from "#core/random.ts";

const DATAGRAM_BYTES_MAX = 1_400;
/** QUIC wants its first packets at least this long (RFC 9000, 14.1). */
const INITIAL_BYTES = 1_200;
const VERSIONS = [1, 0, 0x6b3343cf, 0xff00001d, 0x0a0a0a0a] as const;

const bytesOf = (random: Random, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i + 4 <= length; i += 4) bytes.writeUInt32LE(random.uint32(), i);
  return bytes;
};

/** Noise, headers that lie about their lengths, Initial packets that cannot be opened, short headers of nobody. */
export function hostileDatagram(random: Random): Buffer {
  const kind = random.between(0, 5);
  if (kind === 0) return bytesOf(random, random.between(0, DATAGRAM_BYTES_MAX));
  const long = kind < 4;
  const bytes = bytesOf(random, kind === 1 ? INITIAL_BYTES : random.between(7, DATAGRAM_BYTES_MAX));
  bytes[0] = (long ? 0xc0 : 0x40) | random.between(0, 64);
  if (!long) return bytes;
  if (kind === 1) bytes[0] = 0xc0 | random.between(0, 16);
  bytes.writeUInt32BE(random.pick(VERSIONS), 1);
  // A connection id of at most 20 bytes, or one that is longer than the packet.
  bytes[5] = random.between(0, 8) === 0 ? 255 : random.between(0, 21);
  return bytes;
}

/** Frames that a client may not say, cut, oversized, unmasked, fragmented for ever. */
export function hostileFrames(random: Random, count: number): Buffer {
  const frames = Array.from({ length: count }, () => {
    const payload = bytesOf(random, random.between(0, 125));
    const masked = random.between(0, 4) > 0 ? 0x80 : 0;
    const short = Buffer.from([random.between(0, 256), masked | payload.length]);
    if (random.between(0, 6) > 0) return Buffer.concat([short, payload]);
    const huge = Buffer.alloc(10);
    huge[0] = random.between(0, 256);
    huge[1] = masked | (random.between(0, 2) === 0 ? 126 : 127);
    huge.writeUInt32BE(random.uint32(), 2);
    return huge;
  });
  return Buffer.concat(frames);
}

const WORDS = [
  "",
  "*",
  "0",
  "13",
  "null",
  "..",
  "%00",
  "é",
  "upgrade",
  "websocket, websocket",
  "a".repeat(4_000),
] as const;

/** Upgrade requests that are wrong in one to three places. */
export function hostileHandshake(random: Random, host: string): Buffer {
  const headers = new Map([
    ["Host", host],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ["Sec-WebSocket-Protocol", "sandpiper"],
    ["Origin", `http://${host}`],
  ]);
  const names = [...headers.keys()];
  for (let i = random.between(1, 4); i > 0; i--) {
    const name = random.pick(names);
    const how = random.between(0, 4);
    if (how === 0) headers.delete(name);
    else if (how === 1) headers.set("Sec-WebSocket-Protocol", `sandpiper, bearer.${random.pick(WORDS)}`);
    else if (how === 2) headers.set(name, random.pick(WORDS));
    else headers.set(name, bytesOf(random, random.between(1, 200)).toString("latin1"));
  }
  const path = random.pick([
    "/live",
    "/live?since=-1",
    "/live?since=1e99",
    "/live?token=x",
    "//live",
    "/",
    "\\live",
    "live",
  ]);
  const method = random.pick(["GET", "GET", "GET", "POST", "get", "\u0000"]);
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  const end = random.between(0, 10) === 0 ? "" : "\r\n";
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}${end}`, "latin1");
}

/** A handshake that is right: what comes behind it is not. */
export const goodHandshake = (host: string): string =>
  `GET /live HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
