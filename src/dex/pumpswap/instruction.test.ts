/** The trade's accounts and bytes against a buy that mainnet executed, and on a pool made up by hand. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Address } from "#core/units.ts";
import { GOLDEN_VECTORS, SHARED_DATA } from "#dex/test-data.ts";
import { decodePumpSwapTrade } from "./decode.ts";
import { type PumpSwapRequest, pumpSwapInstruction } from "./instruction.ts";
import { loadPumpSwap, type PumpSwapState } from "./state.ts";

const EXECUTED = join(SHARED_DATA, "sol-trade-sdk-fixtures/pumpswap_ttwo.json");
const ROUTE = join(GOLDEN_VECTORS, "route__NX-TTW-USDC-SOL.json");
const there = existsSync(EXECUTED);
if (!there) console.warn(`SKIPPED: an executed PumpSwap buy: not found at ${SHARED_DATA}`);

function realState(): PumpSwapState {
  const { accounts, pools } = JSON.parse(readFileSync(ROUTE, "utf8")) as {
    accounts: { pubkey: Address; owner: Address; data: string }[];
    pools: { pumpswap: Address };
  };
  const set = new Map(
    accounts.map(({ pubkey, owner, data }) => [pubkey, { owner, data: new Uint8Array(Buffer.from(data, "base64")) }]),
  );
  const state = loadPumpSwap(pools.pumpswap, set);
  if (!state.ok) throw state.error;
  return state.value;
}

/** The mainnet buy's own choices. */
function requestOf(accounts: readonly Address[], state: PumpSwapState): PumpSwapRequest {
  const [owner, base, quote] = [accounts[1], accounts[5], accounts[6]] as [Address, Address, Address];
  return {
    owner,
    ownerAccounts: [base, quote],
    inputSide: 1,
    mode: "exact-out",
    amount: 5n,
    otherAmountThreshold: 9n,
    recipientIndex: state.global.protocolFeeRecipients.indexOf(accounts[9] as Address),
  };
}

describe.skipIf(!there)("pumpSwapInstruction()", () => {
  const executed = there ? (JSON.parse(readFileSync(EXECUTED, "utf8")) as { accounts: Address[] }).accounts : [];
  const built = (change: Partial<PumpSwapRequest>, pool: Partial<PumpSwapState["pool"]> = {}) => {
    const state = realState();
    const request = requestOf(executed, state);
    return pumpSwapInstruction({ ...state, pool: { ...state.pool, ...pool } }, { ...request, ...change });
  };

  test("names the accounts of a buy that mainnet executed", () => {
    const state = realState();
    const { protocolFeeRecipients, buybackFeeRecipients } = state.global;
    const at = requestOf(executed, state).recipientIndex;
    const accounts = built({}).accounts.map(({ address }) => address);
    // That buy took the eighth recipient of both lists.
    expect([protocolFeeRecipients[at], buybackFeeRecipients[at]]).toEqual([executed[9], executed[24]] as Address[]);
    expect(accounts).toEqual(executed);
  });

  test.each([
    ["a sell", { inputSide: 0, mode: "exact-in" }, {}, 24, "sell"],
    ["an exact quote in", { mode: "exact-in" }, {}, 26, "buyExactQuoteIn"],
    ["a buy of a cashback coin", {}, { isCashbackCoin: true }, 27, "buy"],
    ["a sell of a cashback coin", { inputSide: 0, mode: "exact-in" }, { isCashbackCoin: true }, 26, "sell"],
    ["a buy where nobody is the creator", {}, { coinCreator: undefined }, 25, "buy"],
  ] as const)("writes %s that its decoder reads back", (_, change, pool, count, kind) => {
    const { accounts, data } = built(change, pool);
    expect(accounts).toHaveLength(count);
    const trade = decodePumpSwapTrade(
      data,
      accounts.map(({ address }) => address),
    );
    expect(trade.ok && trade.value).toMatchObject({ kind, exactAmount: 5n, boundAmount: 9n });
    expect(accounts.filter(({ signer }) => signer).map(({ address }) => address)).toEqual([executed[1]] as Address[]);
  });

  test("refuses a recipient that the config does not have", () => {
    expect(() => built({ recipientIndex: 8 })).toThrow("only 8 of them");
  });
});
