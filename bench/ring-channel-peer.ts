/**
 * One end of the two ways that bench/ring.ts sets beside the rings: `postMessage` between two Workers over a MessageChannel,
 * and a Unix stream socket between two processes. The same records of 64 bytes, every word written and read; both ends
 * warm up on a first pass that is not counted. What waits here waits in the event loop, as these ways do.
 */
import { pinThread } from "#ffi/thread.ts";
import { latencyOf, type PeerJob, type PeerResult, RECORD_BYTES, throughputOf, WORDS } from "./ring-job.ts";

/** As many records as a ring holds may be on the way; the reader says after each quarter how many it has taken. */
const WINDOW = 4_096;
const ACKNOWLEDGE_EVERY = WINDOW / 4;

/** A way to send bytes and to hear of bytes. */
type Channel = {
  readonly send: (words: Int32Array) => void;
  onWords: (words: Int32Array) => void;
};

/** Runs one end to its finish; only the consuming and the pinging end measure anything. */
async function runEnd(job: PeerJob, channel: Channel): Promise<PeerResult> {
  const pass = PASSES[job.role];
  await pass(channel, job.warmUp, job.batch);
  pinThread(job.core);
  return pass(channel, job.count, job.batch);
}

type Pass = (channel: Channel, count: number, batch: number) => Promise<PeerResult>;
const PASSES: Readonly<Record<PeerJob["role"], Pass>> = { produce, consume, echo, ping };

function produce(channel: Channel, count: number, batch: number): Promise<PeerResult> {
  return new Promise((resolve) => {
    let sent = 0;
    let taken = 0;
    const send = () => {
      while (sent < count && sent - taken < WINDOW) {
        const records = Math.min(batch, count - sent);
        const words = new Int32Array(records * WORDS);
        for (let i = 0; i < records; i++, sent++)
          for (let word = 0; word < WORDS; word++) words[i * WORDS + word] = (sent + word) | 0;
        channel.send(words);
      }
    };
    channel.onWords = (words) => {
      taken = words[words.length - WORDS] as number;
      if (taken === count) resolve({});
      else send();
    };
    send();
  });
}

async function consume(channel: Channel, count: number): Promise<PeerResult> {
  let sum = 0;
  const elapsedNs = await new Promise<number>((resolve) => {
    let startNs = 0;
    let seen = 0;
    let acknowledged = 0;
    channel.onWords = (words) => {
      if (seen === 0) startNs = Bun.nanoseconds();
      for (let i = 0; i < words.length; i++) sum = (sum + (words[i] as number)) | 0;
      seen += words.length / WORDS;
      if (seen < count && seen - acknowledged < ACKNOWLEDGE_EVERY) return;
      acknowledged = seen;
      if (seen === count) resolve(Bun.nanoseconds() - startNs);
      channel.send(new Int32Array(WORDS).fill(seen, 0, 1));
    };
  });
  return throughputOf(count, sum, elapsedNs);
}

function echo(channel: Channel, count: number): Promise<PeerResult> {
  return new Promise((resolve) => {
    let answered = 0;
    channel.onWords = (words) => {
      channel.send(words);
      answered++;
      if (answered === count) resolve({});
    };
  });
}

function ping(channel: Channel, count: number): Promise<PeerResult> {
  return new Promise((resolve) => {
    const oneWayNs = new Float64Array(count);
    const words = new Int32Array(WORDS);
    let answered = 0;
    let startNs = Bun.nanoseconds();
    channel.onWords = () => {
      oneWayNs[answered++] = (Bun.nanoseconds() - startNs) / 2;
      if (answered === count) {
        resolve(latencyOf(oneWayNs));
        return;
      }
      startNs = Bun.nanoseconds();
      channel.send(words);
    };
    channel.send(words);
  });
}

function portChannel(port: MessagePort): Channel {
  const channel: Channel = { send: (words) => port.postMessage(words), onWords: () => {} };
  port.onmessage = (event: MessageEvent<Int32Array>) => channel.onWords(event.data);
  return channel;
}

/** Bytes of a stream come in pieces: whole records are handed on, the rest waits for more. */
class SocketChannel implements Channel {
  onWords: Channel["onWords"] = () => {};
  write: (bytes: Uint8Array) => number = () => 0;
  #unsent: Uint8Array = new Uint8Array(0);
  #unread: Uint8Array = new Uint8Array(0);

  readonly send = (words: Int32Array): void => {
    const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    if (this.#unsent.length > 0) this.#unsent = Buffer.concat([this.#unsent, bytes]);
    else this.#unsent = bytes.subarray(this.write(bytes));
  };

  drain(): void {
    this.#unsent = this.#unsent.subarray(this.write(this.#unsent));
  }

  read(chunk: Uint8Array): void {
    const bytes = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    const whole = bytes.length - (bytes.length % RECORD_BYTES);
    this.#unread = bytes.slice(whole);
    if (whole > 0) this.onWords(new Int32Array(bytes.slice(0, whole).buffer));
  }
}

/** The near end listens, the far one connects once the near one has said that it does. */
function socketChannel(path: string, listens: boolean): Promise<SocketChannel> {
  return new Promise((resolve, reject) => {
    const channel = new SocketChannel();
    const handlers = {
      open: (socket: { write: (bytes: Uint8Array) => number }) => {
        channel.write = (bytes) => socket.write(bytes);
        resolve(channel);
      },
      data: (_: unknown, chunk: Uint8Array) => channel.read(chunk),
      drain: () => channel.drain(),
      error: (_: unknown, error: Error) => reject(error),
    };
    if (!listens) void Bun.connect({ unix: path, socket: handlers });
    else {
      Bun.listen({ unix: path, socket: handlers });
      process.stdout.write("listening\n");
    }
  });
}

declare const self: Worker;
if (!Bun.isMainThread)
  self.onmessage = async (event: MessageEvent<{ readonly job: PeerJob; readonly port: MessagePort }>) =>
    self.postMessage(await runEnd(event.data.job, portChannel(event.data.port)));
else if (import.meta.main) {
  const [text = "{}", path = ""] = process.argv.slice(2);
  const job = JSON.parse(text) as PeerJob;
  const isNear = job.role === "consume" || job.role === "ping";
  const result = await runEnd(job, await socketChannel(path, isNear));
  await Bun.write(Bun.stdout, `${JSON.stringify(result)}\n`);
  process.exit(0);
}
