/**
 * The WebSocket door: Solana's PubSub on loopback, as Agave speaks it, and geyserSubscribe beside it. A socket that does
 * not read is closed once its backlog is full, and counted; nobody else waits for it.
 */
import type { Server, ServerWebSocket } from "bun";
import type { Clock } from "#core/clock.ts";
import type { LocalCluster } from "./local-cluster.ts";
import { DOOR_HOST, openDoor } from "./open-door.ts";
import { answerText, invalidParams, jsonText, type RpcHandler } from "./rpc/json-rpc.ts";
import { wholeAt } from "./rpc/params.ts";
import { accountSubscribe, logsSubscribe, programSubscribe } from "./socket/account-subscriptions.ts";
import {
  blockSubscribe,
  rootSubscribe,
  signatureSubscribe,
  slotSubscribe,
  slotsUpdatesSubscribe,
} from "./socket/chain-subscriptions.ts";
import { geyserSubscribe } from "./socket/geyser-subscription.ts";
import type { SocketCounters, Subscribe, Subscription } from "./socket/subscription.ts";

/** Bytes that may wait for a client to read them. */
const BACKLOG_BYTES_MAX = 16 * 1024 * 1024;
const MESSAGE_BYTES_MAX = 1024 * 1024;
const SUBSCRIPTIONS_MAX = 10_000;
/** WebSocket close code "try again later". */
const CLOSE_SLOW = 1013;

const KINDS: Readonly<Record<string, Subscribe>> = {
  account: accountSubscribe,
  program: programSubscribe,
  logs: logsSubscribe,
  signature: signatureSubscribe,
  slot: slotSubscribe,
  slotsUpdates: slotsUpdatesSubscribe,
  root: rootSubscribe,
  block: blockSubscribe,
  geyser: geyserSubscribe,
};

export type SocketDoorOptions = {
  /** 0 takes a free port. */
  readonly port: number;
  readonly clock: Clock;
  readonly backlogBytesMax?: number;
};
export type SocketDoor = {
  readonly port: number;
  readonly url: string;
  readonly counters: Readonly<SocketCounters>;
  /** Subscriptions of all sockets. */
  readonly subscriptions: number;
  stop(): Promise<void>;
};

/** Throws a SandpiperError when the port is taken. */
export function startSocketDoor(cluster: LocalCluster, options: SocketDoorOptions): SocketDoor {
  const door = new Door(cluster, options);
  return {
    port: door.port,
    url: `ws://${DOOR_HOST}:${door.port}`,
    counters: door.counters,
    get subscriptions() {
      return door.open.size;
    },
    stop: () => door.stop(),
  };
}

type Socket = ServerWebSocket<{ readonly numbers: Set<number> }>;
type Open = Subscription & { readonly kind: string };

class Door {
  readonly counters: SocketCounters = { noticesDropped: 0, slowSocketsClosed: 0 };
  readonly open = new Map<number, Open>();
  readonly port: number;
  readonly #cluster: LocalCluster;
  readonly #clock: Clock;
  readonly #server: Server<{ readonly numbers: Set<number> }>;
  readonly #unhook: readonly (() => void)[];
  #lastNumber = 0;

  constructor(cluster: LocalCluster, { port, clock, backlogBytesMax = BACKLOG_BYTES_MAX }: SocketDoorOptions) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#server = openDoor("WebSocket door", port, () =>
      Bun.serve({
        hostname: DOOR_HOST,
        port,
        fetch: (request, server) =>
          server.upgrade(request, { data: { numbers: new Set<number>() } })
            ? undefined
            : new Response("A WebSocket is served here.\n", { status: 426 }),
        websocket: {
          data: {} as { readonly numbers: Set<number> },
          backpressureLimit: backlogBytesMax,
          maxPayloadLength: MESSAGE_BYTES_MAX,
          message: (socket, message) => this.#hear(socket, String(message)),
          close: (socket) => {
            for (const number of socket.data.numbers) this.open.delete(number);
          },
        },
      }),
    );
    this.port = this.#server.port ?? port;
    this.#unhook = [
      cluster.onTransaction((transaction) => {
        for (const { onTransaction } of this.open.values()) onTransaction?.(transaction);
      }),
      cluster.onAccounts((accounts) => {
        for (const { onAccounts } of this.open.values()) onAccounts?.(accounts);
      }),
      cluster.onSlot((slot) => {
        for (const { onSlot } of this.open.values()) onSlot?.(slot);
      }),
    ];
  }

  async stop(): Promise<void> {
    for (const unhook of this.#unhook) unhook();
    this.open.clear();
    await this.#server.stop(true);
  }

  #hear(socket: Socket, text: string): void {
    const fresh: Open[] = [];
    const handle: RpcHandler = (method, params) => {
      const [, kind = "", verb] = /^([A-Za-z]+?)(Subscribe|Unsubscribe)$/.exec(method) ?? [];
      const subscribe = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
      if (subscribe === undefined) return undefined;
      if (verb === "Unsubscribe") return { result: this.#unsubscribe(socket, kind, params) };
      const number = this.#subscribe(socket, kind, subscribe, params);
      const opened = this.open.get(number);
      if (opened !== undefined) fresh.push(opened);
      return { result: number };
    };
    const answered = answerText(text, handle);
    if (answered !== undefined) this.#send(socket, answered);
    for (const { start } of fresh) start?.();
  }

  #subscribe(socket: Socket, kind: string, subscribe: Subscribe, params: readonly unknown[]): number {
    const { numbers } = socket.data;
    if (numbers.size >= SUBSCRIPTIONS_MAX) throw invalidParams(`Too many subscriptions; max ${SUBSCRIPTIONS_MAX}`);
    const number = ++this.#lastNumber;
    const close = (): void => {
      this.open.delete(number);
      numbers.delete(number);
    };
    const context = {
      cluster: this.#cluster,
      clock: this.#clock,
      counters: this.counters,
      notify: (result: unknown) =>
        this.#send(
          socket,
          jsonText({ jsonrpc: "2.0", method: `${kind}Notification`, params: { result, subscription: number } }),
        ),
      end: close,
    };
    this.open.set(number, { ...subscribe(context, params), kind });
    numbers.add(number);
    return number;
  }

  #unsubscribe(socket: Socket, kind: string, params: readonly unknown[]): true {
    const number = wholeAt(params, 0);
    if (!socket.data.numbers.has(number) || this.open.get(number)?.kind !== kind)
      throw invalidParams("Invalid subscription id.");
    this.open.delete(number);
    socket.data.numbers.delete(number);
    return true;
  }

  #send(socket: Socket, text: string): void {
    if (socket.readyState !== WebSocket.OPEN || socket.send(text) !== 0) return;
    // The backlog is full and this text was not taken: a gap would be worse than an end.
    this.counters.slowSocketsClosed++;
    for (const number of socket.data.numbers) this.open.delete(number);
    socket.data.numbers.clear();
    socket.close(CLOSE_SLOW, "too slow");
  }
}
