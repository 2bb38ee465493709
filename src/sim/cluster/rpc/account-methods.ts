/**
 * RPC methods about accounts and tokens. Accounts are always read from the slot being built, whatever commitment is asked
 * for: this cluster never takes a slot back. The context slot says which slot the commitment stands for.
 */
import type { Address } from "#core/units.ts";
import type { AccountState } from "#sim/cluster/cluster.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import {
  isTokenAccount,
  isTokenProgram,
  mintDecimals,
  readTokenAccount,
  TOKEN_2022_PROGRAM,
  TOKEN_PROGRAM,
  uiTokenAmount,
} from "#sim/cluster/token-balances.ts";
import { accountFilters, accountView, encodeAccount } from "./encode-account.ts";
import { invalidParams } from "./json-rpc.ts";
import type { RpcMethods } from "./methods.ts";
import { addressAt, addressOf, type Config, configAt, flagOf, listAt, wholeAt } from "./params.ts";

const MULTIPLE_ACCOUNTS_MAX = 100;
const SUPPLY_AT = 36;
/** Largest account the runtime allows. */
const ACCOUNT_BYTES_MAX = 10 * 1024 * 1024;

export const ACCOUNT_METHODS: RpcMethods = {
  getBalance: ({ cluster, context }, params) => {
    const address = addressAt(params, 0);
    return context(configAt(params, 1), cluster.account(address)?.lamports ?? 0n);
  },

  getAccountInfo: ({ cluster, context }, params) => {
    const address = addressAt(params, 0);
    const config = configAt(params, 1);
    return context(config, encoded(cluster, address, config));
  },

  getMultipleAccounts: ({ cluster, context }, params) => {
    const addresses = listAt(params, 0, MULTIPLE_ACCOUNTS_MAX).map(addressOf);
    const config = configAt(params, 1);
    const values = addresses.map((address) => encoded(cluster, address, config));
    return context(config, values);
  },

  getProgramAccounts: ({ cluster, context }, params) => {
    const program = addressAt(params, 0);
    const config = configAt(params, 1);
    const passes = accountFilters(config["filters"]);
    const found = cluster.programAccounts(program).filter(({ state }) => passes(state));
    const values = keyed(cluster, found, config);
    return flagOf(config["withContext"]) ? context(config, values) : values;
  },

  getMinimumBalanceForRentExemption: ({ cluster }, params) => {
    const bytes = wholeAt(params, 0);
    if (bytes > ACCOUNT_BYTES_MAX) throw invalidParams("Invalid params: account data is too large.");
    return cluster.minimumBalance(bytes);
  },

  getTokenAccountBalance: ({ cluster, context }, params) => {
    const state = cluster.account(addressAt(params, 0));
    if (state === undefined) throw invalidParams("Invalid param: could not find account");
    if (!isTokenAccount(state)) throw invalidParams("Invalid param: not a Token account");
    const { mint, amount } = readTokenAccount(state.data, cluster.book);
    return context(configAt(params, 1), uiTokenAmount(amount, decimalsOf(cluster, mint)));
  },

  getTokenSupply: ({ cluster, context }, params) => {
    const mint = addressAt(params, 0);
    const state = cluster.account(mint);
    const decimals = decimalsOf(cluster, mint);
    const data = state?.data ?? new Uint8Array(SUPPLY_AT + 8);
    const supply = new DataView(data.buffer, data.byteOffset, data.byteLength).getBigUint64(SUPPLY_AT, true);
    return context(configAt(params, 1), uiTokenAmount(supply, decimals));
  },

  getTokenAccountsByOwner: ({ cluster, context }, params) => {
    const owner = addressAt(params, 0);
    const { mint, programId } = configAt(params, 1);
    const config = configAt(params, 2);
    if ((mint === undefined) === (programId === undefined))
      throw invalidParams("Invalid params: exactly one of mint and programId is needed.");
    const wantedMint = mint === undefined ? undefined : addressOf(mint);
    const program = wantedMint === undefined ? addressOf(programId) : programOfMint(cluster, wantedMint);
    if (!isTokenProgram(program)) throw invalidParams("Invalid param: unrecognized Token program id");
    const found = cluster.programAccounts(program).filter(({ state }) => {
      if (!isTokenAccount(state)) return false;
      const account = readTokenAccount(state.data, cluster.book);
      return account.owner === owner && (wantedMint === undefined || account.mint === wantedMint);
    });
    return context(config, keyed(cluster, found, config));
  },
};

function encoded(cluster: LocalCluster, address: Address, config: Config): unknown {
  const view = accountView(config);
  const state = cluster.account(address);
  return state === undefined ? null : encodeAccount(state, view, cluster);
}

function keyed(
  cluster: LocalCluster,
  found: readonly { readonly address: Address; readonly state: AccountState }[],
  config: Config,
): unknown[] {
  const view = accountView(config);
  return found.map(({ address, state }) => ({ pubkey: address, account: encodeAccount(state, view, cluster) }));
}

function decimalsOf(cluster: LocalCluster, mint: Address): number {
  const state = cluster.account(mint);
  if (state === undefined) throw invalidParams("Invalid param: could not find mint");
  const decimals = mintDecimals(state);
  if (decimals === undefined || isTokenAccount(state)) throw invalidParams("Invalid param: not a Token mint");
  return decimals;
}

function programOfMint(cluster: LocalCluster, mint: Address): Address {
  decimalsOf(cluster, mint);
  return cluster.account(mint)?.owner === TOKEN_2022_PROGRAM ? TOKEN_2022_PROGRAM : TOKEN_PROGRAM;
}
