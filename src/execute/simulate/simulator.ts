/**
 * Runs a built transaction in our own virtual machine before (or beside) its send, and says what it would do to the
 * wallet. The copy of the accounts is read when the simulation begins (see chain-copy.ts): when that state is still the
 * decision's, the simulated change equals the predicted one to the unit; when a pool has moved, the program's own error
 * is the answer.
 *
 * It takes an RPC round trip and some 0.3 ms of this thread, more than a send may wait for unasked: so by default it runs
 * beside the send (`arbitrage.simulate = beside`), and only in mode "before" does the send wait, at most BEFORE_MS_MAX.
 * Native memory is freed when the event loop turns, which each simulation lets it do at least once.
 */
import type { Clock } from "#core/clock.ts";
import { errorText } from "#core/error.ts";
import type { Address } from "#core/units.ts";
import type { Instruction } from "#dex/instruction.ts";
import { createRpc, type Rpc } from "#execute/rpc.ts";
import type { AccountState } from "#execute/svm/account.ts";
import type { Machine } from "#execute/svm/machine.ts";
import { ChainCopy, type Touched } from "./chain-copy.ts";

/** How long a send waits for its simulation in mode "before"; then it leaves without. */
export const BEFORE_MS_MAX = 5;
/** How long the accounts may take to come; the decision goes on record without figures then. */
const READ_MS_MAX = 250;
/** Simulations at once; a further one is not run. */
const RUNNING_MAX = 16;
/** Of a token account: u64 amount. */
const TOKEN_AMOUNT_AT = 64;
const TOKEN_ACCOUNT_BYTES_MIN = 165;

type SimulationKind =
  /** It would execute. */
  | "passed"
  /** It would fail; `error` is what the cluster would say. */
  | "failed"
  /** Nothing was learnt; `error` says why. */
  | "not_run";

export type Simulation = {
  readonly kind: SimulationKind;
  /** Change of the wallet, native lamports and wSOL together; 0n unless it passed. */
  readonly netLamports: bigint;
  readonly computeUnits: number;
  /** From the question to the figures, the reading of the accounts included; 0 when it was not run. */
  readonly tookNs: number;
  /** Empty when it passed. */
  readonly error: string;
};

export type SimulatedTransaction = {
  readonly wire: Uint8Array;
  readonly instructions: readonly Instruction[];
  readonly wallet: Address;
  /** The wallet's wSOL account. */
  readonly baseAccount: Address;
};

/** The RPC with the patience of a simulation. */
export const simulationRpc = (url: string): Rpc => createRpc({ url, timeoutMs: READ_MS_MAX });

export class Simulator {
  /** Transactions that were not simulated. */
  notRun = 0;
  #running = 0;
  readonly #copy: ChainCopy;

  constructor(
    rpc: Rpc,
    private readonly clock: Clock,
  ) {
    this.#copy = new ChainCopy(rpc, clock);
  }

  /** Reads programs and other accounts ahead, so that the first simulation does not wait for their compilation. */
  async learn(addresses: readonly Address[]): Promise<void> {
    await this.#copy.using({ written: [], readOnly: addresses }, () => {});
  }

  /** Begins to read at once; never throws. */
  async simulate(transaction: SimulatedTransaction): Promise<Simulation> {
    if (this.#running >= RUNNING_MAX) return this.#notRun(`${RUNNING_MAX} others were running`);
    this.#running++;
    const startNs = this.clock.monotonicNs();
    try {
      const touched = touchedBy(transaction);
      const ran = await this.#copy.using(touched, (machine) => this.#run(machine, transaction, startNs));
      return ran.ok ? ran.value : this.#notRun(ran.error);
    } catch (thrown) {
      return this.#notRun(errorText(thrown));
    } finally {
      this.#running--;
    }
  }

  #run(machine: Machine, { wire, wallet, baseAccount }: SimulatedTransaction, startNs: number): Simulation {
    const before = worth(machine.read(wallet), machine.read(baseAccount));
    const { error, computeUnits } = machine.commit(wire);
    const tookNs = Math.max(1, Math.round(this.clock.monotonicNs() - startNs));
    const common = { computeUnits: Number(computeUnits), tookNs };
    if (error !== null) return { ...common, kind: "failed", netLamports: 0n, error: JSON.stringify(error) };
    const netLamports = worth(machine.readAgain(wallet), machine.readAgain(baseAccount)) - before;
    return { ...common, kind: "passed", netLamports, error: "" };
  }

  #notRun(why: string): Simulation {
    this.notRun++;
    return { kind: "not_run", netLamports: 0n, computeUnits: 0, tookNs: 0, error: `not_simulated: ${why}` };
  }
}

/** Every account that the instructions name, and the payer, once. */
function touchedBy({ instructions, wallet }: SimulatedTransaction): Touched {
  const written = new Set<Address>([wallet]);
  const readOnly = new Set<Address>();
  for (const { accounts, programAddress } of instructions) {
    readOnly.add(programAddress);
    for (const { address, writable } of accounts) (writable ? written : readOnly).add(address);
  }
  return { written: [...written], readOnly: [...readOnly].filter((address) => !written.has(address)) };
}

/** Native lamports and wSOL units. The rent in the wSOL account counts for neither. */
function worth(wallet: AccountState | undefined, base: AccountState | undefined): bigint {
  const data = base?.data;
  const units =
    data === undefined || data.length < TOKEN_ACCOUNT_BYTES_MIN
      ? 0n
      : new DataView(data.buffer, data.byteOffset, data.length).getBigUint64(TOKEN_AMOUNT_AT, true);
  return (wallet?.lamports ?? 0n) + units;
}
