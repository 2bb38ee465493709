/** All accounts of CP-Swap and CLMM that make prices, and their pools' vaults, over JSON-RPC: what a feed starts from. */
import { SandpiperError } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import { decodeBase64, startsWith } from "#dex/bytes.ts";
import { RAYDIUM_CLMM_PROGRAM, RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { decodePoolState as decodeClmmPool } from "#dex/raydium-clmm/decode.ts";
import { CLMM_DISCRIMINATOR } from "#dex/raydium-clmm/layout.ts";
import { decodePoolState as decodeCpmmPool } from "#dex/raydium-cpmm/decode.ts";
import { CPMM_DISCRIMINATOR } from "#dex/raydium-cpmm/layout.ts";
import { MARKET_ERROR } from "./errors.ts";
import { type Refuse, Walker } from "./json-walker.ts";
import type { AccountWrite } from "./source.ts";

/** As many as `getMultipleAccounts` takes. */
const ACCOUNTS_PER_CALL = 100;
const CALL_MS_MAX = 10_000;
const KINDS = [
  [RAYDIUM_CPMM_PROGRAM, CPMM_DISCRIMINATOR.ammConfig],
  [RAYDIUM_CPMM_PROGRAM, CPMM_DISCRIMINATOR.poolState],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.ammConfig],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.poolState],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.tickArrayState],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.tickArrayBitmapExtension],
] as const;

export type RpcSnapshot = { readonly slot: bigint; readonly accounts: readonly AccountWrite[] };

/** Throws a SandpiperError when the RPC is away or answers something else. */
export async function readRpcSnapshot(url: string): Promise<RpcSnapshot> {
  const slot = (await call(url, "getSlot", [{ commitment: "processed" }])).whole();
  const accounts: AccountWrite[] = [];
  // Observations are the bulk of the programs' accounts and no part of a price: ask by kind.
  for (const [program, discriminator] of KINDS) {
    const bytes = Buffer.from(discriminator).toString("base64");
    const filters = [{ memcmp: { offset: 0, bytes, encoding: "base64" } }];
    const found = await call(url, "getProgramAccounts", [
      program,
      { encoding: "base64", commitment: "processed", filters },
    ]);
    for (const item of found.list())
      accounts.push(readAccount(item.at("pubkey").text() as Address, item.at("account")));
  }
  const further = accounts.flatMap(furtherAccounts);
  for (let i = 0; i < further.length; i += ACCOUNTS_PER_CALL) {
    const some = further.slice(i, i + ACCOUNTS_PER_CALL);
    const values = await call(url, "getMultipleAccounts", [some, { encoding: "base64", commitment: "processed" }]);
    values
      .at("value")
      .list()
      .forEach((value, at) => {
        const address = some[at];
        if (value.value !== null && address !== undefined) accounts.push(readAccount(address, value));
      });
  }
  return { slot: BigInt(slot), accounts };
}

/** What a pool names and no price can do without: its vaults, and the observations that tell a CLMM pool's build. */
function furtherAccounts({ owner, data }: AccountWrite): readonly Address[] {
  if (owner === RAYDIUM_CPMM_PROGRAM && startsWith(data, CPMM_DISCRIMINATOR.poolState)) {
    const state = decodeCpmmPool(data);
    return state.ok ? state.value.vaults : [];
  }
  if (owner === RAYDIUM_CLMM_PROGRAM && startsWith(data, CLMM_DISCRIMINATOR.poolState)) {
    const state = decodeClmmPool(data);
    return state.ok ? [...state.value.vaults, state.value.observationState] : [];
  }
  return [];
}

function readAccount(address: Address, account: Walker): AccountWrite {
  const [data] = account.at("data").list();
  const bytes = data && decodeBase64(data.text());
  return { address, owner: account.at("owner").text() as Address, data: bytes ?? account.fail("base64 data") };
}

async function call(url: string, method: string, params: unknown): Promise<Walker> {
  const refuse: Refuse = (place, want, was) => {
    throw new SandpiperError(
      MARKET_ERROR.message,
      `Cannot take a snapshot from ${url}: ${place} to be ${want}, was ${was}`,
      "later",
    );
  };
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(CALL_MS_MAX),
  });
  return new Walker(await response.json(), `the answer to ${method}`, refuse).at("result");
}
