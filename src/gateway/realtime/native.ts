/** The native module (native/, Rust): what it exports, and where it is looked for. Built by `bun scripts/build-native.ts`. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText } from "#core/error.ts";

export type NativeEvent = {
  readonly kind: "request" | "open" | "said" | "closed";
  readonly id: number;
  readonly path: string;
  readonly origin: string;
  readonly address: string;
  readonly reason: string;
};

export type WebTransportServer = {
  readonly port: number;
  readonly refused: number;
  setCertificate(certificatePem: string, keyPem: string): void;
  answer(id: number, status: number): void;
  sendDatagram(id: number, bytes: Uint8Array): number;
  sendStream(id: number, bytes: Uint8Array): number;
  datagramBytesMax(id: number): number;
  close(id: number, code: number, reason: string): void;
  stop(): void;
};

type NativeOptions = {
  readonly address: string;
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly sessionsMax: number;
  readonly handshakesMax: number;
  readonly handshakesPerAddressMax: number;
  readonly queueBytesMax: number;
};

export type Native = {
  readonly WebTransportServer: new (
    options: NativeOptions,
    listener: (event: NativeEvent) => void,
  ) => WebTransportServer;
  makeCertificate(
    names: readonly string[],
    days: number,
  ): { readonly certificatePem: string; readonly keyPem: string; readonly der: Uint8Array };
};

const FILE = "sandpiper-native.node";

/** The module, or why there is none. */
export function loadNative(): Native | { readonly missing: string } {
  const paths = [join(dirname(process.execPath), "lib", FILE), join(import.meta.dir, "../../../native", FILE)];
  const path = paths.find(existsSync);
  if (path === undefined) return { missing: "native/ is not built: bun scripts/build-native.ts (needs cargo)" };
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (thrown) {
    return { missing: `cannot load ${FILE}: ${errorText(thrown)}` };
  }
  return module.exports as Native;
}
