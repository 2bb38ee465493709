/** Starts the fake Yellowstone server and feeds it from a local cluster: accounts, transactions, slots, block summaries. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SubscribeUpdate } from "@triton-one/yellowstone-grpc";
import { base58Decode } from "#core/base58.ts";
import type { LocalCluster, RecordedTransaction } from "#sim/cluster/local-cluster.ts";
import type { FakeCommand, FakeUpdate } from "./server.ts";

const [PROCESSED, CONFIRMED, FINALIZED, CREATED_BANK, DEAD] = [0, 1, 2, 5, 6];
const FINAL_BEHIND = 32;

export type FakeGeyser = {
  readonly url: string;
  command(command: FakeCommand): void;
  /** Says that a slot is dead. */
  kill(slot: number): void;
  stop(): Promise<void>;
};

export async function startFakeGeyser(cluster: LocalCluster): Promise<FakeGeyser> {
  const folder = mkdtempSync(join(tmpdir(), "sandpiper-geyser-"));
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, "server.ts")],
    target: "node",
    outdir: folder,
    naming: "server.mjs",
    // Both find files of their own at run time; they are resolved from here.
    external: ["@grpc/grpc-js", "@triton-one/yellowstone-grpc"],
  });
  if (!built.success) throw new Error(`the fake server did not build: ${built.logs.join("; ")}`);
  const main = join(import.meta.dir, "..", "..", "..", "node_modules", `.fake-geyser-${process.pid}-${Date.now()}.mjs`);
  await Bun.write(main, Bun.file(join(folder, "server.mjs")));
  const child = Bun.spawn(["node", main], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const port = await firstPort(child.stdout);
  rmSync(main);
  rmSync(folder, { recursive: true });
  const command = (what: FakeCommand) => {
    child.stdin.write(`${JSON.stringify(what)}\n`);
    child.stdin.flush();
  };
  const tell = (update: FakeUpdate) => command({ update });
  const unhook = [
    cluster.onTransaction((transaction) => updatesOf(transaction).forEach(tell)),
    cluster.onSlot((now) => {
      const slot = Number(now);
      command({ blockhash: cluster.latestBlockhash().blockhash });
      const built = cluster.ledger.block(now - 1n)?.transactions.length ?? 0;
      for (const [of, status] of [
        [slot - 1, PROCESSED],
        [slot - 1, CONFIRMED],
        [slot - FINAL_BEHIND, FINALIZED],
        [slot, CREATED_BANK],
      ] as const)
        if (of >= Number(cluster.startSlot)) {
          tell(slotUpdate(of, status));
          if (status === PROCESSED) tell(blockMeta(of, cluster.blockhashOf(now - 1n), built));
        }
    }),
  ];
  command({ blockhash: cluster.latestBlockhash().blockhash });
  return {
    url: `http://127.0.0.1:${port}`,
    command,
    kill: (slot) => tell(slotUpdate(slot, DEAD)),
    stop: async () => {
      for (const stop of unhook) stop();
      child.stdin.end();
      child.kill();
      await child.exited;
    },
  };
}

async function firstPort(stdout: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stdout.getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the fake server ended before it listened");
    text += new TextDecoder().decode(value);
    const [line] = text.split("\n");
    if (text.includes("\n")) {
      // Read on, or the pipe fills and the server stops.
      void (async () => {
        while (!(await reader.read()).done);
      })();
      return JSON.parse(line as string).port;
    }
  }
}

/** `fields` may leave out what has its default: the codec's own type for that is too narrow for literals. */
function encode(fields: object): string {
  const update = SubscribeUpdate.fromPartial({ ...fields, createdAt: new Date() });
  return Buffer.from(SubscribeUpdate.encode(update).finish()).toString("base64");
}

function slotUpdate(slot: number, status: number): FakeUpdate {
  const bytes = encode({ slot: { slot: `${slot}`, parent: `${slot - 1}`, status } });
  return { slot, kind: "slot", keys: [], commitment: status, bytes };
}

function blockMeta(slot: number, blockhash: string, transactions: number): FakeUpdate {
  const counts = { executedTransactionCount: `${transactions}`, entriesCount: "0" };
  const bytes = encode({
    blockMeta: { slot: `${slot}`, parentSlot: `${slot - 1}`, blockhash, parentBlockhash: "", ...counts },
  });
  return { slot, kind: "blockMeta", keys: [], bytes };
}

function updatesOf(transaction: RecordedTransaction): FakeUpdate[] {
  const slot = Number(transaction.slot);
  const signature = base58Decode(transaction.signature);
  const accounts = transaction.written.map(
    ({ address, owner, lamports, executable, data, writeVersion }): FakeUpdate => ({
      slot,
      kind: "account",
      keys: [address],
      owner,
      bytes: encode({
        account: {
          slot: `${slot}`,
          isStartup: false,
          account: {
            pubkey: base58Decode(address),
            owner: base58Decode(owner),
            lamports: `${lamports}`,
            executable,
            rentEpoch: "0",
            data,
            writeVersion: `${writeVersion}`,
            txnSignature: signature,
          },
        },
      }),
    }),
  );
  return [...accounts, transactionUpdate(transaction, slot, signature)];
}

function transactionUpdate(transaction: RecordedTransaction, slot: number, signature: Uint8Array): FakeUpdate {
  const { parsed, keys, loaded, error, logs, inner, feeLamports, computeUnits } = transaction;
  const bytes = encode({
    transaction: {
      slot: `${slot}`,
      transaction: {
        signature,
        isVote: false,
        index: `${transaction.indexInSlot}`,
        transaction: {
          signatures: [signature],
          message: {
            header: {
              numRequiredSignatures: parsed.signatureCount,
              numReadonlySignedAccounts: parsed.readonlySigners,
              numReadonlyUnsignedAccounts: parsed.readonlyOthers,
            },
            accountKeys: parsed.staticKeys.map(base58Decode),
            recentBlockhash: base58Decode(parsed.blockhash),
            instructions: parsed.instructions.map(({ programIndex, accounts, data }) => ({
              programIdIndex: programIndex,
              accounts,
              data,
            })),
            versioned: parsed.version === 0,
          },
        },
        meta: {
          ...(error === null ? {} : { err: { err: new Uint8Array([8, 0, 0, 0]) } }),
          fee: `${feeLamports}`,
          computeUnitsConsumed: `${computeUnits}`,
          logMessages: [...logs],
          innerInstructions: inner.map(({ index, instructions }) => ({
            index,
            instructions: instructions.map(({ programIndex, accounts, data, stackHeight }) => ({
              programIdIndex: programIndex,
              accounts,
              data,
              stackHeight,
            })),
          })),
          loadedWritableAddresses: loaded.writable.map(base58Decode),
          loadedReadonlyAddresses: loaded.readonly.map(base58Decode),
        },
      },
    },
  });
  return { slot, kind: "transaction", keys, failed: error !== null, bytes };
}
