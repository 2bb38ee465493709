/**
 * From a decision to a signed bundle: the plan of its instructions, the message, the signature, and all that following
 * it will take. Bounded work without waiting; throws a SandpiperError that says why a bundle cannot be built now.
 */
import { SandpiperError } from "#core/error.ts";
import type { PoolFacts } from "#core/pool.ts";
import type { Address, Signature } from "#core/units.ts";
import { type Decision, decisionId } from "#decide/decision-record.ts";
import { swapsOf } from "#decide/swaps.ts";
import type { Instruction } from "#dex/instruction.ts";
import type { SentBundle } from "./bundle.ts";
import type { ChainState } from "./chain-state.ts";
import { EXECUTE_ERROR } from "./errors.ts";
import { compileMessage } from "./message.ts";
import { advanceNonce } from "./nonce/nonce-account.ts";
import type { NonceAccounts, NonceUse } from "./nonce/nonce-accounts.ts";
import { planInstructions } from "./plan.ts";
import type { AgentIdentity } from "./records.ts";
import { bundleIdOf, type Route } from "./route.ts";
import { ComputeLimits, type ShapeHop } from "./simulate/compute-limits.ts";
import { signatureOf, signTransaction, TRANSACTION_BYTES_MAX, transactionBytes } from "./transaction.ts";
import type { Wallet } from "./wallet.ts";

/** A blockhash older than this (half its life) is not built on: the cluster has not answered for long. */
const BLOCKHASH_AGE_NS_MAX = 30e9;

export type BuilderParts = {
  readonly identity: AgentIdentity;
  readonly wallet: Wallet;
  readonly pool: (index: number) => PoolFacts | undefined;
  /** Undefined in a paper run: nothing is signed. */
  readonly live?: {
    readonly route: Pick<Route, "name" | "tipAccount">;
    readonly chain: Pick<ChainState, "blockhash">;
    readonly nonces?: NonceAccounts | undefined;
  };
  readonly unixNs: (monotonicNs: number) => bigint;
  readonly wallNs: () => bigint;
};

export type Built = {
  readonly bundle: SentBundle;
  /** Empty in a paper run, as the instructions are. */
  readonly wire: Uint8Array;
  readonly instructions: readonly Instruction[];
  readonly hops: readonly ShapeHop[];
};

type TransactionFacts = Pick<
  SentBundle,
  "route" | "signature" | "wireBase64" | "blockhash" | "lastValidBlockHeight" | "nonce"
>;
type Compiled = {
  readonly message: Uint8Array;
  readonly instructions: readonly Instruction[];
  readonly nonce?: NonceUse;
};
/** Nothing is built for a paper fill: a recording need not know every account of a swap. */
const PAPER: TransactionFacts = {
  route: "paper",
  signature: "" as Signature,
  wireBase64: "",
  blockhash: "",
  lastValidBlockHeight: 0,
};

export class BundleBuilder {
  /** Fed by whoever simulates. */
  readonly limits = new ComputeLimits();

  constructor(private readonly parts: BuilderParts) {}

  build(decision: Decision): Built {
    const { wallet, pool, live } = this.parts;
    if (live === undefined)
      return { bundle: this.#describe(decision, PAPER), wire: new Uint8Array(), instructions: [], hops: [] };
    const chain = live.chain.blockhash();
    if (chain === undefined || chain.ageNs > BLOCKHASH_AGE_NS_MAX)
      throw cannotBuild(
        `a blockhash younger than ${BLOCKHASH_AGE_NS_MAX / 1e9} s`,
        chain === undefined ? "none" : `one of ${Math.round(chain.ageNs / 1e9)} s`,
      );
    const hops = swapsOf(decision).flatMap(({ hop }): ShapeHop[] => {
      const facts = pool(hop.pool);
      return facts === undefined ? [] : [{ pool: facts, inputSide: hop.inputSide }];
    });
    const planned = planInstructions(decision, {
      owner: wallet.address,
      pool,
      tokenAccount: (mint) => wallet.tokenAccount(mint),
      tipAccount: live.route.tipAccount() as Address,
      computeUnits: this.limits.limitOf(hops),
    });
    const { blockhash, lastValidBlockHeight } = chain;
    const { message, instructions, nonce } = this.#compile(planned, blockhash);
    const wire = signTransaction(message, [wallet.keypair]);
    const signature = signatureOf(wire);
    const wireBase64 = Buffer.from(wire).toString("base64");
    const transaction = {
      ...{ route: live.route.name, signature, wireBase64, blockhash, lastValidBlockHeight },
      ...(nonce !== undefined && { nonce }),
    };
    return { bundle: this.#describe(decision, transaction), wire, instructions, hops };
  }

  /** On a nonce where one is free and its advance fits, else on the blockhash. A nonce that is in the answer is taken. */
  #compile(instructions: readonly Instruction[], blockhash: string): Compiled {
    const { wallet, live } = this.parts;
    const payer = wallet.address;
    const nonce = live?.nonces?.take();
    if (nonce !== undefined) {
      const onNonce = [advanceNonce(nonce.account, payer), ...instructions];
      const message = compileMessage({ payer, blockhash: nonce.value, instructions: onNonce });
      if (transactionBytes(message) <= TRANSACTION_BYTES_MAX) return { message, instructions: onNonce, nonce };
      live?.nonces?.giveBack(nonce);
    }
    return { message: compileMessage({ payer, blockhash, instructions }), instructions };
  }

  #describe(decision: Decision, transaction: TransactionFacts): SentBundle {
    const { identity, pool, unixNs, wallNs } = this.parts;
    const id = decisionId(identity.agent, identity.runStartMs, decision.sequence);
    const bundleId = transaction.route === "paper" ? `paper-${id}` : bundleIdOf([transaction.signature]);
    return {
      ...transaction,
      decisionId: id,
      sequence: decision.sequence,
      bundleId,
      routeId: bundleId,
      decidedSlot: Number(decision.slot),
      pools: swapsOf(decision).map(({ hop }) => pool(hop.pool)?.address ?? ("" as Address)),
      ...(decision.split !== undefined && { splitPlace: decision.split.place }),
      tipLamports: decision.tipLamports,
      feeLamports: decision.feeLamports,
      predictedNetLamports: decision.netLamports,
      eventNs: unixNs(decision.eventNs),
      decideNs: unixNs(decision.decideNs),
      sendNs: wallNs(),
      acceptedNs: 0n,
    };
  }
}

export const cannotBuild = (must: string, was: string): SandpiperError =>
  new SandpiperError(EXECUTE_ERROR.plan, `Cannot build a bundle: ${must}, was ${was}`, "later");
