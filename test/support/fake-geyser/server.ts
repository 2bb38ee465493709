/**
 * A Yellowstone gRPC server for tests, in a process of its own under Node (Bun's HTTP/2 server breaks long streams). It
 * knows no chain: lines of JSON on stdin say what happened, bytes and all; it keeps them, filters them as a client asked,
 * goes on from a slot, answers pings, and misbehaves when told to.
 *
 *   {"update": {slot, kind, bytes, keys, owner?, failed?, commitment?}}   {"break": true}   {"forget": true}
 *   {"silent": true|false}   {"blockhash": "…"}
 */
import { createInterface } from "node:readline";
import * as grpc from "@grpc/grpc-js";
import {
  GetLatestBlockhashRequest,
  GetLatestBlockhashResponse,
  GetVersionRequest,
  GetVersionResponse,
  PingRequest,
  PongResponse,
  SubscribeRequest,
  SubscribeUpdate,
} from "@triton-one/yellowstone-grpc";

type Kind = "account" | "transaction" | "slot" | "blockMeta" | "entry";
export type FakeUpdate = {
  readonly slot: number;
  readonly kind: Kind;
  /** A SubscribeUpdate without its filters, base64. */
  readonly bytes: string;
  /** Of a transaction: its keys; of an account: its address. */
  readonly keys: readonly string[];
  readonly owner?: string;
  readonly failed?: boolean;
  /** Of a slot: 0 processed, 1 confirmed, 2 finalized; others go to everybody who asked for them. */
  readonly commitment?: number;
};
export type FakeCommand =
  | { readonly update: FakeUpdate }
  | { readonly break: true }
  | { readonly forget: true }
  | { readonly silent: boolean }
  | { readonly blockhash: string };

/** Updates that the server can still send again. */
const KEPT_MAX = 200_000;
const kept: FakeUpdate[] = [];
let [silent, blockhash] = [false, ""];
/** Requests seen, for tests to look at. */
let subscriptions = 0;

type Call = grpc.ServerDuplexStream<SubscribeRequest, Buffer>;
type Client = { readonly call: Call; request: SubscribeRequest | undefined };
const clients = new Set<Client>();

function namesOf(request: SubscribeRequest, update: FakeUpdate): string[] {
  const { kind, keys, owner } = update;
  if (kind === "account")
    return named(
      request.accounts,
      ({ account, owner: owners }) =>
        account.length + owners.length === 0 ||
        account.some((one) => keys.includes(one)) ||
        owners.includes(owner ?? ""),
    );
  if (kind === "transaction")
    return named(
      request.transactions,
      ({ accountInclude, failed }) =>
        (failed !== false || update.failed !== true) &&
        (accountInclude.length === 0 || accountInclude.some((one) => keys.includes(one))),
    );
  if (kind === "slot") return named(request.slots, () => true);
  if (kind === "blockMeta") return named(request.blocksMeta, () => true);
  return named(request.entry, () => true);
}

const named = <Filter>(filters: { readonly [name: string]: Filter }, passes: (filter: Filter) => boolean): string[] =>
  Object.entries(filters).flatMap(([name, filter]) => (passes(filter) ? [name] : []));

/** Field 1 of SubscribeUpdate, put behind the rest: protobuf does not mind the order. */
function withFilters(bytes: string, names: readonly string[]): Buffer {
  const parts = names.flatMap((name) => [Buffer.from([0x0a, name.length]), Buffer.from(name)]);
  return Buffer.concat([Buffer.from(bytes, "base64"), ...parts]);
}

function send({ call, request }: Client, update: FakeUpdate): void {
  if (silent || request === undefined || call.destroyed) return;
  const names = namesOf(request, update);
  if (names.length > 0) call.write(withFilters(update.bytes, names));
}

function subscribe(call: Call): void {
  const client: Client = { call, request: undefined };
  clients.add(client);
  const gone = () => void clients.delete(client);
  call.on("data", (request: SubscribeRequest) => {
    if (request.ping !== undefined) {
      call.write(updateBytes({ pong: { id: request.ping.id } }));
      return;
    }
    subscriptions++;
    client.request = request;
    const from = request.fromSlot === undefined ? undefined : Number(request.fromSlot);
    if (from === undefined) return;
    const first = kept[0]?.slot ?? Number.POSITIVE_INFINITY;
    // As Yellowstone refuses a slot that it no longer has.
    if (from < first)
      fail(call, grpc.status.DATA_LOSS, `broadcast from ${from} is not available, last available: ${first}`);
    else for (const update of kept) if (update.slot >= from) send(client, update);
  });
  call.on("end", () => {
    gone();
    call.end();
  });
  call.on("error", gone);
  call.on("cancelled", gone);
}

/** Ends a stream with a status, as grpc-js wants to be told. */
function fail(call: Call, code: grpc.status, text: string): void {
  call.emit("error", Object.assign(new Error(text), { code, details: text }));
}

const updateBytes = (fields: object): Buffer =>
  Buffer.from(SubscribeUpdate.encode(SubscribeUpdate.fromPartial({ ...fields, createdAt: new Date() })).finish());

/** One method of the service by its two message types; stream responses are bytes already. */
const method = (name: string, request: { decode(bytes: Uint8Array): unknown }, stream: boolean) => ({
  path: `/geyser.Geyser/${name}`,
  requestStream: stream,
  responseStream: stream,
  requestSerialize: (value: Buffer) => value,
  requestDeserialize: (bytes: Buffer) => request.decode(bytes),
  responseSerialize: (value: Buffer) => value,
  responseDeserialize: (bytes: Buffer) => bytes,
});

type Unary = (call: unknown, answer: (error: null, bytes: Buffer) => void) => void;
const unary =
  (make: () => Uint8Array): Unary =>
  (_call, answer) =>
    answer(null, Buffer.from(make()));

const server = new grpc.Server();
server.addService(
  {
    Subscribe: method("Subscribe", SubscribeRequest, true),
    Ping: method("Ping", PingRequest, false),
    GetVersion: method("GetVersion", GetVersionRequest, false),
    GetLatestBlockhash: method("GetLatestBlockhash", GetLatestBlockhashRequest, false),
  } as unknown as grpc.ServiceDefinition,
  {
    Subscribe: subscribe,
    Ping: unary(() => PongResponse.encode({ count: 1 }).finish()),
    GetVersion: unary(() => GetVersionResponse.encode({ version: '{"version":"fake"}' }).finish()),
    GetLatestBlockhash: unary(() =>
      GetLatestBlockhashResponse.encode({ slot: "0", blockhash, lastValidBlockHeight: "0" }).finish(),
    ),
  } as unknown as grpc.UntypedServiceImplementation,
);

function obey(command: FakeCommand): void {
  if ("update" in command) {
    kept.push(command.update);
    if (kept.length > KEPT_MAX) kept.splice(0, KEPT_MAX / 2);
    for (const client of clients) send(client, command.update);
  } else if ("break" in command)
    for (const { call } of clients) fail(call, grpc.status.UNAVAILABLE, "broken for a test");
  else if ("forget" in command) kept.length = 0;
  else if ("silent" in command) silent = command.silent;
  else blockhash = command.blockhash;
}

server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${JSON.stringify({ port })}\n`);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => obey(JSON.parse(line)));
  // The test is gone: so is its server.
  lines.on("close", () => process.exit(0));
});
setInterval(() => process.stdout.write(`${JSON.stringify({ clients: clients.size, subscriptions })}\n`), 50).unref();
