/** All accounts of CP-Swap and CLMM that make prices, and their pools' vaults, over JSON-RPC: what a feed starts from. */
import type { Address } from "#core/units.ts";
import { addressBytes, decodeBase64, startsWith } from "#dex/bytes.ts";
import { RAYDIUM_CLMM_PROGRAM, RAYDIUM_CPMM_PROGRAM } from "#dex/program-addresses.ts";
import { decodePoolState as decodeClmmPool } from "#dex/raydium-clmm/decode.ts";
import { CLMM_DISCRIMINATOR, CLMM_POOL_PARTS } from "#dex/raydium-clmm/layout.ts";
import { decodePoolState as decodeCpmmPool } from "#dex/raydium-cpmm/decode.ts";
import { CPMM_DISCRIMINATOR } from "#dex/raydium-cpmm/layout.ts";
import type { Walker } from "./json-walker.ts";
import type { RpcNode } from "./live/rpc-node.ts";
import type { AccountWrite } from "./source.ts";

/** As many as `getMultipleAccounts` takes. */
const ACCOUNTS_PER_CALL = 100;
const KINDS = [
  [RAYDIUM_CPMM_PROGRAM, CPMM_DISCRIMINATOR.ammConfig],
  [RAYDIUM_CPMM_PROGRAM, CPMM_DISCRIMINATOR.poolState],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.ammConfig],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.poolState],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.tickArrayState],
  [RAYDIUM_CLMM_PROGRAM, CLMM_DISCRIMINATOR.tickArrayBitmapExtension],
] as const;

export type RpcSnapshot = { readonly slot: bigint; readonly accounts: readonly AccountWrite[] };

/**
 * Of the pools named, or of all there are. Throws a SandpiperError when the node is away or answers something else.
 */
export async function readRpcSnapshot(
  node: RpcNode,
  commitment = "processed",
  pools?: readonly Address[],
): Promise<RpcSnapshot> {
  const slot = (await node.call("getSlot", [{ commitment }])).whole();
  const accounts =
    pools === undefined ? await readPrograms(node, commitment) : await readPools(node, commitment, pools);
  const further = await readAccounts(node, accounts.flatMap(furtherAccounts), commitment);
  return { slot: BigInt(slot), accounts: [...accounts, ...further.accounts] };
}

async function readPrograms(node: RpcNode, commitment: string): Promise<AccountWrite[]> {
  const accounts: AccountWrite[] = [];
  // Observations are the bulk of the programs' accounts and no part of a price: ask by kind.
  for (const [program, discriminator] of KINDS)
    accounts.push(...(await readKind(node, commitment, program, [{ offset: 0, bytes: discriminator }])));
  return accounts;
}

/** These pools with their configs and ticks: a program may have more accounts than anybody wants to read. */
async function readPools(node: RpcNode, commitment: string, pools: readonly Address[]): Promise<AccountWrite[]> {
  const { accounts } = await readAccounts(node, pools, commitment);
  const configs = new Set(accounts.flatMap((account) => configOf(account) ?? []));
  const found = [...accounts, ...(await readAccounts(node, [...configs], commitment)).accounts];
  for (const { address } of accounts.filter(({ owner }) => owner === RAYDIUM_CLMM_PROGRAM))
    for (const [kind, offset] of CLMM_POOL_PARTS) {
      const own = [
        { offset: 0, bytes: kind },
        { offset, bytes: addressBytes(address) },
      ];
      found.push(...(await readKind(node, commitment, RAYDIUM_CLMM_PROGRAM, own)));
    }
  return found;
}

type AccountBytes = { readonly offset: number; readonly bytes: readonly number[] | Uint8Array };

/** The accounts of a program that have these bytes. */
async function readKind(
  node: RpcNode,
  commitment: string,
  program: Address,
  wanted: readonly AccountBytes[],
): Promise<AccountWrite[]> {
  const filters = wanted.map(({ offset, bytes }) => ({
    memcmp: { offset, bytes: Buffer.from(bytes).toString("base64"), encoding: "base64" },
  }));
  const found = await node.call("getProgramAccounts", [program, { encoding: "base64", commitment, filters }]);
  return found.list().map((item) => readAccount(item.at("pubkey").text() as Address, item.at("account")));
}

function configOf({ owner, data }: AccountWrite): Address | undefined {
  const state = owner === RAYDIUM_CPMM_PROGRAM ? decodeCpmmPool(data) : decodeClmmPool(data);
  return state.ok ? state.value.ammConfig : undefined;
}

/** These accounts, those of them that exist, and the newest slot that any answer was of. */
export async function readAccounts(
  node: RpcNode,
  addresses: readonly Address[],
  commitment = "processed",
): Promise<RpcSnapshot> {
  const accounts: AccountWrite[] = [];
  let slot = 0;
  for (let i = 0; i < addresses.length; i += ACCOUNTS_PER_CALL) {
    const some = addresses.slice(i, i + ACCOUNTS_PER_CALL);
    const answer = await node.call("getMultipleAccounts", [some, { encoding: "base64", commitment }]);
    slot = Math.max(slot, answer.at("context").at("slot").whole());
    answer
      .at("value")
      .list()
      .forEach((value, at) => {
        const address = some[at];
        if (value.value !== null && address !== undefined) accounts.push(readAccount(address, value));
      });
  }
  return { slot: BigInt(slot), accounts };
}

/** Whether an account is of a kind that a snapshot holds. */
export const makesPrices = ({ owner, data }: AccountWrite): boolean =>
  KINDS.some(([program, discriminator]) => owner === program && startsWith(data, discriminator));

/** What a pool names and no price can do without: its vaults, and the observations that tell a CLMM pool's build. */
export function furtherAccounts({ owner, data }: AccountWrite): readonly Address[] {
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
