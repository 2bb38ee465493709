/**
 * The readers of bench/fan-out.ts, in a process of their own: argv is which server, its address, how many. They count every
 * message; the age is that of one message in each batch that is looked into. Prints one JSON line at SIGTERM.
 */
import { connect } from "node:net";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { decodeBatch } from "#wire/envelope.ts";

const [server = "sandpiper", address = "", count = "1", frozen = "no"] = process.argv.slice(2);
/** Of the batches, one in so many is decoded for the age of what is in it; of all the messages are counted. */
const LOOK_EVERY = 50;
const ITEMS_FIELD = 1;

const ages: number[] = [];
let messages = 0;
let bytes = 0;
let frames = 0;
let closed = 0;
let open = 0;

/** Envelopes in a Batch, without decoding them. */
function itemsIn(batch: Uint8Array): number {
  const reader = new BinaryReader(batch);
  let items = 0;
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === ITEMS_FIELD) items++;
    reader.skip(type);
  }
  return items;
}

function onBatch(frame: Uint8Array): void {
  const batch = Bun.zstdDecompressSync(frame as Uint8Array<ArrayBuffer>);
  messages += itemsIn(batch);
  if (frames++ % LOOK_EVERY !== 0) return;
  for (const { payload } of decodeBatch(batch).items)
    if (payload.case === "arb") ages.push(Date.now() - Number(payload.value.decideNs / 1_000n) / 1_000);
}

/** Centrifugo's JSON protocol: replies a line each, of which publications are counted; a ping is answered. */
function onCentrifugo(socket: WebSocket, text: string): void {
  for (const line of text.split("\n")) {
    if (line === "{}") socket.send("{}");
    if (!line.includes('"pub"')) continue;
    const data = (JSON.parse(line) as { push: { pub: { data: { ms: number; b64?: string; batch?: string } } } }).push
      .pub.data;
    if (data.batch !== undefined) onBatch(Buffer.from(data.batch, "base64"));
    else {
      messages++;
      if (frames++ % LOOK_EVERY === 0) ages.push(Date.now() - data.ms);
    }
  }
}

for (let i = 0; i < Number(count); i++) {
  const url = server === "sandpiper" ? `ws://${address}/live` : `ws://${address}/connection/websocket`;
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    open++;
    if (server !== "sandpiper") socket.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"feed"}}');
    if (open === Number(count)) process.stdout.write("open\n");
  };
  socket.onmessage = ({ data }) => {
    bytes += typeof data === "string" ? data.length : (data as ArrayBuffer).byteLength;
    if (typeof data === "string") onCentrifugo(socket, data);
    else onBatch(new Uint8Array(data as ArrayBuffer));
  };
  socket.onclose = () => closed++;
}
if (frozen === "frozen") freeze();

/** Shakes hands and never reads again. */
function freeze(): void {
  const [host = "", port = ""] = address.split(":");
  const path = server === "sandpiper" ? "/live" : "/connection/websocket";
  const socket = connect(Number(port), host, () => {
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    socket.once("data", () => socket.pause());
  });
  socket.on("error", () => {});
}

process.on("SIGUSR1", () => {
  [messages, bytes, frames] = [0, 0, 0];
  ages.length = 0;
});
process.on("SIGTERM", () => {
  const sorted = ages.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  process.stdout.write(`${JSON.stringify({ messages, bytes, frames, closed, p50: at(0.5), p99: at(0.99) })}\n`, () =>
    process.exit(0),
  );
});
