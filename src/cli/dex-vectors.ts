/**
 * The files of `judge dex`: executions of the deployed programs on recorded accounts, read without trust. A pool file has
 * `pool`, `vectors` and `sandwich_sequences`; a route file has `pools`, `mints` and `routes` (docs/judges.md).
 */
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { decodeBase64 } from "#dex/bytes.ts";
import type { AccountBytes, AccountSet, ChainTime, SwapOrder } from "#dex/venue.ts";
import { CLI_ERROR } from "./errors.ts";

/** Field names and integers, as the program's execution left them. */
export type Figures = readonly (readonly [name: string, value: bigint])[];

export type Swap = {
  /** True where token A of the file comes in. */
  readonly aToB: boolean;
  readonly mode: SwapOrder["mode"];
  readonly amount: bigint;
  /** What the program did; undefined when it refused. */
  readonly done: { readonly amountIn: bigint; readonly amountOut: bigint; readonly post: Figures } | undefined;
  /** The program's error as the file words it. */
  readonly error: string;
};

export type Sequence = {
  readonly legs: readonly Swap[];
  readonly victimSoloOut: bigint | undefined;
  readonly post: Figures;
};

export type Route = {
  readonly amountIn: bigint;
  readonly amountOut: bigint | undefined;
  readonly hops: readonly {
    readonly from: Address;
    readonly to: Address;
    /** Undefined where the program refused. */
    readonly amountOut: bigint | undefined;
  }[];
};

type Recorded = { readonly accounts: AccountSet; readonly time: ChainTime };
export type PoolFile = Recorded & {
  readonly kind: "pool";
  readonly pool: Address;
  readonly tokens: readonly [Address, Address];
  readonly initial: Figures;
  readonly swaps: readonly Swap[];
  readonly sequences: readonly Sequence[];
};
export type RouteFile = Recorded & {
  readonly kind: "route";
  readonly pools: readonly Address[];
  readonly routes: readonly Route[];
};

type Json = Readonly<Record<string, unknown>>;

/** Throws a SandpiperError that says where the text is not of the format. */
export function readDexVectors(text: string): PoolFile | RouteFile {
  const file = record(JSON.parse(text, exactIntegers), "the file");
  const clock = record(file["clock"], "clock");
  const recorded = {
    accounts: accountSet(list(file["accounts"], "accounts")),
    time: {
      slot: integer(clock["slot"], "clock.slot"),
      epoch: integer(clock["epoch"], "clock.epoch"),
      unixSeconds: integer(clock["ts"], "clock.ts"),
    },
  };
  if (file["routes"] !== undefined) return { ...recorded, ...routeFile(file) };
  return {
    ...recorded,
    kind: "pool",
    pool: address(file["pool"], "pool"),
    tokens: [address(file["token_A"], "token_A"), address(file["token_B"], "token_B")],
    initial: figures(file["initial_state"] ?? {}, "initial_state"),
    swaps: list(file["vectors"], "vectors").map((item, i) => swap(item, `vectors[${i}]`)),
    sequences: list(file["sandwich_sequences"] ?? [], "sandwich_sequences").map(sequence),
  };
}

/** Integers beyond a double's reach stay as they are written. */
function exactIntegers(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const exact = typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value);
  return exact ? value : context?.source;
}

function routeFile(file: Json): Pick<RouteFile, "kind" | "pools" | "routes"> {
  const mints = record(file["mints"], "mints");
  const mint = (label: unknown, place: string) => address(mints[string(label, place)], `mints, named by ${place}`);
  return {
    kind: "route",
    pools: Object.entries(record(file["pools"], "pools")).map(([name, pool]) => address(pool, `pools.${name}`)),
    routes: list(file["routes"], "routes").map((item, i) => {
      const route = record(item, `routes[${i}]`);
      return {
        amountIn: integer(route["amount_in"], `routes[${i}].amount_in`),
        amountOut: route["ok"] === true ? integer(route["amount_out"], `routes[${i}].amount_out`) : undefined,
        hops: list(route["hops"], `routes[${i}].hops`).map((step, j) => {
          const place = `routes[${i}].hops[${j}]`;
          const hop = record(step, place);
          return {
            from: mint(hop["from"], `${place}.from`),
            to: mint(hop["to"], `${place}.to`),
            amountOut: hop["ok"] === true ? integer(hop["out"], `${place}.out`) : undefined,
          };
        }),
      };
    }),
  };
}

function sequence(item: unknown, index: number): Sequence {
  const place = `sandwich_sequences[${index}]`;
  const steps = record(item, place);
  const solo = steps["victim_solo_out"];
  return {
    legs: ["front", "victim", "back"].map((leg) => swap(steps[leg], `${place}.${leg}`)),
    victimSoloOut: solo === undefined || solo === null ? undefined : integer(solo, `${place}.victim_solo_out`),
    post: figures(steps["post"] ?? {}, `${place}.post`),
  };
}

function swap(item: unknown, place: string): Swap {
  const vector = record(item, place);
  const done = vector["ok"] === true;
  return {
    aToB: oneOf(vector["dir"], ["AtoB", "BtoA"], `${place}.dir`) === "AtoB",
    mode: oneOf(vector["mode"], ["exactIn", "exactOut"], `${place}.mode`) === "exactIn" ? "exact-in" : "exact-out",
    amount: integer(vector["amount"], `${place}.amount`),
    done: done
      ? {
          amountIn: integer(vector["in"], `${place}.in`),
          amountOut: integer(vector["out"], `${place}.out`),
          post: figures(vector["post"] ?? {}, `${place}.post`),
        }
      : undefined,
    error: done ? "" : `${vector["err"] ?? ""} ${vector["log"] ?? ""}`.trim(),
  };
}

function accountSet(items: readonly unknown[]): AccountSet {
  const accounts = new Map<Address, AccountBytes>();
  items.forEach((item, i) => {
    const account = record(item, `accounts[${i}]`);
    const data = decodeBase64(string(account["data"], `accounts[${i}].data`));
    if (data === undefined) throw unreadable(`accounts[${i}].data`, "base64", account["data"]);
    accounts.set(address(account["pubkey"], `accounts[${i}].pubkey`), {
      owner: address(account["owner"], `accounts[${i}].owner`),
      data,
    });
  });
  return accounts;
}

const figures = (item: unknown, place: string): Figures =>
  Object.entries(record(item, place)).map(([name, value]) => [name, integer(value, `${place}.${name}`)] as const);

function record(item: unknown, place: string): Json {
  if (typeof item !== "object" || item === null || Array.isArray(item)) throw unreadable(place, "an object", item);
  return item as Json;
}

function list(item: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(item)) throw unreadable(place, "a list", item);
  return item;
}

function string(item: unknown, place: string): string {
  if (typeof item !== "string") throw unreadable(place, "a text", item);
  return item;
}

function address(item: unknown, place: string): Address {
  if (typeof item !== "string" || !/^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(item))
    throw unreadable(place, "an address in base58", item);
  return item as Address;
}

function integer(item: unknown, place: string): bigint {
  if (typeof item === "number" && Number.isSafeInteger(item)) return BigInt(item);
  if (typeof item === "string" && /^-?\d{1,80}$/.test(item)) return BigInt(item);
  throw unreadable(place, "a whole number", item);
}

function oneOf(item: unknown, words: readonly string[], place: string): string {
  if (typeof item === "string" && words.includes(item)) return item;
  throw unreadable(place, words.join(" or "), item);
}

function unreadable(place: string, want: string, was: unknown): SandpiperError {
  const text = JSON.stringify(was)?.slice(0, 80) ?? "missing";
  return new SandpiperError(CLI_ERROR.vectors, `Cannot read vectors: ${place} must be ${want}, was ${text}`);
}
