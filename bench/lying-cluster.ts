/**
 * A cluster as a stream that lies tells of it: of one token account (a pool's vault) it says, once told to, that it holds
 * another amount than it does. Everything else, and the cluster itself, is as it is.
 */
import type { LocalCluster, RecordedTransaction } from "#sim/cluster/local-cluster.ts";

/** Of a token account: u64 amount. */
const AMOUNT_AT = 64;

export type Lie = {
  readonly account: string;
  /** What the account's amount is multiplied by; 1 is the truth. */
  factor: number;
};

export function lyingCluster(cluster: LocalCluster, lie: Lie): LocalCluster {
  const onTransaction: LocalCluster["onTransaction"] = (listener) =>
    cluster.onTransaction((transaction) => listener(lie.factor === 1 ? transaction : toldOf(transaction, lie)));
  return new Proxy(cluster, {
    get(target, name) {
      if (name === "onTransaction") return onTransaction;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function toldOf(transaction: RecordedTransaction, { account, factor }: Lie): RecordedTransaction {
  const written = transaction.written.map((state) => {
    if (state.address !== account) return state;
    const data = Buffer.from(state.data);
    data.writeBigUInt64LE(BigInt(Math.round(Number(data.readBigUInt64LE(AMOUNT_AT)) * factor)), AMOUNT_AT);
    return { ...state, data: new Uint8Array(data) };
  });
  return { ...transaction, written };
}
