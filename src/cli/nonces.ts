/**
 * `sandpiper nonces create | show [flags]`: the wallet's durable nonce accounts, as many as execute.nonceAccounts says, on
 * the cluster of the mode at hand. Their addresses follow from the wallet's, so the agent finds them by itself.
 */
import { SandpiperError } from "#core/error.ts";
import { EXIT_CODE } from "#core/exit-code.ts";
import { runPaths } from "#core/paths.ts";
import { readConfigWithSecrets } from "#core/secrets/secrets.ts";
import { openRpc } from "#execute/endpoints.ts";
import { EXECUTE_ERROR } from "#execute/errors.ts";
import { readKeypairFile } from "#execute/keypair.ts";
import { makeNonces } from "#execute/nonce/make-nonces.ts";
import { nonceAddress } from "#execute/nonce/nonce-account.ts";
import { readNonces } from "#execute/nonce/read-nonces.ts";
import { CLI_ERROR } from "./errors.ts";

export async function runNonces(
  [verb, ...flags]: readonly string[],
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  if (verb !== "create" && verb !== "show")
    throw new SandpiperError(CLI_ERROR.usage, `Cannot run nonces: create or show, was ${verb ?? "nothing"}`);
  const config = await readConfigWithSecrets(flags, process.env);
  const count = config["execute.nonceAccounts"];
  const rpc = openRpc(config);
  if (count === 0 || rpc === undefined)
    throw new SandpiperError(
      CLI_ERROR.usage,
      `Cannot run nonces: --execute.nonceAccounts of 1 or more in another mode than replay, was ${count} in mode ${config.mode}`,
    );
  const wallet = readKeypairFile(runPaths(config.dataDir).walletKey);
  if (verb === "create") write(`made ${await makeNonces(rpc, wallet, count, Bun.sleep)} of ${count} nonce accounts\n`);
  const addresses = Array.from({ length: count }, (_, i) => nonceAddress(wallet.address, i));
  const read = await readNonces(rpc, addresses);
  if (read === undefined)
    throw new SandpiperError(
      EXECUTE_ERROR.nonce,
      "Cannot read the nonces: a cluster that answers, was silent",
      "later",
    );
  const lines = read.readings.map(({ state, why }, i) => `${addresses[i]}  ${state?.value ?? why}\n`);
  write(lines.join(""));
  return EXIT_CODE.ok;
}
