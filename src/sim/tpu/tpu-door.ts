/**
 * The leader's QUIC door of the local cluster, on loopback: ALPN solana-tpu, one transaction per unidirectional stream,
 * straight into the slot that is being built. What is too long or no transaction is dropped and counted, as a validator
 * does; nobody is answered.
 */

import { generateKeyPairSync, sign } from "node:crypto";
import { errorText, SandpiperError } from "#core/error.ts";
import { pemOf, selfSigned } from "#execute/tpu/certificate.ts";
import { listen, type QuicEndpoint, type QuicSession, type QuicStream } from "#execute/tpu/quic.ts";
import type { LocalCluster } from "#sim/cluster/local-cluster.ts";
import { WIRE_BYTES_MAX } from "#sim/cluster/message.ts";
import { SIM_ERROR } from "#sim/errors.ts";

const HOST = "127.0.0.1";
const ALPN = "solana-tpu";

export type TpuDoorOptions = {
  /** 0 takes a free port. */
  readonly port: number;
  /** Certificates (PEM) of the only clients that are let in; without it everybody is. */
  readonly clients?: readonly string[];
};
export type TpuDoor = {
  readonly port: number;
  readonly counters: { readonly received: number; readonly dropped: number; readonly sessions: number };
  stop(): Promise<void>;
};

/** Throws a SandpiperError when the port is taken. */
export async function startTpuDoor(cluster: Pick<LocalCluster, "submit">, options: TpuDoorOptions): Promise<TpuDoor> {
  const counters = { received: 0, dropped: 0, sessions: 0 };
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const certificate = selfSigned(publicKey.export({ format: "der", type: "spki" }), (bytes) =>
    sign(null, bytes, privateKey),
  );
  const own = { keys: [privateKey], certs: [Buffer.from(pemOf(certificate))] };
  const take = async (stream: QuicStream) => {
    const wire = await readTransaction(stream);
    if (wire !== undefined) counters.received++;
    if (wire === undefined || cluster.submit(wire).kind === "refused") counters.dropped++;
  };
  const onSession = (session: QuicSession) => {
    counters.sessions++;
    // A client that goes is no error; without listeners it would end the process.
    session.onerror = () => {};
    session.closed.catch(() => {});
    session.onstream = (stream) => {
      take(stream).catch(() => counters.dropped++);
    };
  };
  let endpoint: QuicEndpoint;
  try {
    endpoint = await listen(onSession, {
      alpn: [ALPN],
      sni: { "*": own },
      ...(options.clients !== undefined && { verifyClient: true, ca: options.clients.map((pem) => Buffer.from(pem)) }),
      endpoint: { address: `${HOST}:${options.port}` },
    });
  } catch (cause) {
    throw new SandpiperError(
      SIM_ERROR.tpu,
      `Cannot open the TPU door: UDP port ${options.port} must be free, was: ${errorText(cause)}`,
      "later",
      { cause },
    );
  }
  return { port: endpoint.address?.port ?? options.port, counters, stop: async () => endpoint.destroy() };
}

/** Undefined when it is longer than a transaction may be. */
async function readTransaction(stream: QuicStream): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream)
    for (const part of chunk) {
      bytes += part.byteLength;
      if (bytes <= WIRE_BYTES_MAX) parts.push(part);
    }
  return bytes > WIRE_BYTES_MAX ? undefined : Buffer.concat(parts);
}
