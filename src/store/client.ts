/**
 * The door to ClickHouse: `@clickhouse/client` over HTTP. To the embedded engine on loopback it goes as user `app` with the
 * password that the engine's process made on its first start; the file is read when the first statement needs it, so a
 * Store may be made before the engine has ever run. To a server it goes with the user and password it is given.
 *
 * 64-bit integers come as decimal text, so that no lamport is lost; BigInt(text) gives the exact value.
 */
import { type ClickHouseClient, ClickHouseError, createClient } from "@clickhouse/client";
import { readJsonFile } from "#core/atomic-file.ts";
import { errorText, SandpiperError } from "#core/error.ts";
import { STORE_ERROR } from "./errors.ts";

export const DATABASE = "sandpiper";
const REQUEST_MS_MAX = 30_000;
const CONNECTIONS_MAX = 8;
/** Under the server's keep_alive_timeout of 1 s (clickhouse/config.xml), so that no closed socket is used again. */
const IDLE_SOCKET_MS_MAX = 500;

/** The embedded engine: its HTTP port on loopback and the file with {"app": password}. */
type EmbeddedStore = { readonly port: number; readonly secretPath: string };
/** A server of its own. */
type ServerStore = { readonly url: string; readonly user: string; readonly password: string };
export type StoreOptions = (EmbeddedStore | ServerStore) & {
  /** Reads tables as if merged (FINAL): for tables that may hold a row twice until then. */
  readonly final?: boolean;
};

type QueryParams = Readonly<Record<string, unknown>>;
/** What a setting of one statement may be. */
type Settings = Readonly<Record<string, string | number>>;

export interface Store {
  /** Rows as objects; `{name:Type}` in the text takes its value from `params`. */
  query<Row>(sql: string, params?: QueryParams, settings?: Settings): Promise<Row[]>;
  command(sql: string, params?: QueryParams): Promise<void>;
  /** One INSERT whose data is `body`, in the format that the statement names. */
  insertBytes(sql: string, body: Uint8Array, settings?: Settings): Promise<void>;
  /** True when ClickHouse answers and knows the password. */
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

export function connectStore(options: StoreOptions): Store {
  let client: ClickHouseClient | undefined;
  const connected = () => {
    if (client) return client;
    const { url, user, password } = serverOf(options);
    client = createClient({
      url,
      username: user,
      password,
      request_timeout: REQUEST_MS_MAX,
      max_open_connections: CONNECTIONS_MAX,
      keep_alive: { enabled: true, idle_socket_ttl: IDLE_SOCKET_MS_MAX },
      clickhouse_settings: {
        output_format_json_quote_64bit_integers: 1,
        wait_end_of_query: 1,
        ...(options.final ? { final: 1 } : {}),
      },
      log: { level: 127 },
    });
    return client;
  };
  const statement = async <T>(run: (client: ClickHouseClient) => Promise<T>): Promise<T> => {
    try {
      return await run(connected());
    } catch (thrown) {
      throw asStoreError(thrown);
    }
  };
  return {
    query: <Row>(sql: string, params?: QueryParams, settings?: Settings) =>
      statement(async (client) => {
        const result = await client.query({
          query: sql,
          format: "JSONEachRow",
          ...withParams(params),
          ...(settings ? { clickhouse_settings: settings as Record<string, string | number> } : {}),
        });
        return await result.json<Row>();
      }),
    command: (sql, params) =>
      statement(async (client) => {
        await client.command({ query: sql, ...withParams(params) });
      }),
    insertBytes: (sql, body, settings = {}) => insertBytes(options, sql, body, settings),
    ping: async () => {
      try {
        return (await connected().ping({ select: true })).success;
      } catch {
        return false;
      }
    },
    close: async () => {
      await client?.close();
      client = undefined;
    },
  };
}

const serverOf = (options: StoreOptions): ServerStore =>
  "url" in options
    ? options
    : { url: `http://127.0.0.1:${options.port}`, user: "app", password: readPassword(options.secretPath) };

const withParams = (params: QueryParams | undefined) => (params ? { query_params: { ...params } } : {});

function readPassword(path: string): string {
  const content = readJsonFile(path);
  const password = typeof content === "object" && content !== null && "app" in content ? content.app : undefined;
  if (typeof password === "string" && password !== "") return password;
  throw new SandpiperError(
    STORE_ERROR.secret,
    `Cannot reach the tables: the password of ClickHouse in ${path}, was ${content === undefined ? "no such file" : "something else"}`,
    "later",
  );
}

/** The client's insert() wants rows or a Node stream; bytes that are ready go in one plain request. */
async function insertBytes(options: StoreOptions, sql: string, body: Uint8Array, settings: Settings) {
  const search = new URLSearchParams({ query: sql, wait_end_of_query: "1" });
  for (const [name, value] of Object.entries(settings)) search.set(name, String(value));
  let response: Response;
  let text: string;
  try {
    const { url, user, password } = serverOf(options);
    response = await fetch(new URL(`?${search}`, url), {
      method: "POST",
      body: body as Uint8Array<ArrayBuffer>,
      headers: { "X-ClickHouse-User": user, "X-ClickHouse-Key": password },
      keepalive: false,
      signal: AbortSignal.timeout(REQUEST_MS_MAX),
    });
    text = await response.text();
  } catch (thrown) {
    throw asStoreError(thrown);
  }
  if (!response.ok) throw refusal(text, response.headers.get("x-clickhouse-exception-code") ?? "");
}

/**
 * ClickHouse's codes for a day that passes: timeout 159, too many queries 202, the same query id still running 216,
 * aborted 236, memory 241, disk 243, too many parts 252, cancelled 394.
 */
const PASSING_CODES = new Set(["159", "202", "216", "236", "241", "243", "252", "394"]);
/** Its codes for data that is not in its format: 27, 32, 33, 117 while parsing, 436 and 444 for protobuf. */
const DATA_CODES = new Set(["27", "32", "33", "117", "436", "444"]);

function refusal(text: string, code: string): SandpiperError {
  const passing = PASSING_CODES.has(code);
  const refused = DATA_CODES.has(code) ? STORE_ERROR.unreadable : STORE_ERROR.refused;
  return new SandpiperError(
    passing ? STORE_ERROR.unreachable : refused,
    `Cannot run a statement: what ClickHouse accepts, was ${text.replaceAll(/\s*\n\s*/g, " ").slice(0, 500)}`,
    passing ? "later" : "never",
  );
}

function asStoreError(thrown: unknown): SandpiperError {
  if (thrown instanceof SandpiperError) return thrown;
  if (thrown instanceof ClickHouseError) return refusal(`${thrown.type}: ${thrown.message}`, thrown.code);
  return new SandpiperError(
    STORE_ERROR.unreachable,
    `Cannot reach the tables: ClickHouse on its port, was ${errorText(thrown)}`,
    "later",
    { cause: thrown },
  );
}
