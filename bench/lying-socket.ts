/**
 * A node's WebSocket that lies about one account: a proxy that passes everything on, but once told to, says of that token
 * account (a pool's vault) that it holds another amount than it does.
 */
import type { ServerWebSocket } from "bun";

/** Of a token account: u64 amount. */
const AMOUNT_AT = 64;

type Link = { readonly upstream: WebSocket; readonly early: string[] };
type Notice = {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly params?: { readonly subscription: number; readonly result: { value: { data: [string, string] } } };
};

export class LyingSocket {
  /** What the account's amount is multiplied by; 1 is the truth. */
  factor = 1;
  /** Notices that were false. */
  lies = 0;
  readonly #server: ReturnType<typeof Bun.serve<Link>>;
  readonly #requests = new Set<number>();
  readonly #subscriptions = new Set<number>();

  constructor(
    private readonly to: string,
    private readonly account: string,
  ) {
    this.#server = Bun.serve<Link>({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, server) =>
        server.upgrade(request, { data: { upstream: new WebSocket(this.to), early: [] } })
          ? undefined
          : new Response("a WebSocket", { status: 426 }),
      websocket: {
        open: (socket) => this.#join(socket),
        message: ({ data }, message) => {
          const text = String(message);
          this.#heed(text);
          if (data.upstream.readyState === WebSocket.OPEN) data.upstream.send(text);
          else data.early.push(text);
        },
        close: ({ data }) => data.upstream.close(),
      },
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}`;
  }

  stop(): void {
    void this.#server.stop(true);
  }

  #join(socket: ServerWebSocket<Link>): void {
    const { upstream, early } = socket.data;
    upstream.onopen = () => {
      for (const text of early.splice(0)) upstream.send(text);
    };
    upstream.onmessage = ({ data }) => socket.send(this.#told(String(data)));
    upstream.onclose = () => socket.close();
  }

  /** Remembers under which number the account is asked for. */
  #heed(text: string): void {
    if (!text.includes(this.account)) return;
    const { id, method } = JSON.parse(text) as Notice;
    if (method === "accountSubscribe" && id !== undefined) this.#requests.add(id);
  }

  #told(text: string): string {
    const notice = JSON.parse(text) as Notice;
    if (notice.id !== undefined && this.#requests.delete(notice.id)) this.#subscriptions.add(Number(notice.result));
    const { params } = notice;
    if (this.factor === 1 || params === undefined || !this.#subscriptions.has(params.subscription)) return text;
    const { value } = params.result;
    const data = Buffer.from(value.data[0], "base64");
    data.writeBigUInt64LE(BigInt(Math.round(Number(data.readBigUInt64LE(AMOUNT_AT)) * this.factor)), AMOUNT_AT);
    value.data = [data.toString("base64"), "base64"];
    this.lies++;
    return JSON.stringify(notice);
  }
}
