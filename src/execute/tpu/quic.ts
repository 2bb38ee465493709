/**
 * node:quic, the only way to it. It says on standard error, once in each process, that it is experimental: which version
 * of Bun we run on is ours to choose, and an operator can do nothing about it. That one word is taken out where it is
 * said, while the module loads; every other warning goes on.
 */
import type { QuicEndpoint as Endpoint, listen as Listen } from "node:quic";

export type { QuicSession, QuicStream, SessionOptions } from "node:quic";
export type QuicEndpoint = Endpoint;

const EXPERIMENTAL = "ExperimentalWarning";

function loadQuietly(): typeof import("node:quic") {
  const { emitWarning } = process;
  const butThat = (warning: string | Error, ...rest: readonly unknown[]): void => {
    if (rest[0] === EXPERIMENTAL && String(warning).startsWith("quic ")) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  process.emitWarning = butThat;
  try {
    return process.getBuiltinModule("node:quic");
  } finally {
    process.emitWarning = emitWarning;
  }
}

const quic = loadQuietly();
export const { connect, QuicEndpoint } = quic;
export const listen: typeof Listen = quic.listen;
