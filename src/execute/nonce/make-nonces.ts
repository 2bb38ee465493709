/** Makes a wallet's nonce accounts. Each keeps its rent (1,447,680 lamports on mainnet) until somebody withdraws it. */
import { SandpiperError } from "#core/error.ts";
import { EXECUTE_ERROR } from "#execute/errors.ts";
import type { Keypair } from "#execute/keypair.ts";
import { compileMessage } from "#execute/message.ts";
import { field, type Rpc, whole } from "#execute/rpc.ts";
import { signTransaction } from "#execute/transaction.ts";
import { createNonceAccount, NONCE_ACCOUNT_BYTES, nonceAddress } from "./nonce-account.ts";
import { readNonces } from "./read-nonces.ts";

/** Longer than the blockhash of the transactions lives: what is not there then will never be. */
const WAIT_MS = 500;
const WAITS_MAX = 180;

/**
 * Makes those of the first `count` accounts that are not there and waits until the cluster has confirmed them. Answers how
 * many it made; a second call makes none. Throws a SandpiperError with what the cluster said.
 */
export async function makeNonces(
  rpc: Rpc,
  wallet: Keypair,
  count: number,
  sleep: (ms: number) => Promise<void>,
): Promise<number> {
  const addresses = Array.from({ length: count }, (_, i) => nonceAddress(wallet.address, i));
  const missing = async () => {
    const read = await readNonces(rpc, addresses);
    if (read === undefined) throw cannotMake("a cluster that answers", "silent");
    return [...addresses.keys()].filter((i) => read.readings[i]?.isThere !== true);
  };
  const absent = await missing();
  if (absent.length === 0) return 0;
  const lamports = whole(await ask(rpc, "getMinimumBalanceForRentExemption", [NONCE_ACCOUNT_BYTES]));
  const blockhash = field(await ask(rpc, "getLatestBlockhash", [{ commitment: "confirmed" }]), "value", "blockhash");
  if (lamports === undefined || typeof blockhash !== "string")
    throw cannotMake("the rent of an account and a blockhash", "something else");
  for (const index of absent) {
    const instructions = createNonceAccount(wallet.address, index, BigInt(lamports));
    const wire = signTransaction(compileMessage({ payer: wallet.address, blockhash, instructions }), [wallet]);
    await ask(rpc, "sendTransaction", [
      Buffer.from(wire).toString("base64"),
      { encoding: "base64", preflightCommitment: "confirmed" },
    ]);
  }
  for (let waits = 0; waits < WAITS_MAX; waits++) {
    await sleep(WAIT_MS);
    if ((await missing()).length === 0) return absent.length;
  }
  throw cannotMake(`all of them within ${(WAIT_MS * WAITS_MAX) / 1e3} s`, "fewer: try again");
}

async function ask(rpc: Rpc, method: string, params: readonly unknown[]): Promise<unknown> {
  const answer = await rpc(method, params);
  if (!answer.ok) throw cannotMake(`an answer to ${method}`, answer.error.text);
  return answer.value;
}

const cannotMake = (must: string, was: string): SandpiperError =>
  new SandpiperError(EXECUTE_ERROR.nonce, `Cannot make nonce accounts: ${must}, was ${was}`, "later");
